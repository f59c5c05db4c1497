"""The recommendation, against one-sided tests of every pair by hand, and in cases with a known answer."""

from itertools import count

import numpy as np
import pytest
from scipy import stats

from trimtab.analysis.analysis import analyse
from trimtab.statistics import compare, holm

pytestmark = pytest.mark.integration

SEEDS, EXAMPLES = 5, 4000


def alike(rates, seed=0, seeds=SEEDS, examples=EXAMPLES):
    """Scores whose variants are right on nested sets of examples, so that small differences show."""
    rng = np.random.default_rng(seed)
    level = rng.random(examples) + 0.01 * rng.standard_normal((len(rates), seeds, examples))
    return level < np.asarray(rates)[:, None, None]


@pytest.fixture
def recommended(tmp_path, handmade):
    folders = (tmp_path / str(number) for number in count())

    def made(scores, **options):
        [test] = analyse(handmade.write(next(folders), {"test": scores}, **options)).tests
        return test.recommendation

    return made


def test_the_cheapest_of_those_not_inferior(recommended):
    scores = alike([0.8, 0.799, 0.7, 0.8])
    found = recommended(scores, rates=[100, 300, 900, 200])
    assert found.named
    assert found.candidate.variant.name == "t1, max_len 8"
    assert found.candidate.examples_per_second == 300
    assert (found.compared, found.fewest_seeds) == (4, SEEDS)
    # A margin of less than what it loses leaves only those that lose nothing.
    found = recommended(alike([0.8, 0.796, 0.7, 0.8]), rates=[100, 300, 900, 200], margin=0.003)
    assert found.candidate.variant.name == "t3, max_len 8"


def test_p_is_the_largest_over_all_others_adjusted_over_all_candidates(recommended):
    rng = np.random.default_rng(3)
    scores = rng.random((4, SEEDS, 2000)) < np.array([0.70, 0.705, 0.69, 0.5])[:, None, None]
    found = recommended(scores, margin=0.05)
    p = np.zeros((4, 4))
    for one in range(4):
        for other in set(range(4)) - {one}:
            [contrast] = compare(scores, [(one, other)])
            # What is missing to the margin may come from examples that were not seen to differ.
            unseen = (max(0.05 - abs(contrast.delta), 0) + 1 / 2000) / 2000
            se = np.sqrt(contrast.se**2 + unseen)
            p[one, other] = stats.t.sf((contrast.delta + 0.05) / se, contrast.df)
    adjusted = holm(p.max(axis=1))
    number = found.candidate.variant.number
    np.testing.assert_allclose(found.p, adjusted[number])
    assert found.named == (adjusted[number] < 0.05)
    hardest = int(p[number].argmax())
    assert found.hardest.baseline.name == f"t{hardest}, max_len 8"
    np.testing.assert_allclose(found.hardest.contrast.delta, scores[number].mean() - scores[hardest].mean())
    assert found.best.mean == max(scores.mean(axis=(1, 2)))


def test_a_rival_that_is_not_known_well_forbids_a_name(recommended):
    """The third variant's mean is the lowest, but its seeds differ so that it may well be the best."""
    scores = alike([0.8, 0.8, 0.79])
    scores[2] = alike([0.9, 0.95, 0.5, 0.6, 0.95], seed=1, seeds=1)[:, 0]
    found = recommended(scores)
    assert not found.named
    assert found.hardest.baseline.name == "t2, max_len 8"
    assert recommended(scores[:2]).named


def test_equals_are_told_apart_by_memory_and_identical_ones_are_named(recommended):
    found = recommended(alike([0.8, 0.8, 0.6]), same=[0, 0, 2])
    assert found.candidate.variant.number == 0
    assert [variant.number for variant in found.candidate.alike] == [1]
    assert found.compared == 2


@pytest.mark.parametrize("seeds", [1, 2])
def test_few_seeds(recommended, seeds):
    found = recommended(alike([0.8, 0.8, 0.5], seeds=seeds))
    assert found.fewest_seeds == seeds
    if seeds == 1:
        assert not found.named


def test_nothing_to_choose(recommended):
    assert recommended(alike([0.8])) is None
    assert recommended(alike([0.8, 0.8]), same=[0, 0]) is None
    assert recommended(alike([0.8, 0.8]), replicas=True) is None


def test_unlike_seeds_count_where_both_have_them(recommended):
    scores = alike([0.8, 0.8, 0.6])
    found = recommended(scores, missing=[(0, 0), (2, 1)], rates=[200, 100, 100])
    assert found.candidate.variant.name == "t0, max_len 8"
    assert found.fewest_seeds == SEEDS - 2
    # A variant that shares no seed may be better than any.
    none = [(2, seed) for seed in range(1, SEEDS)]
    found = recommended(scores, missing=[(0, 0), (1, 0), *none])
    assert (found.named, found.hardest) == (False, None)


def test_the_same_scores_everywhere(recommended):
    everywhere = np.broadcast_to(alike([0.8], seeds=1)[0, 0], (2, SEEDS, EXAMPLES))
    found = recommended(everywhere)
    assert found.named
    np.testing.assert_allclose(found.p, 2 * 0.99**EXAMPLES)
    assert not recommended(everywhere[:, :, :20]).named  # too few to show anything


def test_equal_variants_are_hardly_ever_inferior_yet_named(handmade, tmp_path):
    """At the edge, where one is worse by just the margin, the wrong one is named in few of many studies."""
    rng = np.random.default_rng(11)
    wrong = 0
    for number in range(30):
        share = 0.7 - 0.02 * np.arange(2)[:, None, None] + 0.01 * rng.standard_normal((2, SEEDS, 1))
        folder = tmp_path / str(number)
        ledger = handmade.write(
            folder, {"test": rng.random((2, SEEDS, 500)) < share}, rates=[1, 9], margin=0.02
        )
        found = analyse(ledger).tests[0].recommendation
        wrong += found.named and found.candidate.variant.name == "t1, max_len 8"
    assert wrong <= 5  # 5 % of 30 are 1.5, and more than 5 come once in three hundred times


def test_means_on_other_seeds_rule_nobody_out(recommended):
    """The first seed is bad for both; who lacks it has the better mean, but is no better."""
    rng = np.random.default_rng(5)
    level = rng.random(EXAMPLES)
    right = np.array([0.6, 0.8, 0.8, 0.8, 0.8])[:, None] > level
    scores = np.stack([right, right])
    found = recommended(scores, missing=[(0, 0)], rates=[100, 300])
    assert found.named
    assert found.candidate.variant.name == "t1, max_len 8"


def test_variants_that_have_finished_nothing_are_counted(recommended):
    found = recommended(alike([0.8, 0.8, 0.8]), missing=[(2, seed) for seed in range(SEEDS)])
    assert (found.compared, found.asked) == (2, 3)
