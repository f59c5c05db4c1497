"""Contrasts on the examples that are cut differently, against the comparison on those examples alone."""

import numpy as np
import pytest

from trimtab.analysis.affected import affected_rows
from trimtab.analysis.analysis import analyse
from trimtab.analysis.scores import Scores
from trimtab.statistics import SCORES, compare, holm

VARIANTS, SEEDS, EXAMPLES = 4, 5, 300
SETTINGS = {"alpha": 0.05, "margin": 0.01, "exploratory": False}


@pytest.fixture(scope="module")
def scores():
    rng = np.random.default_rng(3)
    return rng.random((VARIANTS, SEEDS, EXAMPLES)) < np.array([0.5, 0.55, 0.8, 0.3])[:, None, None]


@pytest.fixture(scope="module")
def digests():
    """Variants see 0, 100, 200 and 0 of the 300 examples otherwise than the first variant does."""
    shared = np.arange(EXAMPLES, dtype=np.uint64)
    return [shared + np.uint64(1000) * (shared < differ) for differ in (0, 100, 200, 0)]


def contrasts(paired=True):
    return [
        {
            "variant": number,
            "name": f"v{number}",
            "baseline": "v0",
            "baseline_number": 0,
            "verdict": "worse",
            "paired": paired,
            "seeds": list(range(SEEDS)),
        }
        for number in (1, 2, 3)
    ]


def rows_of(scores, digests, clusters=None, paired=True, **settings):
    return affected_rows(
        contrasts(paired), scores_of(scores), dict(enumerate(digests)), clusters, SETTINGS | settings
    )


def scores_of(tables):
    """Accuracies as given: two classes, of which the second is the label of all."""
    logits = {
        number: {seed: np.eye(2, dtype=np.float32)[right.astype(int)] for seed, right in enumerate(table)}
        for number, table in enumerate(tables)
    }
    return Scores(SCORES["accuracy"], np.ones(EXAMPLES, np.int64), logits)


@pytest.mark.parametrize("clusters", [None, np.arange(EXAMPLES) // 3])
@pytest.mark.parametrize("paired", [True, False])
def test_differences_are_those_of_the_comparison(scores, digests, clusters, paired):
    rows = rows_of(scores, digests, clusters, paired)
    assert [row["name"] for row in rows] == ["v1", "v2"]  # the last one cuts nothing otherwise
    for number, row in enumerate(rows, 1):
        mask = digests[number] != digests[0]
        cut = None if clusters is None else clusters[mask]
        both = scores[[0, number]][..., mask]
        [alone] = compare(both, clusters=cut, paired=paired, groups=[0, 1], margin=0.01)
        found = (row["delta"], row["ci_low"], row["ci_high"], row["share"])
        np.testing.assert_allclose(found, (alone.delta, alone.ci_low, alone.ci_high, mask.mean()), rtol=1e-12)


def test_a_row_says_how_many_pairs_and_how_right_both_are(scores, digests):
    one, two = rows_of(scores, digests)
    assert (one["pairs"], one["share"]) == (100, 1 / 3)
    assert (two["pairs"], two["share"]) == (200, 2 / 3)
    assert (two["mean"], two["baseline_mean"]) == (scores[2, :, :200].mean(), scores[0, :, :200].mean())
    assert (two["baseline"], two["baseline_number"], two["variant"]) == ("v0", 0, 2)


def test_p_is_adjusted_over_these_rows_alone(scores, digests):
    rows = rows_of(scores, digests)
    alone = [compare(scores[[0, n], :, : 100 * n], [(1, 0)], margin=0.01)[0] for n in (1, 2)]
    np.testing.assert_allclose([row["p"] for row in rows], [contrast.p for contrast in alone])
    adjusted = holm([contrast.p for contrast in alone])
    np.testing.assert_allclose([row["p_adjusted"] for row in rows], adjusted)
    assert rows[1]["verdict"] == "better"
    assert rows[0]["p_adjusted"] == rows[0]["p"] > rows[1]["p"]  # Holm's last step
    assert rows[1]["p_adjusted"] == 2 * rows[1]["p"]


def test_an_exploratory_study_controls_the_false_discovery_rate(scores, digests):
    twice, alike = scores[[0, 1, 1]], [digests[0], digests[1], digests[1]]
    for exploratory, factor in ((False, 2), (True, 1)):
        rows = affected_rows(
            contrasts()[:2],
            scores_of(twice),
            dict(enumerate(alike)),
            None,
            SETTINGS | {"exploratory": exploratory},
        )
        assert [row["p_adjusted"] for row in rows] == [min(1.0, factor * rows[0]["p"])] * 2


def test_verdicts_with_the_margin_of_the_study(digests):
    rng = np.random.default_rng(5)
    base = rng.random((SEEDS, EXAMPLES)) < 0.5
    worse = base & (rng.random((SEEDS, EXAMPLES)) < 0.5)
    rows = rows_of([base, worse, base, base], digests, margin=0.1)
    assert [row["verdict"] for row in rows] == ["worse", "equivalent"]
    # 200 equal scores are not enough to show that fewer than one in a thousand differ.
    assert rows_of([base, worse, base, base], digests, margin=0.001)[1]["verdict"] == "inconclusive"


def test_identical_inputs_have_no_row(tmp_path, handmade, scores):
    ledger = handmade.write(tmp_path, {"test": scores[:3]}, same=[0, 1, 0])
    [test] = analyse(ledger).tests
    assert [row["name"] for row in test.affected] == ["t1, max_len 8"]
    assert test.affected[0]["pairs"] == EXAMPLES - 1  # the first is cut by none
    assert [row["verdict"] for row in test.contrasts][1] == "identical"
    # What is secondary changes nothing in the first table.
    assert test.contrasts[0]["p_adjusted"] == test.contrasts[0]["p"]
