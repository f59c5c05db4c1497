"""Exports in transformers, and classifiers of transformers here: the same labels and probabilities."""

import csv
import random

import numpy as np
import pytest
import torch
from scipy.special import softmax

from small_tokenizers import KINDS, SENTENCES
from trimtab.data import read as read_data
from trimtab.data.tokenizer import largest_id
from trimtab.deploy.export import export
from trimtab.deploy.exported import read
from trimtab.deploy.prediction import predict
from trimtab.ledger import Ledger
from trimtab.run.runner import run
from trimtab.study import load

transformers = pytest.importorskip("transformers", reason="no transformers; `make .venv/peers` installs it")
pytestmark = [pytest.mark.integration, pytest.mark.usefixtures("own_environment")]

ROWS, MAX_LEN = 200, 24
STUDY = f"""\
question = "Does it say the same elsewhere?"
keep_weights = true
[data]
reader = "table"
first = "a"
second = "b"
label = "label"
tokenizer = "tokenizer.json"
[data.train]
file = "train.csv"
[data.test]
file = "test.csv"
[base]
size = "2x32/64/2"
embedding_norm = true
epochs = 6
learning_rate = 3e-3
precision = "fp32"
[grid]
truncation = ["longest_first(tie=hf_fast)"]
max_len = [{MAX_LEN}]
seeds = [1]
"""


@pytest.fixture(params=["made up", "snli"])
def pairs(request):
    """200 pairs of texts, most of which are cut."""
    if request.param == "snli":
        examples = read_data("snli", "test", request.getfixturevalue("shared_data"), text="sentence")
        return examples.first[:ROWS], examples.second[:ROWS]
    draw = random.Random(2)
    words = [*" ".join(SENTENCES).split(), "zebra", "Über", "中文", "🐕", "[E1]", "[MASK]"]
    return tuple([" ".join(draw.choices(words, k=draw.randint(1, 14))) for _ in range(ROWS)] for _ in "ab")


def tokenizer_of(kind):
    """One of every kind, with a marker of entities; what its template uses is no word of the texts."""
    tokenizer = KINDS[kind]()
    tokenizer.add_special_tokens(["[E1]"])
    return tokenizer


def without_special_words(kind, sides):
    """Texts that do not name the template's own tokens, which only transformers finds in them."""
    return [[text.replace("[MASK]", "mask") if kind == "own" else text for text in side] for side in sides]


def their_probabilities(folder, sides, max_len):
    model = transformers.AutoModelForSequenceClassification.from_pretrained(folder).eval()
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    batch = tokenizer(
        *sides, padding=True, truncation="longest_first", max_length=max_len, return_tensors="pt"
    )
    with torch.inference_mode():
        return softmax(model(**batch).logits.double().numpy(), axis=1), model.config.id2label


def assert_same_in_both(folder, sides, max_len):
    found = predict(read(folder), *sides)
    expected, names = their_probabilities(folder, sides, max_len)
    assert np.abs(found.probabilities - expected).max() < 1e-5
    assert found.chosen.tolist() == expected.argmax(axis=1).tolist()
    assert np.ptp(found.probabilities[:, 0]) > 0.02  # or the comparison would say little
    assert found.labels == tuple(names[number] for number in range(len(names)))


@pytest.mark.parametrize("kind", KINDS)
def test_an_export_predicts_in_transformers_what_it_predicts_here(kind, pairs, tmp_path):
    sides = without_special_words(kind, pairs)
    tokenizer_of(kind).save(str(tmp_path / "tokenizer.json"))
    usual = np.median([len(a) for a in sides[0]])
    rows = [(a, b, "yes" if len(a) > usual else "no") for a, b in zip(*sides, strict=True)]
    for name, some in (("train", rows[40:]), ("test", rows[:40])):
        with (tmp_path / f"{name}.csv").open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows([("a", "b", "label"), *some])
    (tmp_path / "study.toml").write_text(STUDY)
    outcome = run(load(tmp_path / "study.toml"), data=tmp_path, out=tmp_path / "out", device="cpu", jobs=1)
    assert not outcome.failures
    export(Ledger(outcome.folder), "0", tmp_path / "model")
    assert_same_in_both(tmp_path / "model", sides, MAX_LEN)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("types", [True, False])
def test_a_classifier_of_transformers_predicts_here_what_it_predicts_there(kind, types, pairs, tmp_path):
    sides = without_special_words(kind, pairs)
    tokenizer = tokenizer_of(kind)
    torch.manual_seed(3)
    config = transformers.BertConfig(
        vocab_size=largest_id(tokenizer) + 1,
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=192,
        num_labels=3,
        initializer_range=0.5,
    )
    transformers.BertForSequenceClassification(config).save_pretrained(tmp_path / "model")
    names = ["input_ids", *(["token_type_ids"] if types else []), "attention_mask"]
    theirs = transformers.PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        model_input_names=names,
        pad_token="[PAD]" if "[PAD]" in tokenizer.get_vocab() else "<pad>",
    )
    theirs.save_pretrained(tmp_path / "model")
    assert_same_in_both(tmp_path / "model", sides, 192)
