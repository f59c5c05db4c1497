"""The audit's numbers, against counting by hand."""

from dataclasses import asdict

import numpy as np
import pytest

from trimtab.config import InputError
from trimtab.ragged import Ragged
from trimtab.truncation import parse
from trimtab.truncation.audit import audit, audit_by_label, different, shares_different

LENGTHS = np.array([[5, 9, 2, 4], [3, 1, 9, 4]])
KEEP = np.array([[5, 5, 2, 3], [3, 1, 4, 3]])


def test_counts_what_is_cut():
    assert asdict(audit(*LENGTHS, *KEEP)) == pytest.approx(
        {
            "pairs": 4,
            "cut": 0.75,
            "cut_only_first": 0.25,
            "cut_only_second": 0.25,
            "cut_both": 0.25,
            "lost_first_mean": 1.25,
            "lost_first_median": 0.5,
            "lost_first_p90": 3.1,
            "lost_first_largest": 4,
            "lost_second_mean": 1.5,
            "lost_second_median": 0.5,
            "lost_second_p90": 3.8,
            "lost_second_largest": 5,
            "lost_share": 11 / 37,
        }
    )


def test_by_label_each_label_apart():
    by_label = audit_by_label(*LENGTHS, *KEEP, labels=["b", "a", "b", "a"])
    assert list(by_label) == ["a", "b"]
    for label, rows in (("a", [1, 3]), ("b", [0, 2])):
        assert by_label[label] == audit(*LENGTHS[:, rows], *KEEP[:, rows])


def test_single_texts():
    one = audit(LENGTHS[0], None, KEEP[0], None)
    assert (one.cut, one.cut_only_first, one.lost_second_largest) == (0.5, 0.5, 0)
    assert one.lost_share == 5 / 20


def test_hardly_cuts_means_fewer_than_one_in_a_hundred():
    lengths, keep = np.full(1000, 5), np.full(1000, 5)
    keep[:9] = 4
    assert audit(lengths, lengths, keep, lengths).hardly_cuts
    keep[9] = 4
    assert not audit(lengths, lengths, keep, lengths).hardly_cuts


def test_no_tokens_and_no_pairs():
    assert audit([0, 0], [0, 0], [0, 0], [0, 0]).lost_share == 0
    with pytest.raises(InputError, match="there are no pairs to audit: the data is empty"):
        audit([], [], [], [])


def naive_different(one, other, sides):
    rows = []
    for row in range(len(sides[0])):
        rows.append(False)
        for number, side in enumerate(sides):
            places = set(range(side.offsets[row], side.offsets[row + 1]))
            rows[-1] |= places & set(one[number].tolist()) != places & set(other[number].tolist())
    return rows


@pytest.mark.parametrize("other", ["longest_first", "longest_first+tail", "ratio", "ratio+head/tail"])
def test_different_rows(other):
    rng = np.random.default_rng(0)
    sides = [Ragged.from_rows([rng.integers(0, 9, n) for n in rng.integers(0, 9, 60)]) for _ in range(2)]
    one, two = (parse(spec).keep(*sides, 7) for spec in ("longest_first", other))
    assert different(one, two).tolist() == naive_different(one, two, sides)


def test_different_single_texts():
    side = Ragged.from_rows([[1, 2, 3], [4], []])
    one, two = (parse(spec).keep(side, None, 2) for spec in ("ratio", "ratio+tail"))
    assert different(one, two).tolist() == [True, False, False]


@pytest.mark.parametrize("single", [False, True])
def test_shares_different_of_each_two(single, monkeypatch):
    monkeypatch.setattr("trimtab.truncation.audit._CHUNK", 7)  # several chunks, the last of them short
    rng = np.random.default_rng(1)
    sides = [Ragged.from_rows([rng.integers(0, 9, n) for n in rng.integers(0, 9, 60)]) for _ in range(2)]
    sides = sides[: 1 if single else 2]
    truncations = [parse(spec) for spec in ("longest_first", "longest_first+tail", "ratio+head/tail")]
    second = None if single else sides[1]
    shares = shares_different(sides[0], second, truncations, 7)
    for i, one in enumerate(truncations):
        for j, other in enumerate(truncations):
            kept = [truncation.keep(sides[0], second, 7) for truncation in (one, other)]
            assert shares[i, j] == pytest.approx(np.mean(naive_different(*kept, sides)))
    assert shares[0, 1] > 0


def test_shares_different_of_no_pairs():
    with pytest.raises(InputError, match="there are no pairs to compare"):
        shares_different(Ragged.from_rows([]), None, [parse("ratio")] * 2, 2)
