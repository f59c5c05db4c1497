"""Correlations against scipy's, computed again without each example."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from trimtab.config import InputError
from trimtab.statistics import SCORES, Truth

THEIRS = {"pearson": stats.pearsonr, "spearman": stats.spearmanr}


def naive(name, x, y):
    if len(x) < 2 or np.ptp(x) == 0 or np.ptp(y) == 0:
        return 0.0
    return float(THEIRS[name](x, y)[0])


@pytest.mark.parametrize("name", THEIRS)
@settings(deadline=None, max_examples=40)
@given(st.integers(2, 40), st.integers(0, 2**32 - 1), st.integers(0, 3), st.floats(-1e3, 1e3))
def test_pseudo_values_leave_each_example_out(name, n, seed, digits, shift):
    rng = np.random.default_rng(seed)
    labels = np.round(rng.normal(size=n), digits)
    outputs = np.round(rng.normal(size=(2, n)) + labels, digits) + shift
    found = SCORES[name].of(outputs[..., None], Truth(labels))
    for x, values in zip(outputs, found, strict=True):
        rest = [naive(name, np.delete(x, i), np.delete(labels, i)) for i in range(n)]
        expected = n * naive(name, x, labels) - (n - 1) * np.array(rest)
        np.testing.assert_allclose(values, expected, atol=1e-6)


@pytest.mark.parametrize("name", THEIRS)
def test_many_examples_with_ties(name):
    rng = np.random.default_rng(5)
    labels = rng.integers(1, 6, 700).astype(float)
    outputs = np.round(labels + rng.normal(size=700), 1)
    [values] = SCORES[name].of(outputs[None, :, None], Truth(labels))
    assert values.mean() == pytest.approx(naive(name, outputs, labels), abs=0.01)
    for i in (0, 255, 256, 511, 699):
        without = naive(name, np.delete(outputs, i), np.delete(labels, i))
        assert values[i] == pytest.approx(700 * naive(name, outputs, labels) - 699 * without, abs=1e-6)


@pytest.mark.parametrize("name", [*THEIRS, "squared_error"])
def test_the_baseline_says_the_mean(name):
    truth = Truth(np.array([1.0, 2.0, 2.5, 4.0]))
    expected = -np.var(truth.labels) if name == "squared_error" else 0.0
    assert SCORES[name].prior_baseline(truth, 1) == pytest.approx(expected)


@pytest.mark.parametrize("name", [*THEIRS, "squared_error"])
@pytest.mark.parametrize(
    ("outputs", "labels", "message"),
    [
        (np.ones((1, 4, 3)), np.ones(4), "outputs have shape"),
        (np.ones((1, 4, 1)), np.ones(3), "outputs have shape"),
        (np.full((1, 4, 1), np.inf), np.ones(4), "infinity"),
        (np.ones((1, 4, 1)), np.full(4, np.nan), "give a number each"),
    ],
)
def test_a_wrong_argument_is_named(name, outputs, labels, message):
    with pytest.raises(InputError, match=message):
        SCORES[name].of(outputs, Truth(labels))
