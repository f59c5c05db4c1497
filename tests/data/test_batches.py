from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from gpu_waits import no_waiting
from trimtab.data.batch import length_bound
from trimtab.data.batches import evaluation_batches, make_batch, training_batches, training_order
from trimtab.data.layout import split
from trimtab.data.rows import Rows
from trimtab.ragged import Ragged

CPU = torch.device("cpu")
seeds = st.integers(0, 2**32 - 1)


def naive_batch(pairs, index):
    """Token by token: rows by length, of equal length in the order of ``index``."""
    tokens, segments, positions, cumulative, labels = [], [], [], [0], []
    for row in sorted(index, key=lambda row: len(pairs.tokens[row])):
        for position, token in enumerate(pairs.tokens[row].tolist()):
            tokens.append(token)
            segments.append(0 if position < pairs.first_lengths[row] else 1)
            positions.append(position)
        cumulative.append(len(tokens))
        labels.append(int(pairs.labels[row]))
    return tokens, segments, positions, cumulative, labels


@settings(max_examples=100, deadline=None)
@given(seeds, st.integers(1, 30), st.booleans(), st.data())
def test_equals_the_naive_loop(random_pairs, seed, rows, single, data):
    pairs = random_pairs(seed, rows, single)
    index = data.draw(st.lists(st.integers(0, rows - 1), min_size=1, unique=True))
    batch = make_batch(pairs, np.array(index), CPU)
    fields = (batch.tokens, batch.segments, batch.positions, batch.cumulative_lengths, batch.labels)
    assert tuple(field.tolist() for field in fields) == naive_batch(pairs, index)
    assert all(field.dtype == torch.int64 for field in fields)
    assert len(batch) == len(index)
    lengths = [length for rows, length in batch.groups for _ in range(rows)]
    assert lengths == np.diff(batch.cumulative_lengths).tolist()
    assert len({length for _, length in batch.groups}) == len(batch.groups)


def test_segments_follow_the_separators(random_pairs):
    pairs = random_pairs(0, 20)
    batch = make_batch(pairs, np.arange(20), CPU)
    for start, end in zip(batch.cumulative_lengths, batch.cumulative_lengths[1:], strict=False):
        row = batch.tokens[start:end].tolist()
        opening = row.index(4) + 1  # cls A sep; random ids are never special
        assert batch.segments[start:end].tolist() == [0] * opening + [1] * (len(row) - opening)


@given(seeds, st.integers(1, 200), st.integers(1, 50))
@settings(max_examples=50, deadline=None)
def test_training_order_is_a_permutation(seed, rows, epoch):
    order = training_order(rows, seed, epoch)
    assert sorted(order.tolist()) == list(range(rows))
    assert np.array_equal(order, training_order(rows, seed, epoch))


def test_training_order_differs_by_epoch_and_seed():
    orders = {tuple(training_order(100, seed, epoch)) for seed in range(5) for epoch in range(1, 6)}
    assert len(orders) == 25


@settings(max_examples=60, deadline=None)
@given(seeds, st.integers(1, 40), st.integers(1, 200))
def test_evaluation_holds_each_row_once_whatever_the_limit(random_pairs, seed, rows, limit):
    pairs = random_pairs(seed, rows)
    longest = int(pairs.tokens.lengths.max())
    seen = []
    for index, batch in evaluation_batches(pairs, CPU, tokens=limit):
        assert len(index) >= 1
        assert len(index) == 1 or len(batch.tokens) < limit + longest
        assert np.array_equal(batch.labels, pairs.labels[index])
        for row, start, end in zip(
            index, batch.cumulative_lengths, batch.cumulative_lengths[1:], strict=False
        ):
            assert batch.tokens[start:end].tolist() == pairs.tokens[row].tolist()
        seen.extend(index.tolist())
    assert sorted(seen) == list(range(rows))


def test_evaluation_does_not_make_more_batches_than_it_needs(random_pairs):
    pairs = random_pairs(1, 200)
    total = len(pairs.tokens.values)
    assert len(list(evaluation_batches(pairs, CPU, tokens=100))) == pytest.approx(total / 100, abs=1)
    assert len(list(evaluation_batches(pairs, CPU, tokens=10_000))) == 1
    assert list(evaluation_batches(random_pairs(1, 0), CPU, tokens=100)) == []


@settings(max_examples=60, deadline=None)
@given(seeds, st.integers(1, 40), st.integers(1, 200), st.none() | st.integers(1, 45))
def test_parts_are_the_batch_within_their_limits(random_pairs, seed, rows, tokens, most):
    pairs = random_pairs(seed, rows)
    held = Rows(pairs, CPU)
    layout = held.layout(np.random.default_rng(seed).permutation(rows))
    layouts = split(layout, tokens, most)
    assert np.array_equal(np.concatenate(layouts, 1), layout)
    batch, parts = held.make(layout), [held.make(part) for part in layouts]
    for name in ("tokens", "segments", "positions", "labels"):
        assert torch.equal(torch.cat([getattr(part, name) for part in parts]), getattr(batch, name))
    longest = int(pairs.tokens.lengths.max())
    for part in parts:
        assert len(part) == 1 or len(part.tokens) < tokens + longest
        assert len(part) <= (most or rows)
    if not most:
        assert len(parts) <= -(-len(batch.tokens) // tokens)
        sizes = [len(part.tokens) for part in parts]
        assert len(parts) < 2 or max(sizes) - min(sizes) < 2 * longest


@settings(max_examples=60, deadline=None)
@given(seeds, st.integers(0, 400), st.integers(1, 9), st.booleans())
def test_an_epoch_has_each_row_once(random_pairs, seed, rows, size, grouped):
    pairs = random_pairs(seed, rows)
    made = list(training_batches(pairs, size, seed, 1, grouped=grouped))
    assert sorted(np.concatenate([[], *made]).tolist()) == list(range(rows))
    assert sorted(map(len, made), reverse=True) == [size] * (rows // size) + [rows % size] * bool(rows % size)
    again = list(training_batches(pairs, size, seed, 1, grouped=grouped))
    assert all(np.array_equal(*both) for both in zip(made, again, strict=True))


def test_random_batches_cut_the_random_order(random_pairs):
    pairs = random_pairs(0, 50)
    made = training_batches(pairs, 8, 3, 2)
    assert np.array_equal(np.concatenate(list(made)), training_order(50, 3, 2))


def test_grouped_batches_are_of_like_lengths_in_no_order_of_length(random_pairs):
    pairs = random_pairs(0, 400)
    spreads, means = {}, {}
    for grouped in (False, True):
        lengths = [pairs.tokens.lengths[index] for index in training_batches(pairs, 8, 0, 1, grouped=grouped)]
        spreads[grouped] = np.mean([np.ptp(batch) for batch in lengths])
        means[grouped] = [batch.mean() for batch in lengths]
    assert spreads[True] < spreads[False] / 5
    assert abs(np.corrcoef(means[True], np.arange(50))[0, 1]) < 0.4


@pytest.mark.parametrize("dtype", [np.int16, np.int32])
def test_rows_at_hand_and_streamed_rows_make_the_same_batch(dtype, random_pairs):
    pairs = random_pairs(4, 50)
    pairs = replace(pairs, tokens=Ragged(pairs.tokens.values.astype(dtype), pairs.tokens.offsets))
    index = np.random.default_rng(0).permutation(50)[:20]
    at_hand, streamed = Rows(pairs, CPU), Rows(pairs, CPU)
    assert at_hand.values.dtype == torch.from_numpy(pairs.tokens.values).dtype
    assert at_hand.values.data_ptr() == pairs.tokens.values.ctypes.data  # nothing is copied
    streamed.values = None
    one, other = at_hand.batch(index), streamed.batch(index)
    for name in ("tokens", "segments", "positions", "cumulative_lengths", "labels"):
        assert torch.equal(getattr(one, name), getattr(other, name))
        assert getattr(one, name).dtype == torch.int64
    assert np.array_equal(one.lengths, other.lengths)


@given(st.lists(st.integers(1, 3000), min_size=1))
def test_the_bound_is_over_no_length_and_a_power_of_two(lengths):
    bound = length_bound(np.array(lengths))
    assert bound in {128 << power for power in range(6)}
    assert max(lengths) <= bound
    assert bound == 128 or max(lengths) > bound // 2


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("share", [0.0, 0.25])
def test_a_gpu_has_the_same_batch_without_waiting(share, random_pairs):
    pairs, index, device = random_pairs(4, 50), np.arange(5, 45), torch.device("cuda")
    rows = Rows(pairs, device, share)
    assert (rows.values is None) == (share == 0.0)
    rows.batch(index)
    with no_waiting():
        made = rows.batch(index)
    expected = make_batch(pairs, index, CPU)
    for name in ("tokens", "segments", "positions", "cumulative_lengths", "labels"):
        assert torch.equal(getattr(made, name).cpu(), getattr(expected, name))
