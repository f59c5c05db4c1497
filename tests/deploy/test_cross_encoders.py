"""Folders of transformers and of sentence-transformers' CrossEncoder: the same scores here as there."""

import csv
import json
import random

import numpy as np
import pytest
import torch

from small_tokenizers import SENTENCES, byte_level, wordpiece
from trimtab.cli import main
from trimtab.config import InputError
from trimtab.data.examples import Examples
from trimtab.deploy import streaming
from trimtab.deploy.exported import read
from trimtab.deploy.prediction import predict

transformers = pytest.importorskip("transformers", reason="no transformers; `make .venv/peers` installs it")

ROWS, MAX_LEN = 60, 40
SMALL = {
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 64,
    "initializer_range": 0.25,
}
KINDS = {
    "Bert": (wordpiece, {"max_position_embeddings": MAX_LEN}),
    "Roberta": (byte_level, {"max_position_embeddings": MAX_LEN + 2, "pad_token_id": 1}),
    "ModernBert": (byte_level, {"max_position_embeddings": 64, "local_attention": 8, "pad_token_id": 1}),
}
PADS = {"Bert": "[PAD]", "Roberta": "<pad>", "ModernBert": "<pad>"}


@pytest.fixture(scope="module")
def pairs():
    """Pairs of texts, of which some are cut at MAX_LEN tokens."""
    draw = random.Random(4)
    words = " ".join(SENTENCES).split()
    return tuple([" ".join(draw.choices(words, k=draw.randint(1, 30))) for _ in range(ROWS)] for _ in "ab")


@pytest.fixture(scope="module")
def folder_of(tmp_path_factory):
    """folder_of(kind, outputs): a classifier of that kind with random weights, as transformers saves it."""
    made = {}

    def make(kind, outputs=1):
        if (kind, outputs) not in made:
            folder = tmp_path_factory.mktemp(kind)
            tokenizer, options = KINDS[kind]
            tokenizer = tokenizer()
            torch.manual_seed(5)
            configuration = getattr(transformers, f"{kind}Config")(
                **SMALL, **options, vocab_size=tokenizer.get_vocab_size(), num_labels=outputs
            )
            model = getattr(transformers, f"{kind}ForSequenceClassification")(configuration)
            for name, parameter in model.named_parameters():
                if name.endswith("bias"):
                    torch.nn.init.normal_(parameter, std=0.2)
            model.save_pretrained(folder)
            names = ["input_ids", *(["token_type_ids"] if kind == "Bert" else []), "attention_mask"]
            transformers.PreTrainedTokenizerFast(
                tokenizer_object=tokenizer,
                model_input_names=names,
                model_max_length=MAX_LEN,
                pad_token=PADS[kind],
            ).save_pretrained(folder)
            made[kind, outputs] = folder
        return made[kind, outputs]

    return make


def their_logits(folder, sides):
    model = transformers.AutoModelForSequenceClassification.from_pretrained(folder).eval()
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    batch = tokenizer(*sides, padding=True, truncation=True, max_length=MAX_LEN, return_tensors="pt")
    assert sum(map(sum, batch["attention_mask"].tolist())) < batch["input_ids"].numel()
    with torch.inference_mode():
        return model(**batch).logits.double().numpy()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("texts", [1, 2])
def test_one_output_is_that_of_transformers(kind, texts, folder_of, pairs):
    folder, sides = folder_of(kind), pairs[:texts]
    classifier = read(folder)
    assert (classifier.labels, classifier.max_len, classifier.activation) == (("score",), MAX_LEN, "sigmoid")
    assert str(classifier.truncation) == "longest_first(tie=hf_fast)"
    found = predict(classifier, *sides)
    expected = 1 / (1 + np.exp(-their_logits(folder, sides)[:, 0]))
    np.testing.assert_allclose(found.scores, expected, atol=1e-5)
    assert np.ptp(expected) > 0.05  # or the comparison would say little


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("function", [None, "Identity"])
def test_a_cross_encoder_of_sentence_transformers(kind, function, folder_of, pairs, tmp_path):
    package = pytest.importorskip(
        "sentence_transformers", reason="no sentence-transformers; `make .venv/develop` installs it"
    )
    options = {} if function is None else {"activation_fn": getattr(torch.nn, function)()}
    package.CrossEncoder(str(folder_of(kind)), device="cpu", **options).save_pretrained(str(tmp_path))
    theirs = package.CrossEncoder(str(tmp_path), device="cpu")
    classifier = read(tmp_path)
    assert classifier.activation == ("sigmoid" if function is None else "identity")
    expected = theirs.predict(list(zip(*pairs, strict=True)), show_progress_bar=False)
    np.testing.assert_allclose(predict(classifier, *pairs).scores, expected, atol=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_several_outputs_are_those_of_transformers(kind, folder_of, pairs):
    exact = np.exp(their_logits(folder_of(kind, 3), pairs))
    found = predict(read(folder_of(kind, 3)), *pairs)
    np.testing.assert_allclose(found.probabilities, exact / exact.sum(axis=1, keepdims=True), atol=1e-5)
    with pytest.raises(InputError, match="the model has 3 labels and no score; read its probabilities"):
        _ = found.scores


def copied(folder, to, **said):
    """A copy of a folder whose config.json says more."""
    to.mkdir()
    for file in folder.iterdir():
        (to / file.name).write_bytes(file.read_bytes())
    table = json.loads((to / "config.json").read_text())
    (to / "config.json").write_text(json.dumps(table | said))
    return to


@pytest.mark.parametrize(
    ("said", "activation"),
    [
        ({"sentence_transformers": {"activation_fn": "torch.nn.modules.linear.Identity"}}, "identity"),
        ({"sentence_transformers": {"activation_fn": "torch.nn.modules.activation.Sigmoid"}}, "sigmoid"),
        ({"sbert_ce_default_activation_function": "torch.nn.modules.linear.Identity"}, "identity"),
        ({"sbert_ce_default_activation_function": "torch.nn.modules.activation.Tanh"}, "tanh"),
        ({"sbert_ce_default_activation_function": None}, "sigmoid"),
        ({"problem_type": "regression"}, "identity"),
        ({"problem_type": "single_label_classification"}, "sigmoid"),
    ],
)
def test_where_the_activation_stands(folder_of, tmp_path, said, activation):
    assert read(copied(folder_of("Bert"), tmp_path / "model", **said)).activation == activation


def test_a_tokeniser_that_names_no_length_has_the_models(folder_of, tmp_path):
    folder = copied(folder_of("Bert"), tmp_path / "model")
    (folder / "tokenizer_config.json").unlink()
    assert read(folder).max_len == MAX_LEN


def test_what_is_no_cross_encoder(folder_of, tmp_path):
    said = {"sentence_transformers": {"activation_fn": "somebody.else.Activation"}}
    strange = copied(folder_of("Bert"), tmp_path / "strange", **said)
    with pytest.raises(InputError) as raised:
        read(strange)
    assert str(raised.value) == (
        f"{strange}/config.json: activation function 'somebody.else.Activation' is unknown; set one of "
        "torch.nn.Sigmoid, torch.nn.Tanh, torch.nn.Identity"
    )
    prompted = copied(folder_of("Bert"), tmp_path / "prompted")
    (prompted / "config_sentence_transformers.json").write_text('{"default_prompt_name": "query"}')
    with pytest.raises(InputError, match="puts the prompt 'query' before texts, which predict does not"):
        read(prompted)
    longer = copied(folder_of("Bert"), tmp_path / "longer")
    (longer / "modules.json").write_text('[{"type": "a.Transformer"}, {"type": "a.Dense"}]')
    with pytest.raises(InputError, match=r"modules\.json: has further modules of sentence-transformers"):
        read(longer)


def test_folders_that_cannot_judge(folder_of, tmp_path):
    bare = tmp_path / "bare"
    body = transformers.AutoModelForSequenceClassification.from_pretrained(folder_of("Bert")).bert
    body.save_pretrained(bare)
    transformers.AutoTokenizer.from_pretrained(folder_of("Bert")).save_pretrained(bare)
    with pytest.raises(InputError, match="has no classification head; name a classifier, such as trimtab"):
        read(bare)
    (bare / "model.safetensors").unlink()
    with pytest.raises(InputError, match=r"has neither model\.safetensors nor pytorch_model\.bin"):
        read(bare)


def test_a_tokeniser_that_cuts_at_the_left(folder_of, pairs, tmp_path):
    folder = copied(folder_of("Roberta"), tmp_path / "model")
    table = json.loads((folder / "tokenizer_config.json").read_text())
    (folder / "tokenizer_config.json").write_text(json.dumps(table | {"truncation_side": "left"}))
    expected = 1 / (1 + np.exp(-their_logits(folder, pairs)[:, 0]))
    np.testing.assert_allclose(predict(read(folder), *pairs).scores, expected, atol=1e-5)
    assert np.abs(expected - predict(read(folder_of("Roberta")), *pairs).scores).max() > 1e-3


def write_table(path, pairs, repeated):
    rows = list(zip(*pairs, strict=True))
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([("a", "b"), *rows, *(rows * repeated)])


def test_a_table_is_scored_in_blocks(folder_of, pairs, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(streaming, "BLOCK", 7)
    table, out = tmp_path / "pairs.csv", tmp_path / "scores.csv"
    write_table(table, pairs, repeated=1)
    words = [
        "predict",
        str(folder_of("Bert")),
        str(table),
        "--first",
        "a",
        "--second",
        "b",
        "--out",
        str(out),
    ]
    assert main(words) == 0
    said = capsys.readouterr().out
    with out.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [list(row) for row in rows[:1]] == [["row", "score"]]
    assert [int(row["row"]) for row in rows] == list(range(2 * ROWS))
    scores = predict(read(folder_of("Bert")), *pairs).scores.tolist()
    np.testing.assert_allclose([float(row["score"]) for row in rows], scores * 2, atol=1e-6)
    exact = np.array(scores)
    assert (
        f"120 rows: score from {exact.min():.3f} to {exact.max():.3f}, mean {exact.mean():.3f}, standard "
        f"deviation {exact.std():.3f}"
    ) in said
    # A row that is wrong leaves the file of before.
    with table.open("a") as file:
        file.write("a text without its second one,\n")
    before = out.read_bytes()
    assert main(words) == 2
    assert out.read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["pairs.csv", "scores.csv"]


def test_progress_counts_the_rows(folder_of, pairs):
    paces = []
    blocks = [
        Examples(pairs[0][:n], pairs[1][:n], np.zeros(n, np.int64), ("",), np.arange(n)) for n in (5, 9)
    ]
    done = streaming.predicted_blocks(read(folder_of("Bert")), blocks, lambda pace: paces.append(pace.rows))
    assert [len(found) for _, found in done] == [5, 9]
    assert paces == sorted(paces)
    assert paces[-1] == 14
