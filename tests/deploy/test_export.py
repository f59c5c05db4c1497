"""Out of a ledger and into use: what is predicted from an exported folder is what the ledger holds."""

import csv
import json
import os
import shutil
import subprocess
import sys

import numpy as np
import pytest
import torch
from scipy.special import softmax

from trial_records import unsealed
from trimtab.cli import main
from trimtab.config import InputError
from trimtab.data import read as read_data
from trimtab.data.tokenizer import build
from trimtab.deploy.export import choose, export
from trimtab.deploy.exported import read
from trimtab.deploy.prediction import predict
from trimtab.ledger import Ledger
from trimtab.model import load, weights_hf
from trimtab.model.heads import Bert, Parts
from trimtab.model.initialise import initialise
from trimtab.model.sizes import architecture
from trimtab.model.weights import weights_of
from trimtab.plan.plan import make_plan
from trimtab.plan.prepare import prepare
from trimtab.report.plan import plan_text
from trimtab.run.runner import run as run_study
from trimtab.study import load as load_study

pytestmark = pytest.mark.integration

STUDY = """\
question = "Which model is used?"
keep_weights = true

[data]
reader = "table"
first = "a"
second = "b"
label = "l"
min_freq = 1
[data.train]
file = "train.csv"
[data.test]
file = "test.csv"

[base]
size = "2x32/64/2"
epochs = 2
learning_rate = 1e-3
epsilon = 1e-5
max_len = 12
precision = "fp32"

[grid]
truncation = ["longest_first", "ratio+salient"]
activation = ["gelu", "relu"]
embedding_norm = [true, false]
seeds = 2

[[exclude]]
activation = "gelu"
embedding_norm = false
because = "no format has it"
[[exclude]]
activation = "relu"
embedding_norm = true
because = "one of Hugging Face's is enough"
"""
HF, D2L = (
    "longest_first, activation gelu, embedding_norm True",
    "longest_first, activation relu, embedding_norm False",
)
SALIENT = "ratio+salient, activation gelu, embedding_norm True"
COLUMNS = ("--first", "a", "--second", "b")


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A folder with tables of pairs, of which most are cut at 12 tokens."""
    folder = tmp_path_factory.mktemp("home")
    lengths = {"first_length": [8, 14], "second_length": [4, 6]}
    for split, rows in (("train", 320), ("test", 60)):
        examples = read_data("probe", split, **{split: rows}, **lengths)
        labels = [examples.label_names[label] for label in examples.labels]
        with (folder / f"{split}.csv").open("w", newline="") as file:
            csv.writer(file).writerows(
                [("a", "b", "l"), *zip(examples.first, examples.second, labels, strict=True)]
            )
    return folder


def run(home, text, **options):
    (home / "study.toml").write_text(text)
    study = load_study(home / "study.toml")
    outcome = run_study(study, data=home, device="cpu", jobs=1, **options)
    assert not outcome.failures
    return study, outcome


@pytest.fixture(scope="module")
def ledger(home, session_cache):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TRIMTAB_CACHE", str(session_cache))
        patch.delenv("TRIMTAB_DATA", raising=False)
        _, outcome = run(home, STUDY, out=home / "out")
    return Ledger(outcome.folder)


@pytest.fixture
def sentence(capsys):
    """sentence(words): the one line that a wrong command is answered with."""

    def wrong(*words):
        assert main([str(word) for word in words]) == 2
        said, complained = capsys.readouterr()
        assert said == ""
        [line] = complained.splitlines()
        return line.removeprefix("trimtab: ")

    return wrong


def rows_of(home):
    with (home / "test.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def stored(ledger, chosen):
    return softmax(chosen.trial.predictions("test").astype(np.float64), axis=1)


def test_predictions_are_kept_though_the_terminal_is_gone(home, ledger, tmp_path):
    """As in ``trimtab predict ... --out FILE | head -1``: the file is written, and that is no error."""
    folder, out = tmp_path / "model", tmp_path / "labels.csv"
    export(ledger, HF, folder)
    words = [folder, home / "test.csv", *COLUMNS, "--out", out]
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [sys.executable, "-m", "trimtab.cli", "predict", *words],
        stdout=writing,
        stderr=subprocess.PIPE,
        text=True,
    )
    os.close(writing)
    assert (done.returncode, done.stderr) == (0, "")
    assert len(out.read_text().splitlines()) == 61


@pytest.mark.parametrize(
    ("variant", "form"), [(HF, "Hugging Face's"), (D2L, "d2l's"), (SALIENT, "Hugging Face's"), ("3", "d2l's")]
)
def test_what_is_predicted_is_what_the_ledger_holds(home, ledger, tmp_path, capsys, variant, form):
    """Through the command line, from the folder and the table alone."""
    folder, out = tmp_path / "new" / "model", tmp_path / "labels.csv"
    assert main(["export", str(ledger.folder), variant, str(folder)]) == 0
    said = capsys.readouterr().out
    assert f"in {form} format" in said
    assert "the best of 2 seeds with weights" in said
    about = json.loads((folder / "trimtab.json").read_text())
    assert f"{about['variant']}, seed {about['seed']}: " in said
    assert main(["predict", str(folder), "test.csv", "--data", str(home), *COLUMNS, "--out", str(out)]) == 0
    said = capsys.readouterr().out.splitlines()
    assert said[0] == f"{about['truncation']}, max_len 12"
    assert said[-1] == str(out)
    with out.open(newline="") as file:
        rows = list(csv.DictReader(file))
    logits = ledger.trial(about["trial"]).predictions("test")
    assert [row["row"] for row in rows] == [str(number) for number in range(60)]
    assert [row["label"] for row in rows] == [about["labels"][best] for best in logits.argmax(1)]
    found = [[float(row[f"p_{label}"]) for label in about["labels"]] for row in rows]
    np.testing.assert_allclose(found, softmax(logits.astype(np.float64), axis=1), rtol=0, atol=1e-6)
    assert np.ptp(found, axis=0).min() > 0.01  # or the comparison would say little


def test_transformers_reads_it(home, ledger, tmp_path):
    transformers = pytest.importorskip(
        "transformers", reason="no transformers; `make .venv/peers` installs it"
    )
    from trimtab.truncation import PairTruncation

    chosen, _ = export(ledger, HF, tmp_path / "model", "hf", seed=1)
    theirs = transformers.BertForSequenceClassification.from_pretrained(tmp_path / "model").eval()
    cut = PairTruncation(transformers.AutoTokenizer.from_pretrained(tmp_path / "model"), "longest_first", 12)
    rows = rows_of(home)
    batch = cut([row["a"] for row in rows], [row["b"] for row in rows], padding=True, return_tensors="pt")
    with torch.no_grad():
        found = theirs(**batch).logits.numpy()
    np.testing.assert_allclose(found, chosen.trial.predictions("test"), rtol=1e-5, atol=1e-5)
    assert chosen.seed == 1
    assert tuple(theirs.config.id2label.values()) == ledger.study.labels


def test_what_d2l_finds(ledger, tmp_path):
    export(ledger, D2L, tmp_path / "model")
    words = json.loads((tmp_path / "model" / "vocab.json").read_text())
    tensors = torch.load(tmp_path / "model" / "pretrained.params", weights_only=True)
    assert tensors["encoder.token_embedding.weight"].shape == (len(words), 32)
    model, tokenizer = load(tmp_path / "model")
    assert str(model.parts.size) == "2x32/64/2"
    assert tokenizer.get_vocab() == {word: number for number, word in enumerate(words)}


# Which trial


def changed(ledger, folder, validation):
    """A copy of the ledger in which the seeds of the first variant have these accuracies on validation."""
    copy = Ledger(shutil.copytree(ledger.folder, folder))
    variant = copy.study.variants[0]
    for key, accuracy in zip(variant.trials.values(), validation, strict=True):
        path = copy.trial(key).folder / "result.json"
        result = unsealed(path)
        result["validation"] = {"loss": 1.0, "accuracy": accuracy}
        path.write_text(json.dumps(result))
    return copy, variant


@pytest.mark.parametrize(("validation", "best"), [((0.4, 0.5), 1), ((0.5, 0.4), 0), ((0.5, 0.5), 0)])
def test_the_best_seed_on_validation(ledger, tmp_path, validation, best):
    copy, variant = changed(ledger, tmp_path / "copy", validation)
    chosen = choose(copy, variant, None)
    assert (chosen.seed, chosen.result.validation.accuracy, chosen.seeds) == (best, max(validation), 2)
    assert choose(copy, variant, 1 - best).seed == 1 - best
    copy.trial(variant.trials[best]).weights.unlink()
    assert choose(copy, variant, None).seed == 1 - best  # of those that have weights
    with pytest.raises(InputError, match=f"no weights were kept of {HF}, seed {best}; set keep_weights"):
        choose(copy, variant, best)


def test_weights_that_were_not_kept_are_when_the_study_says_so(home, tmp_path, capsys, sentence):
    """In bf16, so that predictions follow the precision of the training, too."""
    grid = '[grid]\ntruncation = ["longest_first"]\nseeds = 1\n'
    small = STUDY[: STUDY.index("[grid]")].replace("fp32", "bf16") + grid
    without = small.replace("keep_weights = true\n", "")
    out = tmp_path / "out"
    run(home, without, out=out)
    before = {path.parent.name: path.read_bytes() for path in out.glob("trials/*/predictions.npz")}
    said = sentence("export", out, "longest_first", tmp_path / "model")
    assert said == (
        f"{out}: no weights were kept of longest_first; "
        "set keep_weights = true at the top of the study file and run it again"
    )
    (home / "study.toml").write_text(small)
    study = load_study(home / "study.toml")
    planned = plan_text(make_plan(prepare(study, home)), Ledger(out))
    assert "1 finished trials are trained again, as their weights were not kept." in planned
    _, outcome = run(home, small, out=out)
    assert (outcome.done_now, outcome.done_before) == (1, 0)
    assert {path.parent.name: path.read_bytes() for path in out.glob("trials/*/predictions.npz")} == before
    _, outcome = run(home, small, out=out)
    assert (outcome.done_now, outcome.done_before) == (0, 1)
    chosen, _ = export(Ledger(out), "0", tmp_path / "model")
    rows, classifier = rows_of(home), read(tmp_path / "model")
    assert classifier.precision == "bf16"
    found = predict(classifier, [row["a"] for row in rows], [row["b"] for row in rows])
    np.testing.assert_allclose(found.probabilities, stored(Ledger(out), chosen), rtol=0, atol=1e-6)
    capsys.readouterr()


# What is wrong


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["longest_first, activation gelo, embedding_norm True"],
            f"(did you mean '{HF}'?); give a name, or a num",
        ),
        (["4"], "there is no variant '4' (known: "),
        ([HF, "--format", "h5"], "format 'h5' is unknown; did you mean 'hf'?"),
        ([HF, "--seed", "2"], f"--seed 2: {HF} was not trained with it, known: 0, 1"),
        ([HF, "--format", "d2l"], "embedding_norm = false; train with that, or take format 'hf'"),
        (
            [D2L, "--format", "hf"],
            "format 'hf' needs embedding_norm = true; train with that, or take format 'd2l'",
        ),
    ],
)
def test_a_wrong_export(ledger, tmp_path, sentence, arguments, message):
    variant, *options = arguments
    assert message in sentence("export", ledger.folder, variant, tmp_path / "model", *options)
    assert list(tmp_path.iterdir()) == []


def test_where_a_model_cannot_go(ledger, tmp_path, sentence):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").touch()
    said = sentence("export", ledger.folder, HF, tmp_path / "mine")
    assert said == f"{tmp_path}/mine: holds files already; name another folder, or empty it"
    said = sentence("export", ledger.folder, HF, tmp_path / "mine" / "thesis.txt")
    assert said == f"{tmp_path}/mine/thesis.txt: is a file; name a new folder"
    said = sentence("export", ledger.folder, HF, tmp_path / "mine" / "thesis.txt" / "model")
    assert said.endswith("cannot be written (File exists); name another folder")
    (tmp_path / "empty").mkdir()
    export(ledger, HF, tmp_path / "empty")
    assert (tmp_path / "empty" / "trimtab.json").exists()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["empty", "mine"]


def test_a_ledger_that_lacks_something(ledger, tmp_path, sentence):
    assert "holds no results; name the folder of a study" in sentence(
        "export", tmp_path / "no", HF, tmp_path / "m"
    )
    copy = shutil.copytree(ledger.folder, tmp_path / "copy")
    [tokenizer] = (copy / "tokenizers").glob("*.json")
    tokenizer.write_text("{")
    said = sentence("export", copy, HF, tmp_path / "model")
    assert said.startswith(f"{tokenizer}: cannot be read (")
    assert said.endswith(f"; delete {tokenizer} and run the study again")
    study = unsealed(copy / "study.json")
    for row in study["variants"]:
        row["kept_tokenizer"] = None
    (copy / "study.json").write_text(json.dumps(study))
    said = sentence("export", copy, HF, tmp_path / "model")
    assert said.startswith(f"{copy}: keeps no tokeniser of {HF}; set keep_weights = true")
    weights = Ledger(copy).trial(study["variants"][0]["trials"]["0"]).weights
    (copy / "study.json").write_bytes((ledger.folder / "study.json").read_bytes())
    shutil.copy(next((ledger.folder / "tokenizers").glob("*.json")), tokenizer)
    weights.write_bytes(weights.read_bytes()[:-9])
    assert f"{weights}: " in sentence("export", copy, HF, tmp_path / "model", "--seed", "0")
    assert [path.name for path in tmp_path.iterdir()] == ["copy"]


# Predicting


@pytest.fixture(scope="module")
def model(ledger, tmp_path_factory):
    folder = tmp_path_factory.mktemp("exported") / "model"
    export(ledger, SALIENT, folder)
    return folder


def change(folder, **changed):
    path = folder / "trimtab.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changed))
    return folder


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "test.csv: --first is missing; name the column of the first text: a, b, l"),
        (["--first", "a"], "the model was trained on pairs; name the second texts' column too (--second)"),
        (["--first", "a", "--second", "bb"], "no column 'bb' in the header, "),
        ([*COLUMNS, "--out", "labels.txt"], "--out: labels.txt does not end in .csv; name it so"),
        (
            [*COLUMNS, "--out", "nowhere/labels.csv"],
            "--out: there is no folder nowhere; make it, or name another",
        ),
    ],
)
def test_a_wrong_prediction(home, model, sentence, arguments, message):
    assert message in sentence("predict", model, "test.csv", "--data", home, *arguments)


@pytest.mark.parametrize(
    ("said", "message"),
    [
        (
            {"max_len": 513},
            "max_len 513 exceeds the 512 positions of the weights; use at most 512",
        ),
        ({"max_len": "12"}, "max_len = '12' is wrong; it should be a whole number"),
        ({"max_len": 3}, "max_len 3 leaves no room beside the special tokens; use 4 or more"),
        ({"labels": ["a"]}, "names 1 labels, and the head has 3 outputs; export the model again"),
        (
            {"truncation": "ratoi"},
            "trimtab.json: truncation 'ratoi': no split is called 'ratoi'; did you mean 'ratio'?",
        ),
        ({"texts": 1}, "the model was trained on single texts; leave out the second ones (--second)"),
        ({"precision": "fp8"}, "precision = 'fp8' is wrong"),
    ],
)
def test_a_folder_that_says_what_cannot_be(home, model, tmp_path, sentence, said, message):
    folder = change(shutil.copytree(model, tmp_path / "model"), **said)
    assert message in sentence("predict", folder, "test.csv", "--data", home, *COLUMNS)


def test_a_folder_that_lacks_something(home, model, tmp_path, sentence):
    command = ["test.csv", "--data", home, *COLUMNS]
    assert "there is no such folder; name one that trimtab export" in sentence(
        "predict", tmp_path / "no", *command
    )
    folder = shutil.copytree(model, tmp_path / "model")
    (folder / "document_frequencies.npy").unlink()
    said = sentence("predict", folder, *command)
    assert said == (
        f"{folder}/document_frequencies.npy: cannot be read, which ratio+salient needs "
        "(No such file or directory); export the model again"
    )
    (folder / "trimtab.json").write_text("[]")
    assert "trimtab.json: is not a JSON object; export the model again" in sentence(
        "predict", folder, *command
    )


def other(folder, classes):
    """A folder that someone else has made, for texts of up to 10 tokens."""
    size = architecture("1x16/16/2", positions=10)
    tokenizer = build("words", ["a few words of mine"], min_freq=1)
    model = Bert(Parts(size, tokenizer.get_vocab_size(), classes=classes))
    initialise(model, 0, 0.3)
    weights_hf.write(folder, weights_of(model, size, ("no", "yes")[:classes]), tokenizer)
    return folder


def test_a_folder_of_another_s(tmp_path, capsys, sentence):
    folder, file = other(tmp_path / "model", 2), tmp_path / "mine.csv"
    file.write_text("text\n" + "a few words of mine \n" * 3 + "few words " * 9 + "\nnever heard of\n")
    assert main(["predict", str(folder), str(file), "--first", "text"]) == 0
    said = capsys.readouterr().out
    assert said.startswith(
        f"longest_first(tie=hf_fast), max_len 10, by default: {folder} does not record its truncation\n"
    )
    assert "5 rows: no " in said
    assert " % of the tokens are words that the vocabulary lacks." in said
    assert "p(no)" in said
    # With the labels of the file, how many are right.
    chosen = ["no", "yes"][predict(read(folder), ["a few words of mine"]).chosen[0]]
    file.write_text("text,label\n" + f"a few words of mine,{chosen}\n" * 3 + "a few words of mine,no\n" * 2)
    assert main(["predict", str(folder), str(file), "--first", "text", "--label", "label"]) == 0
    expected = "100.00 % (5 of 5 rows right)" if chosen == "no" else "60.00 % (3 of 5 rows right)"
    assert f"accuracy {expected}; always saying " in capsys.readouterr().out
    file.write_text("text,label\na few words,perhaps\n")
    assert sentence("predict", folder, file, "--first", "text", "--label", "label") == (
        f"{file}: label 'perhaps' is none of the model's, which are no, yes; correct the labels, or name "
        "another column"
    )
    found = predict(read(folder), ["few words " * 9, "few words " * 4])
    np.testing.assert_array_equal(found.probabilities[0], found.probabilities[1])  # cut to the same
    assert sentence("predict", other(tmp_path / "none", 0), file, "--first", "text") == (
        f"{tmp_path}/none: has no classification head; name a classifier, such as trimtab export writes"
    )
    assert sentence("predict", other(tmp_path / "one", 1), file, "--first", "text", "--label", "label") == (
        "--label: the model gives a score to each row and no labels; leave --label out"
    )
