"""What a study comes to: the kind of answer, and that models which guess are never recommended."""

import numpy as np
import pytest
from scipy import stats

from trimtab.analysis.analysis import analyse

SEEDS, ROWS = 4, 600


def rights(*rates, seed=0, seeds=SEEDS):
    """Scores (variants, seeds, rows) that are right at these rates."""
    return np.random.default_rng(seed).random((len(rates), seeds, ROWS)) < np.array(rates)[:, None, None]


@pytest.fixture
def answered(tmp_path, handmade):
    def analysed(scores, margin=0.05, **options):
        [test] = analyse(handmade.write(tmp_path / "made", {"test": scores}, margin=margin, **options)).tests
        return test

    return analysed


def test_take(answered):
    found = answered(rights(0.97, 0.97, 0.5), rates=[100, 200, 300]).answer
    assert found.kind == "take"
    assert found.recommendation.candidate.variant.number == 1
    assert found.best.variant.number in (0, 1)


def test_models_that_guess_are_never_recommended(answered):
    """One class for every row, or a coin: equally bad variants are not inferior to each other."""
    always = np.broadcast_to(np.arange(ROWS) % 3 == 0, (3, SEEDS, ROWS))
    for scores in (always, rights(1 / 3, 1 / 3, 1 / 3)):
        test = answered(scores)
        assert (test.answer.kind, test.learned) == ("nothing learned", False)
        assert not test.recommendation.named


def test_one_variant_that_learned_is_enough(answered):
    test = answered(rights(1 / 3, 1 / 3, 0.6))
    assert (test.answer.kind, test.learned) == ("take", True)


@pytest.mark.parametrize("rate", [0.36, 0.38, 0.40, 0.42])
def test_learned_is_a_t_test_with_holm(answered, rate):
    """Against scipy's t distribution on the estimates, which have their own oracle."""
    test = answered(rights(1 / 3, rate, 1 / 3, seed=7))
    p = [
        stats.t.sf((row.estimate.mean - test.prior_baseline) / row.estimate.se, row.estimate.df)
        for row in test.means
    ]
    assert test.learned == (min(p) * len(p) < 0.05)


def test_few_seeds_and_few_variants(answered):
    assert answered(rights(0.9, 0.5, seeds=1)).answer.kind == "one seed"
    assert answered(rights(0.9)).answer.kind == "nothing to choose"
    assert answered(rights(0.9, 0.9), replicas=True).answer.kind == "nothing to choose"


def test_savings_are_shares_of_the_dearest(tmp_path, handmade, answered):
    found = answered(rights(0.9, 0.9), rates=[100, 200])
    # Every trial of a made ledger trains for two seconds, so that nothing is saved.
    assert found.answer.savings is None or found.answer.savings.seconds == 1.0


def test_what_would_settle_is_the_open_contrast_of_the_fewest_seeds(answered):
    test = answered(rights(0.80, 0.78, 0.72, seed=3), margin=0.005)
    known = [row.chances.enough for row in test.contrasts if row.chances and row.chances.enough]
    assert test.answer.kind == "undecided"
    assert known
    assert test.answer.to_settle.chances.enough == min(known)


def test_where_no_number_of_seeds_will_do_the_likeliest_contrast_is_named(answered):
    test = answered(rights(0.80, 0.795, 0.785, seed=3), margin=0.005)
    rows = [row for row in test.contrasts if row.chances]
    assert not any(row.chances.enough for row in rows)
    assert test.answer.to_settle.chances.at(8) == max(row.chances.at(8) for row in rows)
