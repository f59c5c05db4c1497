"""Studies whose variants train through transformers: run, killed, reported, evaluated, exported and used."""

import json
import sys
from dataclasses import replace

import numpy as np
import pytest
import torch

import small_models
from command_line import kill_at
from page_text import page_text
from trimtab import report
from trimtab.cli import main
from trimtab.config import InputError
from trimtab.deploy.export import export
from trimtab.deploy.exported import read as read_exported
from trimtab.deploy.prediction import predict
from trimtab.ledger import Ledger
from trimtab.plan.cost import relative_cost
from trimtab.plan.identity import precision_kind, trial_config
from trimtab.plan.plan import make_plan
from trimtab.plan.prepare import prepare
from trimtab.report.plan import plan_text
from trimtab.run.runner import run

pytestmark = pytest.mark.integration

transformers = pytest.importorskip("transformers", reason="needs pip install 'trimtab[peers]'")

_DATA = """\
question = "Which encoder, and which cut?"
[data]
reader = "probe"
train = 320
test = 60
first_length = [8, 14]
second_length = [4, 6]
min_freq = 1
[base]
epochs = 2
batch_size = 32
learning_rate = 1e-3
precision = "fp32"
"""
# Three encoders, of which one has no packed form; most rows are cut at 12.
ENCODERS = (
    "keep_weights = true\n"
    + _DATA
    + """\
max_len = 12
implementation = "auto"
[grid]
weights = ["bert", "roberta", "deberta-v2"]
truncation = ["longest_first", "ratio"]
seeds = 1
[compare]
cross = true
"""
)
# One encoder from scratch, in both implementations; no row is cut at 40.
BOTH = (
    _DATA
    + """\
size = "2x32/64/2"
max_len = 40
dropout = 0.0
[grid]
implementation = ["packed", "transformers"]
seeds = 2
"""
)
DEBERTA = "weights deberta-v2, longest_first"
on_linux = pytest.mark.skipif(sys.platform != "linux", reason="looks for processes in /proc")


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """The folder of the three encoders."""
    folder = tmp_path_factory.mktemp("home")
    for kind in ("bert", "roberta", "deberta-v2"):
        small_models.written(folder / kind, kind)
    return folder


@pytest.fixture(scope="module")
def encoders(home, study_at):
    """The study of the three encoders, run without interruption, and the folder of its results."""
    study = study_at(home, ENCODERS)
    done = run(study, home, out=home / "out", device="cpu", jobs=1)
    assert (done.done_now, done.crossed_now, done.failures) == (6, 6, ())
    return study, done.folder


def predictions(folder):
    found = {}
    for path in folder.glob("trials/*/predictions.npz"):
        with np.load(path) as arrays:
            found[path.parent.name] = arrays["test"].tobytes()
    return found


def test_the_report_says_what_went_how(encoders):
    _, folder = encoders
    sizes = [variant.size for variant in Ledger(folder).study.variants]
    assert [size.implementation for size in sizes] == ["packed"] * 4 + ["transformers"] * 2
    assert [size.kind for size in sizes[::2]] == ["bert", "roberta", "deberta-v2"]
    report.write(folder)
    page = page_text(folder)
    names = [f"weights {kind}, {cut}" for kind in ("bert", "roberta") for cut in ("longest_first", "ratio")]
    assert f"\ntrained packed, without padding: {'; '.join(names)}\n" in page
    padded = [f"weights deberta-v2, {cut} (deberta-v2)" for cut in ("longest_first", "ratio")]
    assert f"\ntrained through transformers, in padded batches: {'; '.join(padded)}\n" in page


@on_linux
@pytest.mark.slow
def test_killed_it_resumes_and_comes_to_the_same(encoders, home, monkeypatch):
    study, folder = encoders
    out = home / "killed"
    monkeypatch.chdir(home)  # where the study's weights lie
    for number in (1, 4):  # trials that have begun
        assert kill_at(lambda out, n=number: len([*out.glob("trials/*/metrics.jsonl")]) >= n, study.path, out)
    assert main(["run", str(study.path), "--out", str(out), "--device", "cpu", "--jobs", "1"]) == 0
    assert predictions(out) == predictions(folder)


def test_models_are_evaluated_on_each_others_inputs(encoders):
    _, folder = encoders
    ledger = Ledger(folder)
    for variant in ledger.study.variants[-2:]:
        crossed = ledger.trial(variant.trials[0]).crossed
        assert variant.cross["test"]
        assert all(inputs in crossed for inputs in variant.cross["test"])


def test_an_export_is_transformers_own(encoders, tmp_path, trimtab):
    _, folder = encoders
    code, said, _ = trimtab("export", folder, DEBERTA, tmp_path / "model")
    assert code == 0
    assert said[0].startswith(f"{DEBERTA}, seed 0: accuracy")
    reference = transformers.AutoModelForSequenceClassification.from_pretrained(tmp_path / "model").eval()
    tokenizer = transformers.AutoTokenizer.from_pretrained(tmp_path / "model")
    first, second = ["w1 w2 w3", "w9", "w4 w5 w6 w7"], ["w8", "w1 w2 w3", "w30 w31"]
    classifier = read_exported(tmp_path / "model")
    assert str(classifier.truncation) == "longest_first"
    found = predict(classifier, first, second)
    assert found.labels == tuple(reference.config.id2label.values())
    for row, (one, other) in enumerate(zip(first, second, strict=True)):
        read = tokenizer(one, other, return_tensors="pt", return_token_type_ids=False)
        with torch.inference_mode():
            expected = reference(**read).logits.softmax(-1)[0]
        np.testing.assert_allclose(found.probabilities[row], expected.numpy(), rtol=1e-5)
    code, said, _ = trimtab("embed", tmp_path / "model", "w1 w2", "w3")
    assert (code, said[0]) == (0, "6 tokens: <cls> w1 w2 <sep> w3 <sep>")


def test_what_a_ledger_keeps_is_what_was_evaluated(encoders, tmp_path):
    _, folder = encoders
    ledger = Ledger(folder)
    variant = next(each for each in ledger.study.variants if each.name == DEBERTA)
    export(ledger, DEBERTA, tmp_path / "model")
    study = json.loads((tmp_path / "model" / "trimtab.json").read_text())
    trial = ledger.trial(variant.trials[0])
    assert study["tests"]["test"] == trial.result.tests["test"].model_dump()


# One architecture, both ways.


@pytest.fixture(scope="module")
def both(home, study_at):
    study = study_at(home / "both", BOTH)
    return study, run(study, out=home / "both" / "out", device="cpu", jobs=1)


def test_both_implementations_are_paired_and_come_to_the_same(both):
    _, done = both
    assert (done.done_now, done.failures) == (4, ())
    ledger = Ledger(done.folder)
    packed, padded = ledger.study.variants
    assert (packed.name, padded.name) == ("implementation packed", "implementation transformers")
    [contrast] = ledger.study.contrasts
    assert contrast.paired
    assert packed.inputs == padded.inputs
    for seed in (0, 1):
        trials = [done.folder / "trials" / variant.trials[seed] for variant in (packed, padded)]
        assert trials[0] != trials[1]
        epochs = [(trial / "metrics.jsonl").read_text().splitlines() for trial in trials]
        losses = [[json.loads(line)["loss"] for line in lines] for lines in epochs]
        np.testing.assert_allclose(losses[0], losses[1], rtol=1e-6)
        logits = []
        for trial in trials:
            with np.load(trial / "predictions.npz") as arrays:
                logits.append(arrays["test"])
        np.testing.assert_allclose(*logits, rtol=1e-4, atol=1e-5)


def test_a_packed_architecture_is_exported_as_ever(home, study_at, tmp_path):
    text = BOTH.replace("seeds = 2", "seeds = 1").replace('["packed", "transformers"]', '["transformers"]')
    study = study_at(tmp_path, "keep_weights = true\n" + text.replace("epochs = 2", "epochs = 1"))
    done = run(study, out=tmp_path / "out", device="cpu", jobs=1)
    export(Ledger(done.folder), "0", tmp_path / "model")
    classifier = read_exported(tmp_path / "model")
    assert classifier.model.parts.size.is_packed
    reference = transformers.AutoModelForSequenceClassification.from_pretrained(tmp_path / "model").eval()
    found = predict(classifier, ["w1"], ["w2"])
    ids = torch.tensor([[3, 0, 4, 0, 4]])  # both words are unknown to the vocabulary of the study
    with torch.inference_mode():
        logits = reference(ids, token_type_ids=torch.tensor([[0, 0, 0, 1, 1]])).logits
    np.testing.assert_allclose(found.probabilities[0], logits.softmax(-1)[0].numpy(), rtol=1e-5)


# Before a run.


def test_a_plan_says_what_padding_costs(both, tmp_path):
    study, _ = both
    plan = make_plan(prepare(study))
    packed, padded = plan.variants
    text = plan_text(plan, Ledger(tmp_path))
    assert "trained through transformers, in padded batches: implementation transformers (bert)\n" in text
    real = packed.inputs["train"].tokens
    assert f" {real:.1f} of them real" in text
    counts, rng = packed.inputs["train"].lengths, np.random.default_rng(0)
    lengths = np.repeat(np.arange(len(counts)), counts)
    longest = np.mean([rng.choice(lengths, 32, replace=False).max() for _ in range(2_000)])
    assert relative_cost(padded) / relative_cost(packed) == pytest.approx(longest / real, rel=0.01)
    kinds = [precision_kind(variant) for variant in plan.variants]
    assert kinds == ["2x32/64/2, gelu, batch 32", "2x32/64/2, gelu, batch 32, through transformers"]


def test_batches_grouped_by_length_are_hardly_padded(home, study_at, tmp_path):
    study = study_at(tmp_path, BOTH.replace("max_len = 40", 'max_len = 40\nbatches = "grouped"'))
    packed, padded = make_plan(prepare(study)).variants
    assert 1 <= relative_cost(padded) / relative_cost(packed) < 1.06


def test_the_implementation_is_part_of_a_trials_identity_and_of_no_other(both):
    study, _ = both
    packed, padded = make_plan(prepare(study)).variants
    assert trial_config(packed, 0).key != trial_config(padded, 0).key
    assert replace(padded.settings.size, implementation="packed") == packed.settings.size
    assert "implementation" not in packed.settings.size.identity()


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            'implementation = "auto"',
            "",
            "'deberta-v2' has no packed form .*set implementation",
        ),
        ('"auto"', '"padded"', "implementation = 'padded' is wrong; it should be one of 'packed', "),
        ('"auto"', '"transformers"\nactivation = "gelu_new"', "activation = 'gelu_new' contradicts weights"),
        ("max_len = 12", "max_len = 100", "max_len 100 exceeds the 64 positions"),
    ],
)
def test_what_is_wrong_is_one_sentence(old, new, message, home, study_at, tmp_path):
    with pytest.raises(InputError, match=message) as caught:
        prepare(study_at(tmp_path, ENCODERS.replace(old, new)), home)
    assert "\n" not in str(caught.value)


def test_layers_that_have_no_numbers_cannot_be_told_apart(home, study_at, tmp_path):
    small_models.written(home / "xlm", "xlm")
    text = ENCODERS.replace('["bert", "roberta", "deberta-v2"]', '["xlm"]')
    assert len(prepare(study_at(tmp_path, text), home).variants) == 2
    for setting in ("layer_decay = 0.9", "frozen = 1", "reinitialise = 1"):
        study = study_at(tmp_path, text.replace("max_len = 12", f"max_len = 12\n{setting}"))
        with pytest.raises(
            InputError, match=r"longest_first: layer_decay, frozen .* the layers of 'xlm' apart"
        ):
            prepare(study, home)


def test_what_transformers_cannot_express_is_refused(study_at, tmp_path, home):
    with pytest.raises(InputError, match=r"implementation = 'transformers'.*set embedding_norm = true"):
        study_at(tmp_path, BOTH.replace('"2x32/64/2"', '"small"'))


def test_without_transformers_the_extra_is_named(study_at, tmp_path, monkeypatch):
    study = study_at(tmp_path, BOTH)
    monkeypatch.setattr("trimtab.model.transformers_package.find_spec", lambda name: None)
    with pytest.raises(InputError, match=r"implementation = 'transformers' needs .* 'trimtab\[peers\]'"):
        prepare(study)
