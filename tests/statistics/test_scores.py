import math
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trimtab.config import InputError
from trimtab.statistics import Truth, compare
from trimtab.statistics.class_scores import (
    accuracy,
    brier,
    calibration_error,
    fnc1,
    log_loss,
    macro_f1,
    matthews,
)
from trimtab.statistics.scores import SCORES, score_named, scores_for

OF_CLASSES = [name for name, score in SCORES.items() if score.target == "classes"]


def outputs(n_seeds=3, n_examples=40, n_classes=3, seed=0, skill=1.0):
    """Logits (seeds, examples, classes) that know something, and labels of which the last class is rare."""
    rng = np.random.default_rng(seed)
    labels = np.minimum(rng.geometric(0.5, n_examples) - 1, n_classes - 1)
    logits = rng.normal(size=(n_seeds, n_examples, n_classes)) + skill * np.eye(n_classes)[labels]
    return logits, labels


def naive_matthews(logits, labels):
    """The correlation of the two (examples, classes) indicator tables: Gorodkin's definition."""
    n_classes = logits.shape[1]
    said = np.eye(n_classes)[[max(range(n_classes), key=row.__getitem__) for row in logits]]
    true = np.eye(n_classes)[labels]
    across = sum(np.cov(said[:, k], true[:, k], bias=True)[0, 1] for k in range(n_classes))
    spread = sum(said[:, k].var() for k in range(n_classes)) * sum(true[:, k].var() for k in range(n_classes))
    return across / math.sqrt(spread) if spread > 1e-12 else 0.0


def naive_f1(logits, labels):
    """The harmonic mean of precision and recall of each class, and their mean."""
    said, each = logits.argmax(axis=1), []
    for k in range(logits.shape[1]):
        hits = sum(1 for guess, label in zip(said, labels, strict=True) if guess == label == k)
        precision = hits / max(sum(said == k), 1)
        recall = hits / max(sum(labels == k), 1)
        each.append(2 * precision * recall / (precision + recall) if hits else 0.0)
    return sum(each) / len(each)


def naive_calibration(logits, labels, bins=15):
    p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    confidence, right = p.max(axis=1), p.argmax(axis=1) == labels
    total = 0.0
    for b in range(bins):
        inside = (b / bins < confidence) & (confidence <= (b + 1) / bins)
        if inside.any():
            total += inside.mean() * abs(right[inside].mean() - confidence[inside].mean())
    return -total


def naive_jackknife(score, logits, labels):
    """Pseudo-values (seeds, examples), the score computed again without each example."""
    n = labels.size
    found = np.empty(logits.shape[:2])
    for s, own in enumerate(logits):
        whole = score(own, labels)
        for i in range(n):
            without = score(np.delete(own, i, axis=0), np.delete(labels, i)) if n > 1 else 0.0
            found[s, i] = n * whole - (n - 1) * without
    return found


def naive_fnc1(logits, labels):
    """Stage 1 of the challenge as its rules say it, the last class being 'unrelated'."""
    unrelated, credit, most = logits.shape[1] - 1, 0.0, 0.0
    for row, label in zip(logits, labels, strict=True):
        said = max(range(len(row)), key=row.__getitem__)
        if (said == unrelated) == (label == unrelated):
            credit += 0.25
            if label != unrelated and said == label:
                credit += 0.75
        most += 0.25 if label == unrelated else 1.0
    return credit / most if most else 0.0


JACKKNIVES = [
    (matthews, naive_matthews),
    (macro_f1, naive_f1),
    (calibration_error, naive_calibration),
    (fnc1, naive_fnc1),
]
NAMES = ["matthews", "macro_f1", "calibration_error", "fnc1"]


@pytest.mark.parametrize(("score", "naive"), JACKKNIVES, ids=NAMES)
@settings(deadline=None, max_examples=40)
@given(st.integers(1, 16), st.integers(1, 4), st.integers(0, 2**32 - 1), st.sampled_from([-1.0, 0.5, 6.0]))
def test_pseudo_values_are_the_naive_jackknife(score, naive, n_examples, n_classes, seed, skill):
    logits, labels = outputs(2, n_examples, n_classes, seed, skill)
    np.testing.assert_allclose(score(logits, labels), naive_jackknife(naive, logits, labels), atol=1e-9)


def binary_matthews(logits, labels):
    """The textbook's formula of two classes, from the four counts."""
    said = [int(row[1] > row[0]) for row in logits]
    pairs = list(zip(said, labels.tolist(), strict=True))
    tp, tn, fp, fn = (pairs.count(pair) for pair in [(1, 1), (0, 0), (1, 0), (0, 1)])
    product = (tp + fp) * (tp + fn) * (tn + fp) * (tn + fn)
    return (tp * tn - fp * fn) / math.sqrt(product) if product else 0.0


@settings(deadline=None, max_examples=60)
@given(st.integers(1, 30), st.integers(0, 2**32 - 1), st.sampled_from([-1.0, 0.0, 1.0, 6.0]))
def test_with_two_classes_matthews_is_the_textbooks(n_examples, seed, skill):
    logits, labels = outputs(2, n_examples, 2, seed, skill)
    expected = naive_jackknife(binary_matthews, logits, labels)
    np.testing.assert_allclose(matthews(logits, labels), expected, atol=1e-9)


@pytest.mark.parametrize(("score", "naive"), JACKKNIVES, ids=NAMES)
def test_their_mean_is_the_score_up_to_its_bias(score, naive):
    logits, labels = outputs(2, 20_000)
    plain = [naive(own, labels) for own in logits]
    np.testing.assert_allclose(score(logits, labels).mean(axis=1), plain, atol=1e-3)


@pytest.mark.parametrize("score", [matthews, macro_f1, fnc1])
def test_their_standard_error_is_the_bootstraps(score):
    logits, labels = outputs(1, 300)
    values = score(logits, labels)[0]
    rng, drawn = np.random.default_rng(1), []
    naive = dict(JACKKNIVES)[score]
    for _ in range(300):
        chosen = rng.integers(0, 300, 300)
        drawn.append(naive(logits[0][chosen], labels[chosen]))
    assert values.std(ddof=1) / math.sqrt(300) == pytest.approx(np.std(drawn), rel=0.15)


def test_their_sums_over_clusters_tell_as_much_as_leaving_clusters_out():
    logits, labels = outputs(1, 900)
    clusters = np.sort(np.random.default_rng(3).integers(0, 120, 900))
    logits[0] += np.repeat(np.random.default_rng(4).normal(size=(120, 3)), np.bincount(clusters), axis=0)
    values = matthews(logits, labels)[0]
    sums = np.bincount(clusters, weights=values - values.mean())
    without = [naive_matthews(logits[0][clusters != g], labels[clusters != g]) for g in range(120)]
    outright = 119 / 120 * np.square(without - np.mean(without)).sum()
    assert np.square(sums).sum() * 120 / 119 / 900**2 == pytest.approx(outright, rel=0.05)


def test_equal_variants_are_seldom_told_apart_by_their_correlation():
    rng, rejected = np.random.default_rng(6), 0
    for _ in range(200):
        labels = rng.choice(3, 400, p=[0.5, 0.35, 0.15])
        difficulty, runs = rng.normal(size=(400, 3)), 0.1 * rng.normal(size=(2, 5, 1, 3))
        logits = difficulty + runs + 0.7 * rng.normal(size=(2, 5, 400, 3)) + 1.6 * np.eye(3)[labels]
        values = np.stack([matthews(variant, labels) for variant in logits])
        rejected += compare(values, paired=False, margin=0.01)[0].p < 0.05
    assert 0.005 <= rejected / 200 <= 0.08


def test_accuracy_is_the_share_of_right_answers():
    logits, labels = outputs()
    expected = [
        [max(range(3), key=row.__getitem__) == label for row, label in zip(own, labels, strict=True)]
        for own in logits
    ]
    np.testing.assert_array_equal(accuracy(logits, labels), expected)
    assert accuracy(logits, labels).dtype == np.bool_


def test_log_loss_and_brier_are_their_definitions():
    logits, labels = outputs()
    for s, own in enumerate(logits):
        for i, row in enumerate(own):
            p = [math.exp(value) / sum(map(math.exp, row)) for value in row]
            assert log_loss(logits, labels)[s, i] == pytest.approx(math.log(p[labels[i]]))
            squared = sum((p[k] - (labels[i] == k)) ** 2 for k in range(3))
            assert brier(logits, labels)[s, i] == pytest.approx(-squared)


def test_a_certain_answer_has_a_finite_loss():
    logits = np.array([[[1000.0, -1000.0]]], dtype=np.float32)
    assert log_loss(logits, [0])[0, 0] == 0
    assert log_loss(logits, [1])[0, 0] == -2000
    assert brier(logits, [1])[0, 0] == -2
    # Perfectly sure and right, so perfectly calibrated: the last bin holds its upper end.
    np.testing.assert_allclose(calibration_error(np.repeat(logits, 4, axis=1), [0, 0, 0, 0]), 0)


def test_by_convention_a_correlation_with_a_constant_is_zero():
    logits, labels = outputs()
    constant = np.zeros_like(logits)
    constant[..., 1] = 1
    assert (matthews(constant, labels) == 0).all()
    assert (matthews(logits, np.zeros_like(labels)) == 0).all()


def test_right_everywhere_is_one_for_every_example():
    _, labels = outputs()
    logits = np.eye(3)[labels][None]
    np.testing.assert_allclose(matthews(logits, labels), 1)
    np.testing.assert_allclose(macro_f1(logits, labels), 1)


def test_a_class_that_never_occurs_has_an_f1_of_zero():
    logits, labels = outputs(n_classes=3)
    wider = np.concatenate([logits, np.full((*logits.shape[:2], 1), -99.0)], axis=2)
    np.testing.assert_allclose(macro_f1(wider, labels), 0.75 * macro_f1(logits, labels))
    np.testing.assert_allclose(matthews(wider, labels), matthews(logits, labels))


def test_fewer_bins_are_another_score():
    logits, labels = outputs()
    expected = naive_jackknife(lambda own, truth: naive_calibration(own, truth, 4), logits, labels)
    np.testing.assert_allclose(calibration_error(logits, labels, bins=4), expected, atol=1e-9)
    with pytest.raises(InputError, match="bins 0"):
        calibration_error(logits, labels, bins=0)


def test_a_bin_holds_its_upper_end():
    logits = np.log([[[0.5, 0.5], [0.25, 0.75]]])  # right at 0.5, wrong at 0.75: the gaps cancel in one bin
    np.testing.assert_allclose(calibration_error(logits, [0, 0], bins=2), [[-0.5, -0.75]])
    np.testing.assert_allclose(calibration_error(logits, [0, 0], bins=1), [[0.5, 0.25]])


@pytest.mark.parametrize("name", OF_CLASSES)
@settings(deadline=None, max_examples=15)
@given(st.integers(0, 2**32 - 1))
def test_the_order_of_examples_of_seeds_and_of_classes_is_irrelevant(name, seed):
    logits, labels = outputs(seed=seed)
    rng = np.random.default_rng(seed)
    examples, seeds, classes = rng.permutation(40), rng.permutation(3), rng.permutation(3)
    if name == "fnc1":
        classes = np.append(rng.permutation(2), 2)  # its last class has a meaning
    score = score_named(name).function
    moved = logits[seeds][:, examples][..., classes]
    expected = score(logits, labels)[seeds][:, examples]
    np.testing.assert_allclose(score(moved, np.argsort(classes)[labels][examples]), expected, atol=1e-9)


@pytest.mark.parametrize("name", OF_CLASSES)
def test_more_is_better(name):
    score = score_named(name).function
    good, labels = outputs(n_examples=500, skill=3.0)
    bad = 3 * outputs(n_examples=500, skill=0.0)[0]  # sure of itself, and wrong
    assert compare(np.stack([score(bad, labels), score(good, labels)]), margin=0.1)[0].verdict == "better"


def test_only_accuracy_brings_a_margin():
    assert {name: score.margin for name, score in SCORES.items() if score.margin} == {"accuracy": 0.005}


@pytest.mark.parametrize("name", ["accuracy", "log_loss", "brier", "matthews"])
def test_no_constant_prediction_beats_the_label_prior_baseline(name):
    rng = np.random.default_rng(8)
    labels = rng.choice(4, 2000, p=[0.4, 0.3, 0.2, 0.1])
    score = score_named(name)
    constants = np.concatenate([np.eye(4), rng.normal(size=(50, 4))]) * 3
    found = [score.function(np.broadcast_to(row, (1, 2000, 4)), labels).mean() for row in constants]
    assert score.prior_baseline(Truth(labels), 4) >= max(found) - 1e-6


def test_guessing_in_proportion_to_the_shares_has_the_macro_f1_of_its_baseline():
    rng = np.random.default_rng(9)
    labels = np.repeat(np.arange(3), [12_000, 50_000, 38_000])
    score = score_named("macro_f1")
    guessed = score.function(np.eye(3)[rng.permutation(labels)][None], labels).mean()
    assert guessed == pytest.approx(score.prior_baseline(Truth(labels), 3), abs=5e-3)


def test_the_calibration_error_has_no_label_prior_baseline():
    assert score_named("calibration_error").prior_baseline(Truth(np.arange(9) % 3), 3) is None


def test_the_challenges_score_is_known_in_easy_cases():
    labels = np.array([0, 1, 2, 3, 3, 3])
    for said, share in ((labels, 1), ([3] * 6, 0.75 / 3.75), ([0] * 6, 1.5 / 3.75), ([3, 3, 3, 0, 0, 0], 0)):
        logits = np.eye(4)[said][None]
        np.testing.assert_allclose(naive_fnc1(logits[0], labels), share)
        np.testing.assert_allclose(fnc1(logits, labels)[0], naive_jackknife(naive_fnc1, logits, labels)[0])


def test_a_score_may_be_for_some_labels_alone():
    assert "fnc1" in scores_for(["agree", "disagree", "discuss", "unrelated"])
    for labels in (["a", "b"], ["unrelated", "agree", "disagree", "discuss"]):
        assert scores_for(labels).keys() == set(OF_CLASSES) - {"fnc1"}


def test_an_unknown_score_names_the_nearest():
    with pytest.raises(InputError, match="did you mean 'matthews'"):
        score_named("mathews")


def test_sixty_classes_fit_into_little_memory():
    logits, labels = outputs(5, 10_000, 60)
    tracemalloc.start()
    matthews(logits, labels)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2**28


@pytest.mark.parametrize("name", OF_CLASSES)
@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"logits": np.ones((3, 40))}, "logits have shape"),
        ({"logits": np.ones((3, 40, 0))}, "logits have shape"),
        ({"logits": np.ones((3, 40, 3), dtype=complex)}, "complex"),
        ({"logits": np.where(np.arange(40) == 7, np.nan, 1.0)[None, :, None]}, "seed 0, example 7"),
        ({"labels": np.zeros(39, dtype=int)}, "40 examples"),
        ({"labels": np.zeros(40)}, "integer"),
        ({"labels": np.arange(40)}, "number them 0 to"),
        ({"labels": np.arange(40) - 1}, "labels go from -1"),
    ],
)
def test_a_wrong_argument_is_named(name, change, message):
    logits, labels = outputs()
    arguments = {"logits": logits, "labels": labels} | change
    with pytest.raises(InputError, match=message):
        score_named(name).function(**arguments)
