"""Every score from a ledger, against plain loops over its predictions."""

import math

import numpy as np
import pytest

from trimtab.analysis.analysis import analyse
from trimtab.config import InputError
from trimtab.statistics import SCORES, compare, mean_interval

VARIANTS, SEEDS, EXAMPLES, CLASSES = 3, 3, 36, 3
LABELS = np.arange(EXAMPLES) % CLASSES
OF_CLASSES = [name for name, score in SCORES.items() if score.target == "classes"]


def softmax(row):
    powers = [math.exp(value - max(row)) for value in row]
    return [power / sum(powers) for power in powers]


def naive_accuracy(logits, labels):
    right = [max(range(CLASSES), key=lambda c: row[c]) == y for row, y in zip(logits, labels, strict=True)]
    return sum(right) / len(labels)


def naive_log_loss(logits, labels):
    return sum(math.log(softmax(row)[y]) for row, y in zip(logits, labels, strict=True)) / len(labels)


def naive_brier(logits, labels):
    return -sum(
        sum((p - (c == y)) ** 2 for c, p in enumerate(softmax(row)))
        for row, y in zip(logits, labels, strict=True)
    ) / len(labels)


def naive_matthews(logits, labels):
    """The correlation of two tables of one column a class."""
    said = [np.eye(CLASSES)[np.argmax(row)] for row in logits]
    true = [np.eye(CLASSES)[y] for y in labels]

    def covariance(one, other):
        one, other = np.array(one), np.array(other)
        return ((one - one.mean(axis=0)) * (other - other.mean(axis=0))).sum()

    return covariance(said, true) / math.sqrt(covariance(said, said) * covariance(true, true))


def naive_macro_f1(logits, labels):
    said = [int(np.argmax(row)) for row in logits]
    found = []
    for c in range(CLASSES):
        right = sum(a == b == c for a, b in zip(said, labels, strict=True))
        found.append(2 * right / (said.count(c) + list(labels).count(c)))
    return sum(found) / CLASSES


def naive_calibration_error(logits, labels):
    bins = {}
    for row, y in zip(logits, labels, strict=True):
        shares = softmax(row)
        sure = max(shares)
        bins.setdefault(math.ceil(sure * 15), []).append((shares.index(sure) == y) - sure)
    return -sum(abs(sum(gaps)) for gaps in bins.values()) / len(labels)


def naive_fnc1(logits, labels):
    """The challenge's own loop, the last class being 'unrelated': credit by credit."""
    score, most = 0.0, 0.0
    for row, y in zip(logits, labels, strict=True):
        said = int(np.argmax(row))
        if said == y:
            score += 0.25 if y == CLASSES - 1 else 0.75
        if said != CLASSES - 1 and y != CLASSES - 1:
            score += 0.25
        most += 0.25 if y == CLASSES - 1 else 1.0
    return score / most


NAIVE = {name.removeprefix("naive_"): value for name, value in globals().items() if name.startswith("naive_")}


def pseudo_values(theta, logits, labels):
    """N theta - (N - 1) theta without one, for each; for a mean over examples its own terms."""
    n, whole = len(labels), theta(logits, labels)
    rest = [theta(np.delete(logits, i, axis=0), np.delete(labels, i)) for i in range(n)]
    return [n * whole - (n - 1) * one for one in rest]


@pytest.fixture(scope="module")
def logits():
    rng = np.random.default_rng(11)
    drawn = rng.normal(size=(VARIANTS, SEEDS, EXAMPLES, CLASSES))
    strength = np.array([0.8, 1.2, 2.5])[:, None, None, None]
    return (drawn + strength * np.eye(CLASSES)[LABELS]).astype(np.float32)


@pytest.fixture
def made(tmp_path, handmade, logits):
    """made(score, **options): the analysis, on the test set 'test', of a ledger of these predictions."""

    def analysed(score, **options):
        right = logits.argmax(axis=3) == LABELS
        given = {"logits": {"test": logits}, "score": score} | options
        [test] = analyse(handmade.write(tmp_path / str(score), {"test": right}, **given)).tests
        return test

    return analysed


def tables(name, logits, where=slice(None)):
    """Naive values (variants, seeds, examples) on a part of the test set."""
    return np.array(
        [
            [pseudo_values(NAIVE[name], one[where].astype(float), LABELS[where]) for one in seeds]
            for seeds in logits
        ]
    )


def test_there_is_an_oracle_for_each():
    assert NAIVE.keys() == set(OF_CLASSES)


@pytest.mark.parametrize("name", OF_CLASSES)
def test_a_study_judged_by_it(made, logits, name):
    test, values = made(name, margin=0.5), tables(name, logits)
    assert test.score == name
    np.testing.assert_allclose([row.estimate.mean for row in test.means], values.mean(axis=(1, 2)), rtol=1e-5)
    np.testing.assert_allclose([row.by_seed for row in test.means], values.mean(axis=2), rtol=1e-5)
    contrasts = compare(values, margin=0.5, bounded=name == "accuracy")
    for row, expected in zip(test.contrasts, contrasts, strict=True):
        keys = ("delta", "ci_low", "ci_high", "p_adjusted", "p_equivalence")
        found, wanted = [getattr(row.contrast, key) for key in keys], [getattr(expected, key) for key in keys]
        np.testing.assert_allclose(found, wanted, rtol=1e-4, atol=1e-9)
        assert row.contrast.verdict == expected.verdict


@pytest.mark.parametrize("name", OF_CLASSES)
def test_on_the_examples_cut_differently_it_is_computed_anew(made, logits, name):
    test, values = made(name), tables(name, logits, slice(1, None))  # the first example is cut by none
    for row, expected in zip(test.affected, compare(values, margin=0.01, bounded=False), strict=True):
        np.testing.assert_allclose(row.mean, values[row.variant.number].mean(), rtol=1e-5)
        np.testing.assert_allclose(row.contrast.ci_low, expected.ci_low, rtol=1e-4)
        assert row.share == 35 / 36


@pytest.mark.parametrize("name", ["accuracy", "matthews", "log_loss"])
def test_every_other_score_stands_beside(made, logits, name):
    test = made(name)
    others = set(OF_CLASSES) - {name, "fnc1"}  # which is for other labels than these
    assert all(row.estimates.keys() == others for row in test.others)
    for other in others:
        for row, values in zip(test.others, tables(other, logits), strict=True):
            expected = mean_interval(values)
            estimate = row.estimates[other]
            found = [estimate.mean, estimate.ci_low, estimate.ci_high]
            ends = [expected.ci_low, expected.ci_high]
            if not SCORES[other].has_interval(values.shape[1]):
                ends = [np.nan, np.nan]
            np.testing.assert_allclose(found, [expected.mean, *ends], rtol=1e-4)


def test_models_met_by_another_cut(made, logits):
    crossed = np.random.default_rng(5).normal(size=(VARIANTS, *logits.shape)).astype(np.float32)
    right = crossed.argmax(axis=4) == LABELS
    cross = made("matthews", cross={"test": right}, cross_logits={"test": crossed}).cross
    for number, row in enumerate(cross.models):
        for other, mean in enumerate(row.means):
            said = logits[number] if other == number else crossed[number, other]
            np.testing.assert_allclose(mean, tables("matthews", said[None]).mean(), rtol=1e-5)


def test_a_ceiling_is_one_of_accuracy(made):
    assert made("matthews", ceilings=[0.5] * 3).means[0].ceiling is None
    assert made("accuracy", ceilings=[0.5] * 3).means[0].ceiling == 0.5


def test_clusters_count_by_any_score(made, logits):
    clusters = np.arange(EXAMPLES) // 4
    test = made("matthews", clusters={"test": clusters})
    expected = compare(tables("matthews", logits), clusters=clusters, margin=0.01, bounded=False)
    np.testing.assert_allclose(test.contrasts[1].contrast.ci_low, expected[1].ci_low, rtol=1e-4)


def test_a_prediction_that_is_no_number_names_its_trial(made, logits):
    broken = logits.copy()
    broken[1, 2, 7, 0] = np.nan
    with pytest.raises(InputError, match=r"trial-1-2.*its logits of example 7 are nan or infinite"):
        made("accuracy", logits={"test": broken})


# One seed.


def exact(won, lost):
    """Both tails of won + lost throws of a fair coin, by counting."""
    seen, fewer = won + lost, min(won, lost)
    return min(1.0, 2 * sum(math.comb(seen, k) for k in range(fewer + 1)) / 2**seen)


@pytest.mark.parametrize("score", ["accuracy", "matthews"])
def test_mcnemar_of_the_checkpoints_of_one_seed(tmp_path, handmade, logits, score):
    right = logits[:, :1].argmax(axis=3) == LABELS
    given = {"logits": {"test": logits[:, :1]}, "score": score}
    [test] = analyse(handmade.write(tmp_path / "one", {"test": right}, **given)).tests
    assert [row.variant.number for row in test.checkpoints] == [1, 2]
    for row in test.checkpoints:
        one, other = right[row.variant.number, 0], right[0, 0]
        won = sum(bool(a and not b) for a, b in zip(one, other, strict=True))
        lost = sum(bool(b and not a) for a, b in zip(one, other, strict=True))
        assert (row.test.won, row.test.lost) == (won, lost)
        np.testing.assert_allclose(row.test.estimate, (won - lost) / EXAMPLES)
        np.testing.assert_allclose(row.test.p, exact(won, lost))
        assert row.test.question.startswith("do these two checkpoints differ")


def test_several_seeds_offer_no_mcnemar(made):
    assert made("accuracy").checkpoints == []


def test_identical_inputs_are_no_two_checkpoints(tmp_path, handmade, logits):
    right = logits[:, :1].argmax(axis=3) == LABELS
    [test] = analyse(handmade.write(tmp_path / "one", {"test": right}, same=[0, 0, 2])).tests
    assert [row.variant.number for row in test.checkpoints] == [2]
