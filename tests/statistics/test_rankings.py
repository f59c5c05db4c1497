"""Measures of rankings against trec_eval (through pytrec_eval), and what ranking at random comes to."""

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trimtab.config import InputError
from trimtab.statistics import SCORES, Truth, expected

MEASURES = {"mrr@10": "recip_rank", "ndcg@10": "ndcg_cut_10", "map": "map"}


@st.composite
def rankings(draw):
    """Outputs with ties, grades and queries, some of them without a relevant row."""
    rows = draw(st.integers(1, 60))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    queries = rng.integers(0, draw(st.integers(1, 8)), rows)
    labels = (rng.integers(0, draw(st.integers(2, 4)), rows) * (rng.random(rows) < 0.4)).astype(float)
    labels[rng.integers(rows)] = 1.0
    outputs = np.round(rng.normal(size=(2, rows, 1)), draw(st.integers(0, 3)))
    return outputs, Truth(labels, queries)


def by_trec_eval(outputs, truth):
    """By measure and query, what trec_eval says; documents are named by their places."""
    pytrec_eval = pytest.importorskip(
        "pytrec_eval", reason="no pytrec_eval; `make .venv/develop` installs it"
    )
    judged, run = {}, {}
    for place, (query, grade, output) in enumerate(zip(truth.queries, truth.labels, outputs, strict=True)):
        judged.setdefault(str(query), {})[f"{place:06d}"] = int(grade)
        run.setdefault(str(query), {})[f"{place:06d}"] = float(output)
    found = pytrec_eval.RelevanceEvaluator(judged, {"recip_rank", "ndcg_cut", "map"}).evaluate(run)
    return {name: [found[str(q)][theirs] for q in truth.judged] for name, theirs in MEASURES.items()}


@settings(deadline=None, max_examples=60)
@given(rankings())
def test_measures_are_those_of_trec_eval(drawn):
    outputs, truth = drawn
    for seed in (0, 1):
        expected = by_trec_eval(outputs[seed, :, 0], truth)
        # Its reciprocal rank has no cutoff: a first relevant row beyond rank 10 counts nothing here.
        expected["mrr@10"] = [value if value > 1 / 10.5 else 0.0 for value in expected["mrr@10"]]
        for name, values in expected.items():
            found = SCORES[name].of(outputs, truth)
            assert found.shape == (2, len(truth))
            np.testing.assert_allclose(found[seed], values, atol=1e-6)  # theirs are in single precision


@pytest.mark.parametrize("name", MEASURES)
@pytest.mark.parametrize("labels", [[1, 0, 0, 0], [2, 0, 1, 0, 0], [0, 1, 1, 3], [1]])
def test_the_baseline_is_the_mean_over_all_orders(name, labels):
    truth = Truth(np.array([*labels, 0.0], float), np.array([0] * len(labels) + [1]))
    orders = [[*order, 0] for order in permutations(range(len(labels)))]
    every = SCORES[name].of(np.array(orders, float)[..., None], truth)
    assert SCORES[name].prior_baseline(truth, 1) == pytest.approx(every.mean())


@pytest.mark.parametrize("name", MEASURES)
def test_ties_among_others_are_in_every_order(name):
    """Levels 1, 0 and -1, of which each in all its orders."""
    labels, levels = np.array([0.0, 1, 0, 2, 0, 1, 0]), np.array([0, 0, 1, 0, -1, -1, 1])
    truth = Truth(labels, np.zeros(7, int))
    groups = [np.flatnonzero(levels == level) for level in (1, 0, -1)]
    orders = [
        [*a, *b, *c]
        for a in permutations(groups[0])
        for b in permutations(groups[1])
        for c in permutations(groups[2])
    ]
    outputs = np.zeros((len(orders), 7, 1))
    for seed, order in enumerate(orders):
        outputs[seed, list(order), 0] = np.arange(7, 0, -1)
    assert expected(levels, truth)[name][0] == pytest.approx(SCORES[name].of(outputs, truth).mean())


def test_the_baseline_of_long_rankings_is_that_of_many_random_orders():
    rng = np.random.default_rng(3)
    truth = Truth((rng.random(300) < 0.08).astype(float), np.repeat(np.arange(6), 50))
    for name in MEASURES:
        found = SCORES[name].of(rng.random((4000, 300, 1)), truth).mean()
        assert SCORES[name].prior_baseline(truth, 1) == pytest.approx(found, abs=0.01)


@pytest.mark.parametrize(
    ("outputs", "message"),
    [
        (np.ones((2, 3)), "outputs have shape"),
        (np.ones((2, 3, 2)), "outputs have shape"),
        (np.full((1, 3, 1), np.nan), "nan"),
    ],
)
def test_wrong_outputs_are_named(outputs, message):
    truth = Truth(np.array([1.0, 0.0, 0.0]), np.zeros(3, int))
    for name in MEASURES:
        with pytest.raises(InputError, match=message):
            SCORES[name].of(outputs, truth)


# Truth


def test_queries_without_a_relevant_row_are_not_judged():
    truth = Truth(np.array([0.0, 1.0, 0.0, 2.0, 0.0]), np.array([3, 1, 1, 0, 3]))
    assert truth.judged.tolist() == [0, 1]
    assert truth.unit.tolist() == [-1, 1, 1, 0, -1]
    assert len(truth) == 2
    assert truth.mean_of(np.array([9, 2, 4, 5, 9])).tolist() == [5, 3]
    assert truth.first_of(np.array([9, 2, 4, 5, 9])).tolist() == [5, 2]


def test_digests_of_queries_agree_where_all_their_rows_do():
    truth = Truth(np.ones(4), np.array([0, 0, 1, 1]))
    one = truth.digests_of(np.array([5, 6, 7, 8], np.uint64))
    assert (one == truth.digests_of(np.array([5, 6, 7, 8], np.uint64))).all()
    assert (one == truth.digests_of(np.array([5, 6, 8, 7], np.uint64))).tolist() == [True, False]
    assert (one == truth.digests_of(np.array([6, 6, 7, 8], np.uint64))).tolist() == [False, True]
