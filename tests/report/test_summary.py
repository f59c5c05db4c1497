"""What a report says in words: the recommendation, and what the contrasts rest on."""

import csv
import re

import pytest


@pytest.fixture
def ledger(tmp_path, handmade, scores):
    return handmade.write(tmp_path / "made", {"test": scores})


def rows(folder, name):
    with (folder / "tables" / f"{name}.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def test_the_recommendation_stands_first(ledger, reported):
    written = reported(ledger.folder)
    sentence = written.summary[0]
    assert sentence.startswith("Take: t2, max_len 8. It is the cheapest shown to be less than 1.00 points ")
    assert re.search(r"every other variant \(9\d\.\d\d %, 100 examples/s\): in the hardest", sentence)
    assert re.search(r"; it has the best mean; adjusted p 0\.00\d\d\.$", sentence)


@pytest.mark.integration
def test_no_recommendation_says_why(tmp_path, handmade, scores, reported):
    handmade.write(tmp_path / "noisy", {"test": scores[:2]})
    [sentence] = [line for line in reported(tmp_path / "noisy").summary if line.startswith("Undecided")]
    assert sentence.startswith("Undecided: no variant is shown to be less than 1.00 points ")
    assert re.search(r" against t0, max_len 8; it is at most [\d.]+ points worse than the best\.$", sentence)
    handmade.write(tmp_path / "one", {"test": scores[:, :1]})
    words = "rest on one seed, which permits no claim about strategies."
    assert reported(tmp_path / "one").summary[0].endswith(words)
    handmade.write(tmp_path / "apart", {"test": scores[[2, 2]]}, missing=[(0, 0), (0, 1), (1, 2), (1, 3)])
    written = reported(tmp_path / "apart")
    assert written.summary[0].endswith("every other variant. Some variants share no finished seed.")
    assert written.summary[1].endswith(
        "%. No declared contrast has a seed that both of its variants have finished."
    )
    page = written.path.read_text()
    assert "the two variants share no finished seed:\n\n* t1, max_len 8 against t0" in page


def test_what_contrasts_rest_on_stands_under_them(ledger, reported):
    page = reported(ledger.folder).path.read_text()
    signature = (
        "4 seeds; 60 examples in 60 clusters (effectively 60); crossed random effects of seeds and examples, "
        "two-sided t tests, paired by seed; Holm over the 2 contrasts that are tested; trimtab 0 (abc).\n"
    )
    assert signature in page
    table = page[: page.index(signature)].rstrip().rpartition("\n\n")[2]
    assert [cell.strip() for cell in table.splitlines()[0].split("|")[1:-1]] == [
        "variant",
        "against",
        "difference, points",
        "interval",
        "p of a difference",
        "p of equivalence",
        "verdict",
        "rows cut differently %",
        "chance by 8 seeds %",
        "seeds to settle",
    ]
    first, second = rows(ledger.folder, "contrasts-test")
    assert (first["verdict"], second["verdict"]) == ("inconclusive", "better")
    assert 0 <= float(first["chance"]) <= 1
    assert first["chance_seeds"] == "8"
    assert float(first["floor"]) >= 0
    assert second["chance"] == second["floor"] == ""


def test_replicas_are_unpaired_and_nothing_is_recommended(tmp_path, handmade, scores, reported):
    handmade.write(tmp_path, {"test": scores}, replicas=True)
    written = reported(tmp_path)
    assert written.summary[0].startswith("Nothing to choose: the best mean is that of ")
    assert "two-sided t tests, unpaired, across sizes or replicas; Holm" in written.path.read_text()
