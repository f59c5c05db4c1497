"""Arrays made by pieces, in memory and in files."""

import os

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trimtab.config import InputError
from trimtab.data import growing
from trimtab.data.growing import Growing, GrowingRagged


@pytest.fixture(params=[0, 20, 1 << 20])
def in_memory(request, own_environment, monkeypatch):
    """How many bytes stay in memory."""
    monkeypatch.setattr(growing, "_IN_MEMORY", request.param)
    return request.param


@pytest.mark.parametrize("dtype", [np.int16, np.int32, np.int64, np.bool_])
@pytest.mark.parametrize("pieces", [[], [[]], [[1, 0], [], [1, 1, 0, 1, 1, 0, 1]], [[1] * 100, [0] * 100]])
def test_the_pieces_one_after_another(in_memory, dtype, pieces):
    array = Growing(dtype)
    for piece in pieces:
        array.append(np.array(piece, np.int64))
    whole = array.mapped()
    assert whole.dtype == dtype
    assert whole.tolist() == [dtype(x) for piece in pieces for x in piece]
    whole[:] = 0  # as torch asks of what it wraps


def test_what_is_large_is_a_map_of_a_file_without_a_name(own_environment):
    array = Growing(np.int32)
    for start in range(0, 1 << 20, 1 << 16):
        array.append(np.arange(start, start + (1 << 16)))
    whole = array.mapped()
    assert isinstance(whole, np.memmap)
    assert np.array_equal(whole, np.arange(1 << 20))
    assert list((own_environment / "cache").iterdir()) == []


@settings(max_examples=40, deadline=None)
@given(parts=st.lists(st.lists(st.lists(st.integers(0, 99), max_size=4), max_size=4), max_size=5))
def test_ragged_rows_by_pieces(parts):
    made = GrowingRagged(np.int16)
    for rows in parts:
        lengths = np.array([len(row) for row in rows], np.int64)
        made.append(np.array([x for row in rows for x in row], np.int64), lengths)
    ragged = made.mapped()
    assert [ragged[row].tolist() for row in range(len(ragged))] == [row for rows in parts for row in rows]
    assert (ragged.values.dtype, ragged.offsets.dtype) == (np.int16, np.int64)


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no device that is always full")
def test_a_full_disk_is_an_input_error(own_environment, monkeypatch):
    full = open("/dev/full", "wb", buffering=0)  # noqa: SIM115  # the array closes it
    monkeypatch.setattr("tempfile.TemporaryFile", lambda *_, **__: full)
    array = Growing(np.int64)
    with pytest.raises(
        InputError, match=r"cannot be written \(No space left on device\); name another folder"
    ):
        array.append(np.zeros(1 << 20))


def test_a_cache_that_is_no_folder_is_an_input_error(own_environment):
    (own_environment / "cache").write_text("")
    with pytest.raises(
        InputError, match=r"cache: cannot be written .*; name another folder .* TRIMTAB_CACHE"
    ):
        Growing(np.int64).append(np.zeros(1 << 20))
