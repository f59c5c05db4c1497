"""Reports of studies judged by another score than accuracy, and the secondary tables of every report."""

import csv

import numpy as np
import pytest


def rows(folder, name):
    with (folder / "tables" / f"{name}.csv").open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture
def page(tmp_path, handmade, scores, reported):
    """page(**options): the folder, the text and the summary of a report."""

    def written(**options):
        ledger = handmade.write(tmp_path / "made", {"test": scores}, **options)
        made = reported(ledger.folder)
        return ledger.folder, made.path.read_text(), made.summary

    return written


def test_matthews_in_its_own_words(page):
    folder, text, summary = page(score="matthews", margin=0.05)
    assert "## Matthews correlation on test" in text
    assert "| Matthews correlation   |" in text
    assert "| difference   |" in text
    assert "the difference is shown to lie within 0.0500 either way" in text
    assert "not a mean over examples" in text
    assert (folder / "tables" / "matthews-test.md").exists()
    assert not (folder / "tables" / "accuracy-test.md").exists()
    before = text[: text.index("## Throughput")]
    before = before[: before.index("### Other scores")]
    for word in ("accuracy", "Accuracy", "points", "ceiling"):
        assert word not in before
    assert "less than 0.0500 worse than every other variant" in summary[0]
    assert summary[1].startswith("Judged by Matthews correlation. ")
    assert summary[1] in text
    [row] = [row for row in rows(folder, "contrasts-test") if row["name"].startswith("t2")]
    better = next(line for line in summary if "is better than" in line)
    assert f"by {float(row['delta']):.4f} (+" in better


def test_log_loss_is_turned_and_in_nats(page):
    _, text, summary = page(score="log_loss", margin=0.05)
    assert "## Minus log loss on test" in text
    assert text.count("Minus log loss: the sign is flipped, so that higher is better.") == 1
    assert "difference, nats" in text
    assert "within 0.0500 nats either way" in text
    assert any(" nats (+" in line for line in summary)


def test_another_score_replaces_the_tables_and_figures_of_the_last(page):
    folder, _, _ = page()
    (folder / "figures").mkdir()
    (folder / "figures" / "accuracy-test.png").touch()
    page(score="macro_f1")
    assert not list(folder.glob("*/accuracy-test.*"))
    assert len(list(folder.glob("tables/macro_f1-test.*"))) == 4


def test_every_report_has_the_other_scores(page):
    folder, text, _ = page()
    part = text[text.index("### Other scores") :]
    for head in ("Matthews correlation", "macro F1 %", "minus log loss, nats", "minus calibration error %"):
        assert f"| {head} " in part
    [first, *_] = rows(folder, "other-scores-test")
    shown = (folder / "tables" / "other-scores-test.md").read_text()
    low, high = float(first["matthews_ci_low"]), float(first["matthews_ci_high"])
    assert f"{float(first['matthews_mean']):.4f} ({low:.4f} to {high:.4f})" in shown
    assert f"{float(first['matthews_mean']):.4f} (" in shown


def test_one_seed_is_offered_mcnemar(tmp_path, handmade, scores, reported):
    ledger = handmade.write(tmp_path / "one", {"test": scores[:, :1]})
    text = reported(ledger.folder).path.read_text()
    part = text[text.index("### The checkpoints of one seed") :]
    assert "permits no claim about strategies" in part
    assert "do these two checkpoints differ on examples like these?" in part
    right = np.asarray(scores)[:, 0]
    won, lost = (right[2] & ~right[0]).sum(), (right[0] & ~right[2]).sum()
    assert f"| {won}, {lost} " in part
    assert "none (" not in part


def test_several_seeds_are_not(page):
    assert "McNemar" not in page()[1]
