"""A study with windows, from plan to prediction: what they cost, and which trials are the same."""

import csv
import json

import numpy as np
import pytest
from scipy.special import softmax

from trimtab.analysis.analysis import analyse
from trimtab.analysis.equal_tokens import equal_tokens_rows
from trimtab.cli import main
from trimtab.config import InputError
from trimtab.data.readers import read
from trimtab.ledger import Ledger
from trimtab.plan.plan import plan_study
from trimtab.report.plan import plan_text
from trimtab.run.runner import run
from trimtab.study import load

pytestmark = pytest.mark.integration

STUDY = """\
question = "What do windows cost?"
keep_weights = true
[data]
reader = "probe"
train = 160
test = 40
first_length = [3, 5]
second_length = [10, 30]
evidence = "uniform"
[base]
size = "1x16/16/2"
epochs = 1
precision = "fp32"
[grid]
truncation = ["longest_first", "first_priority"]
max_len = [16, 48]
windows = ["none", "second(stride=0.5, pooling=max)", "second(stride=0.5, pooling=first)"]
seeds = 1
[compare]
cross = true
margin = 0.01
"""


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    folder = tmp_path_factory.mktemp("windows")
    (folder / "study.toml").write_text(STUDY)
    return load(folder / "study.toml")


@pytest.fixture(scope="module")
def home(study, session_cache, tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TRIMTAB_CACHE", str(session_cache))
        patch.delenv("TRIMTAB_DATA", raising=False)
        outcome = run(study, out=tmp_path_factory.mktemp("out"), device="cpu", jobs=1)
    assert not outcome.failures
    return outcome.folder


def names_of(variants):
    return {variant.number: variant.name for variant in variants}


@pytest.mark.usefixtures("own_environment")
def test_the_plan_counts_all_windows(study, tmp_path):
    plan = plan_study(study)
    by_name = {variant.name: variant for variant in plan.variants}
    windowed = by_name["longest_first, max_len 16, windows second(stride=0.5, pooling=max)"]
    train = plan.dataset.splits["train"]
    first, second, room = train.first.lengths, train.second.lengths, 13
    windows = []
    for a, b in zip(first.tolist(), second.tolist(), strict=True):
        space = room - a
        step = max(1, int(0.5 * space + 0.5))
        windows.append(1 if a + b <= room else 1 + -(-(b - space) // step))
    inputs = windowed.inputs["train"]
    assert inputs.windows == pytest.approx(np.mean(windows))
    tokens = [16 * n if n > 1 else a + b + 3 for n, a, b in zip(windows, first, second, strict=True)]
    assert inputs.tokens == pytest.approx(np.mean(tokens))
    assert inputs.longest == 16
    assert inputs.audit.cut == 0
    assert not windowed.inputs.hardly_cut
    assert windowed.inputs["test"].ceilings["accuracy"] == 1
    assert by_name["longest_first, max_len 16, windows none"].inputs["test"].ceilings["accuracy"] < 1
    # The truncation does not matter, and where nothing is cut neither do windows; FirstP is a cut.
    first_of = {variant.name: plan.variants[variant.same_as].name for variant in plan.variants}
    assert first_of["first_priority, max_len 16, windows second(stride=0.5, pooling=max)"] == windowed.name
    uncut = "longest_first, max_len 48, windows none"
    assert {first_of[name] for name in first_of if "max_len 48" in name} == {uncut}
    for name in ("first_priority, max_len 16, windows none", windowed.name.replace("=max", "=first")):
        assert first_of[name] == "longest_first, max_len 16, windows none"
    assert "windows per row" in plan_text(plan, Ledger(tmp_path))


def test_the_ledger_and_the_report(home):
    ledger = Ledger(home)
    by_name = {variant.name: variant for variant in ledger.study.variants}
    windowed = by_name["longest_first, max_len 16, windows second(stride=0.5, pooling=max)"]
    assert windowed.windows == "second(stride=0.5, pooling=max)"
    assert windowed.windows_per_row["train"] > 2
    [test] = analyse(ledger).tests
    rows = equal_tokens_rows(test.means)
    assert {row.variant.name for row in rows} == {
        f"{cut}, max_len 16, windows second(stride=0.5, pooling=max)"
        for cut in ("longest_first", "first_priority")
    }
    uncut = by_name["longest_first, max_len 48, windows none"]
    for row in rows:
        assert row.rival_tokens <= row.tokens
        assert row.tokens == windowed.tokens["train"]
        best = max(
            mean.estimate.mean
            for mean in test.means
            if mean.variant.tokens["train"] <= row.tokens
            and not mean.variant.windows_per_row.get("train", 1) > 1
        )
        assert row.rival_mean == best
        assert uncut.tokens["train"] < row.tokens
    assert main(["report", str(home)]) == 0
    assert (home / "tables" / "equal-tokens-test.csv").is_file()
    assert "Windows at equal tokens" in (home / "report.html").read_text()


def test_an_export_predicts_with_its_windows(home, tmp_path, capsys):
    folder, table, out = tmp_path / "model", tmp_path / "rows.csv", tmp_path / "out.csv"
    name = "longest_first, max_len 16, windows second(stride=0.5, pooling=max)"
    assert main(["export", str(home), name, str(folder)]) == 0
    assert json.loads((folder / "trimtab.json").read_text())["windows"] == "second(stride=0.5, pooling=max)"
    options = {"train": 160, "test": 40, "first_length": [3, 5], "second_length": [10, 30]}
    examples = read("probe", "test", **options, evidence="uniform")
    with table.open("w", newline="") as file:
        csv.writer(file).writerows([("a", "b"), *zip(examples.first, examples.second, strict=True)])
    words = ["predict", str(folder), str(table), "--first", "a", "--second", "b", "--out", str(out)]
    assert main(words) == 0
    assert "longest_first, max_len 16, windows second(stride=0.5, pooling=max)" in capsys.readouterr().out
    with out.open(newline="") as file:
        found = [[float(row[key]) for key in row if key.startswith("p_")] for row in csv.DictReader(file)]
    ledger = Ledger(home)
    variant = next(one for one in ledger.study.variants if one.name == name)
    [key] = variant.trials.values()
    expected = softmax(ledger.trial(key).predictions("test").astype(np.float64), axis=1)
    np.testing.assert_allclose(found, expected, atol=1e-5)


@pytest.mark.usefixtures("own_environment")
def test_show_names_each_window(study, capsys, tmp_path):
    (tmp_path / "study.toml").write_text(STUDY)
    assert main(["show", str(tmp_path / "study.toml"), "--row", "0"]) == 0
    said = capsys.readouterr().out
    assert "window 1 of " in said
    assert ", with the decisive word" in said
    assert main(["audit", str(tmp_path / "study.toml")]) == 0
    assert "windows per row" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("stride=0.5, pooling=first", "stride=2", "stride must be over 0 and at most 1, not 2.0"),
        ("pooling=first", "pooling=last", "pooling cannot be 'last'; known: first, max, mean"),
        ("[16, 48]", "[16, 600]", "max_len 600 is over the 512 rows of the position table"),
    ],
)
def test_wrong_windows_in_a_study(tmp_path, old, new, message):
    (tmp_path / "study.toml").write_text(STUDY.replace(old, new))
    with pytest.raises(InputError) as raised:
        load(tmp_path / "study.toml")
    assert message in str(raised.value)


@pytest.mark.usefixtures("own_environment")
def test_a_first_text_without_room_is_refused_in_the_plan(tmp_path):
    (tmp_path / "study.toml").write_text(STUDY.replace("[16, 48]", "[7, 48]"))
    with pytest.raises(InputError, match=r"max_len 7, windows second.*: train: windows keep the first text"):
        plan_study(load(tmp_path / "study.toml"))
