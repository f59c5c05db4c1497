"""Samples of whole clusters, labels in proportion."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trimtab.config import InputError
from trimtab.data.examples import Examples
from trimtab.data.readers import read
from trimtab.data.sampling import Sampling, choose_clusters, draw

TABLES = st.lists(st.lists(st.integers(0, 5), min_size=3, max_size=3).filter(any), min_size=1, max_size=25)


def shares(totals, rows):
    """What each label should have: whole parts, then one each to the largest remainders."""
    exact = [total * rows / sum(totals) for total in totals]
    given = [int(share + 1e-9) for share in exact]
    rest = sorted(range(len(totals)), key=lambda label: (-round(exact[label] - given[label], 9), label))
    for label in rest[: rows - sum(given)]:
        given[label] += 1
    return given


def missed(counts, chosen, wanted):
    """How far a choice is from what is wanted: rows of labels, and twice the rows of the whole."""
    rows = [sum(counts[c][label] for c in chosen) for label in range(3)]
    if sum(rows) > sum(wanted):
        return float("inf")
    return sum(abs(a - b) for a, b in zip(rows, wanted, strict=True)) + 2 * (sum(wanted) - sum(rows))


@settings(deadline=None, max_examples=150)
@given(TABLES, st.integers(1, 100), st.integers(0, 9))
def test_no_exchange_of_clusters_comes_nearer(counts, rows, seed):
    rows = min(rows, sum(map(sum, counts)))
    chosen = set(np.flatnonzero(choose_clusters(np.array(counts), rows, seed)).tolist())
    wanted = shares([sum(column) for column in zip(*counts, strict=True)], rows)
    found = missed(counts, chosen, wanted)
    assert found < float("inf")
    for out in [None, *chosen]:
        for new in [None, *(set(range(len(counts))) - chosen)]:
            assert missed(counts, (chosen - {out}) | ({new} - {None}), wanted) >= found


@settings(deadline=None)
@given(st.lists(st.integers(0, 3), min_size=4, max_size=80), st.data())
def test_rows_of_their_own_are_taken_exactly_in_proportion(labels, data):
    rows = data.draw(st.integers(1, len(labels)))
    counts = np.eye(4, dtype=np.int64)[labels]
    chosen = choose_clusters(counts, rows, 0)
    assert counts[chosen].sum(axis=0).tolist() == shares(counts.sum(axis=0).tolist(), rows)


def test_every_cluster_is_as_likely():
    counts = np.random.default_rng(1).multinomial(4, [0.6, 0.3, 0.1], 60)
    taken = np.mean([choose_clusters(counts, 80, seed) for seed in range(800)], axis=0)
    assert abs(taken.mean() - 1 / 3) < 0.01
    # Of kinds alike, none is preferred; an exchange for balance moves the chances of kinds a little.
    kinds, kind = np.unique(counts, axis=0, return_inverse=True)
    for number in range(len(kinds)):
        alike = taken[kind.reshape(-1) == number]
        assert alike.max() - alike.min() < 6 * np.sqrt(2 / 9 / 800)
    assert (abs(taken - 1 / 3) < 0.2).all()


def examples(clusters):
    rows = len(clusters)
    labels = np.arange(rows) % 2
    texts = [f"text {i}" for i in range(rows)]
    return Examples(texts, None, labels, ("a", "b"), np.array(clusters), dropped=4, source="some.csv")


def test_a_sample_keeps_order_and_says_what_it_is():
    whole = examples(np.arange(40) // 4)
    sample = draw(whole, Sampling(sample=12, sample_seed=5))
    numbers = [int(text.split()[1]) for text in sample.first]
    assert numbers == sorted(numbers)
    assert len(numbers) == 12
    assert sorted({number // 4 for number in numbers}) == [number // 4 for number in numbers[::4]]
    assert sample.source == "some.csv, a sample of 12 of 40 rows, seed 5"
    assert (sample.label_names, sample.dropped, np.bincount(sample.labels).tolist()) == (
        ("a", "b"),
        4,
        [6, 6],
    )
    assert draw(whole, Sampling(sample=12, sample_seed=5)).first == sample.first
    assert draw(whole, Sampling(sample=12, sample_seed=6)).first != sample.first
    assert draw(whole, Sampling(sample=40)).first == whole.first
    assert draw(whole, Sampling()) is whole


def test_a_sample_that_cannot_be():
    with pytest.raises(InputError, match=r"some\.csv: sample = 41 is more than its 40 rows; lower it"):
        draw(examples(np.arange(40)), Sampling(sample=41))
    with pytest.raises(
        InputError, match=r"sample = 3 is less than its smallest cluster, of 4 rows; raise it"
    ):
        draw(examples(np.arange(40) // 4), Sampling(sample=3))


@pytest.mark.integration
@pytest.mark.parametrize("seed", [0, 1])
def test_ten_thousand_rows_of_fnc1_by_whole_bodies(shared_data, seed):
    whole = read("fnc1", "train", shared_data)
    sample = read("fnc1", "train", shared_data, sample=10_000, sample_seed=seed)
    assert len(sample) == 10_000
    wanted = shares(np.bincount(whole.labels).tolist(), 10_000)
    assert np.bincount(sample.labels).tolist() == wanted == [736, 168, 1783, 7313]
    bodies = set(sample.second)
    assert sum(body in bodies for body in whole.second) - 10_000 < 200  # texts that stand under two ids
    assert sample.clusters.max() + 1 < 420
