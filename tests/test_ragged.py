"""Ragged against lists of lists."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trimtab import ragged as ragged_module
from trimtab.ragged import Ragged, digests_of, offsets_of, pieces, ranges, splitmix

ROWS = st.lists(st.lists(st.integers(0, 99), max_size=5), max_size=8)


def rows_of(ragged):
    return [ragged[row].tolist() for row in range(len(ragged))]


@given(rows=ROWS)
@settings(deadline=None)
def test_from_rows_and_back(rows):
    ragged = Ragged.from_rows(rows)
    assert rows_of(ragged) == rows
    assert ragged.lengths.tolist() == [len(row) for row in rows]
    assert (ragged.values.dtype, ragged.offsets.dtype) == (np.int32, np.int64)


def test_dtype_is_the_callers():
    assert Ragged.from_rows([[1], [2]], np.uint16).values.dtype == np.uint16


@given(rows=ROWS, data=st.data())
@settings(deadline=None)
def test_take_is_a_list_of_rows(rows, data):
    index = data.draw(st.lists(st.integers(-len(rows), len(rows) - 1))) if rows else []
    taken = Ragged.from_rows(rows).take(index)
    assert rows_of(taken) == [rows[row] for row in index]
    assert taken.offsets[0] == 0


def test_take_by_mask():
    ragged = Ragged.from_rows([[1, 2], [], [3]])
    assert rows_of(ragged.take(np.array([True, False, True]))) == [[1, 2], [3]]


def test_row_numbers_outside_are_refused():
    ragged = Ragged.from_rows([[1, 2], [3]])
    assert ragged[-1].tolist() == [3]
    for row in (2, -3):
        with pytest.raises(IndexError):
            ragged[row]
        with pytest.raises(IndexError):
            ragged.take([row])


def test_a_row_is_a_view():
    ragged = Ragged.from_rows([[1, 2], [3]])
    assert ragged[0].base is ragged.values


def test_memory_mapped(tmp_path):
    np.save(tmp_path / "values.npy", np.arange(5, dtype=np.int32))
    np.save(tmp_path / "offsets.npy", np.array([0, 2, 5]))
    arrays = [np.load(tmp_path / f"{name}.npy", mmap_mode="r") for name in ("values", "offsets")]
    assert rows_of(Ragged(*arrays).take([1, 0])) == [[2, 3, 4], [0, 1]]


def test_offsets_and_ranges():
    assert offsets_of(np.array([2, 0, 3])).tolist() == [0, 2, 2, 5]
    assert ranges(np.array([7, 1, 0]), np.array([2, 0, 3])).tolist() == [7, 8, 0, 1, 2]
    assert ranges(np.empty(0, np.int64), np.empty(0, np.int64)).tolist() == []


def test_places_count_from_0_in_each_row():
    window = Ragged(np.arange(10), np.array([2, 5, 5, 7]))
    assert window.places().tolist() == [0, 1, 2, 0, 1]


@given(
    lengths=st.lists(st.tuples(*[st.integers(0, 6)] * 2), max_size=30),
    most=st.tuples(st.integers(1, 9), st.integers(1, 20)),
)
@settings(deadline=None)
def test_pieces_are_all_rows_within_the_limits(lengths, most):
    sides = [Ragged.from_rows([[0] * pair[number] for pair in lengths]) for number in (0, 1)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ragged_module, "_ROWS", most[0])
        patch.setattr(ragged_module, "_TOKENS", most[1])
        slices = list(pieces(*sides))
    assert [row for part in slices for row in range(len(lengths))[part]] == list(range(len(lengths)))
    for part in slices:
        assert 1 <= part.stop - part.start <= most[0]
        tokens = [int(side.lengths[part].sum()) for side in sides]
        assert part.stop - part.start == 1 or max(tokens) <= most[1]


@given(rows=ROWS, data=st.data())
@settings(deadline=None)
def test_a_part_is_a_view_whose_offsets_begin_at_0(rows, data):
    start = data.draw(st.integers(0, len(rows)))
    stop = data.draw(st.integers(start, len(rows)))
    ragged = Ragged.from_rows(rows)
    part = ragged.part(slice(start, stop))
    assert rows_of(part) == rows[start:stop]
    assert part.offsets[0] == 0
    assert not part.values.size or np.shares_memory(part.values, ragged.values)


def test_digests_are_of_the_row_alone():
    rows = [[1, 2], [2, 1], [], [0], [0, 0], [1, 2], [], [2**31 - 1]]
    digests = Ragged.from_rows(rows).digests()
    alone = [int(Ragged.from_rows([row]).digests()[0]) for row in rows]
    assert digests.dtype == np.uint64
    assert digests.tolist() == alone
    assert len(set(alone)) == len({tuple(row) for row in rows})
    assert Ragged(np.arange(10), np.array([1, 3])).digests()[0] == digests[0]
    for dtype in (np.uint16, np.int64, np.uint64):
        assert Ragged.from_rows(rows[:6], dtype).digests().tolist() == alone[:6]
    assert Ragged.from_rows([]).digests().tolist() == []


def test_digests_do_not_depend_on_pieces_or_layout(monkeypatch):
    table = np.random.default_rng(0).integers(0, 30_000, (50, 7))
    rows = Ragged.from_rows([*table, [1], []])
    whole = rows.digests()
    monkeypatch.setattr(ragged_module, "_TOKENS", 16)
    assert rows.digests().tolist() == whole.tolist()
    assert Ragged(rows.values.astype(np.int16), rows.offsets).digests().tolist() == whole.tolist()
    for dtype in (np.int16, np.int32):
        assert digests_of(table.T.astype(dtype)).tolist() == whole[:50].tolist()


def test_mix_is_splitmix64():
    # The first three outputs of splitmix64 seeded with 0, whose state grows by the golden ratio.
    states = np.arange(1, 4, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    assert splitmix(states).tolist() == [0xE220A8397B1DCDAF, 0x6E789E6AA1B965F4, 0x06C45D188009454F]
