"""Each selection against slices of lists, and what holds for every split and every selection."""

from collections import Counter
from fractions import Fraction
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from trimtab.config import InputError
from trimtab.ragged import Ragged
from trimtab.truncation import parse
from trimtab.truncation.options import rounded_share

SPLITS = [
    "longest_first",
    "longest_first(tie=hf_fast)",
    "longest_first(tie=tf_text)",
    "ratio",
    "ratio(minimum=3)",
    "only_first(otherwise=longest_first)",
    "only_second(otherwise=longest_first)",
    "first_priority",
    "second_priority",
    "fixed",
    "fixed(first=0.2)",
]
SELECTIONS = [
    "head",
    "tail",
    "head_tail",
    "head_tail(head=0.5)",
    "tail/head",
    "head_tail(head=0)/head_tail(head=1)",
    "middle",
    "random",
    "salient",
    "random(seed=3)/salient",
]
# Splits and selections do not know of each other: each once shows as much as every one with every other.
SPECS = [*(f"{split}+tail" for split in SPLITS), *(f"longest_first+{selection}" for selection in SELECTIONS)]

SIDES = st.lists(st.lists(st.integers(0, 9), max_size=12), max_size=6)
PAIRS = st.lists(st.tuples(*[st.lists(st.integers(0, 9), max_size=12)] * 2), max_size=6)


def naive_select(spec, row, keep):
    """The kept positions of one row of `row` tokens."""
    places = list(range(row))
    if spec == "head":
        return places[:keep]
    if spec == "tail":
        return places[row - keep :]
    if spec == "middle":
        while len(places) > keep:  # from the right and from the left in turn
            places.pop(-1 if (row - len(places)) % 2 == 0 else 0)
        return places
    share = Fraction(spec.removeprefix("head_tail(head=").removesuffix(")"))
    front = int(share * keep + Fraction(1, 2))
    return places[:front] + places[row - (keep - front) :]


@pytest.mark.parametrize(
    "selection", ["head", "tail", "middle", *(f"head_tail(head={s})" for s in (0, 0.25, 0.29, 0.5, 1))]
)
def test_equals_slices_of_each_row(selection):
    truncation = parse(f"longest_first+{selection}")
    lengths = np.arange(30)
    side = Ragged.from_rows([np.arange(length) for length in lengths])
    for budget in range(32):
        single, _ = truncation.apply(side, None, budget)
        expected = [naive_select(selection, n, min(n, budget)) for n in lengths.tolist()]
        assert [single[row].tolist() for row in range(len(single))] == expected


def sides_of(pairs):
    return tuple(Ragged.from_rows([pair[number] for pair in pairs]) for number in (0, 1))


def rows_of(ragged):
    return [ragged[row].tolist() for row in range(len(ragged))]


@pytest.mark.parametrize("spec", SPECS)
@settings(deadline=None, max_examples=20)
@given(pairs=PAIRS, budget=st.integers(0, 26))
def test_invariants(spec, pairs, budget):
    sides = sides_of(pairs)
    truncation = parse(spec).fit(*sides)
    kept = truncation.keep(*sides, budget)
    np.testing.assert_array_equal(
        kept.keep_first + kept.keep_second, np.minimum(sides[0].lengths + sides[1].lengths, budget)
    )
    for side, indices, keep in zip(sides, kept[:2], kept[2:], strict=True):
        assert np.all((keep >= 0) & (keep <= side.lengths))
        # Strictly rising indices are a subset in the order of the text; row by row it is the row's own.
        assert np.all(np.diff(indices) > 0)
        row_of = np.repeat(np.arange(len(side)), side.lengths)
        np.testing.assert_array_equal(np.bincount(row_of[indices], minlength=len(side)), keep)
    together = [rows_of(side) for side in truncation.apply(*sides, budget)]
    alone = [[rows_of(side)[0] for side in truncation.apply(*sides_of([pair]), budget)] for pair in pairs]
    assert [list(pair) for pair in zip(*together, strict=True)] == alone


@pytest.mark.parametrize("spec", SPECS)
def test_empty_sides_and_no_rows(spec):
    pairs = [([], [1, 2, 3]), ([4, 5, 6], []), ([], []), ([7], [8])]
    truncation = parse(spec).fit(*sides_of(pairs))
    cut = truncation.apply(*sides_of(pairs), 2)
    assert [len(row) for row in rows_of(cut[0])] == [0, 2, 0, 1]
    assert [len(row) for row in rows_of(cut[1])] == [2, 0, 0, 1]
    assert [rows_of(side) for side in truncation.apply(*sides_of(pairs), 0)] == [[[]] * 4] * 2
    assert [rows_of(side) for side in truncation.apply(*sides_of([]), 2)] == [[], []]


@pytest.mark.parametrize("spec", SPECS)
def test_a_million_tokens(spec):
    first = Ragged.from_rows([np.arange(10**6), [1]])
    second = Ragged.from_rows([np.arange(5), [2]])
    cut = parse(spec).fit(first, second).apply(first, second, 999_999)
    assert cut[0].lengths[0] + cut[1].lengths[0] == 999_999
    assert (rows_of(cut[0])[1], rows_of(cut[1])[1]) == ([1], [2])


@given(rows=SIDES, learned=SIDES, budget=st.integers(0, 12))
@settings(deadline=None)
def test_salient_keeps_the_rarest_tokens(rows, learned, budget):
    documents = Counter(token for row in learned for token in set(row))
    side = Ragged.from_rows(rows)
    cut, _ = parse("longest_first+salient").fit(Ragged.from_rows(learned)).apply(side, None, budget)
    # A stable sort leaves ties in the order of the text.
    expected = [sorted(range(len(row)), key=lambda i, row=row: documents[row[i]])[:budget] for row in rows]
    assert rows_of(cut) == [
        [row[place] for place in sorted(places)] for row, places in zip(rows, expected, strict=True)
    ]


def test_salient_must_be_fitted():
    first, second = sides_of([([1, 2], [3])])
    with pytest.raises(InputError, match=r"salient must be fitted first: call fit\(first, second\)"):
        parse("ratio+head/salient").apply(first, second, 2)


def kept_places(spec, rows, keep):
    """Which of each row's tokens are kept, (rows, length) bool; all rows of one length."""
    side = Ragged.from_rows(rows)
    indices = parse(f"longest_first+{spec}").keep(side, None, keep).first
    kept = np.zeros(len(side.values), bool)
    kept[indices] = True
    return kept.reshape(len(rows), -1)


@pytest.mark.parametrize(("length", "keep"), [(5, 1), (7, 3), (12, 11)])
def test_random_draws_every_subset_alike_often(length, keep):
    rows = np.random.default_rng(length).integers(0, 30_000, (40_000, length))
    kept = kept_places("random", rows, keep)
    subsets = list(combinations(range(length), keep))
    codes = kept @ (1 << np.arange(length))
    counts = [np.sum(codes == sum(1 << place for place in subset)) for subset in subsets]
    assert sum(counts) == len(rows)
    assert stats.chisquare(counts).pvalue > 1e-3


def test_random_draws_depend_on_seed_and_side_but_not_on_the_data_around():
    rows = np.random.default_rng(1).integers(0, 100, (200, 20))
    kept = kept_places("random", rows, 10)
    np.testing.assert_array_equal(kept[::-1], kept_places("random", rows[::-1], 10))
    assert (kept != kept_places("random(seed=1)", rows, 10)).any(axis=1).mean() > 0.99
    side = Ragged.from_rows(rows)
    first, second = parse("longest_first+random").keep(side, side, 20)[:2]
    assert np.mean(first == second) < 0.2
    # One token more makes another row, with a draw of its own.
    longer = kept_places("random", np.column_stack([rows, rows[:, 0]]), 10)
    assert np.all((kept != longer[:, :20]).any(axis=1).mean() > 0.99)


def test_each_side_has_its_own_selection():
    first, second = sides_of([([1, 2, 3, 4], [5, 6, 7, 8])])
    assert [rows_of(side) for side in parse("ratio+tail/head").apply(first, second, 4)] == [
        [[3, 4]],
        [[5, 6]],
    ]
    assert [rows_of(side) for side in parse("ratio+head/tail").apply(first, second, 4)] == [
        [[1, 2]],
        [[7, 8]],
    ]


@pytest.mark.parametrize("split", SPLITS)
@given(rows=SIDES, budget=st.integers(0, 14))
@settings(deadline=None, max_examples=20)
def test_a_single_text_keeps_the_budget(split, rows, budget):
    cut, none = parse(f"{split}+tail").apply(Ragged.from_rows(rows), None, budget)
    assert none is None
    assert rows_of(cut) == [row[max(len(row) - budget, 0) :] for row in rows]


def test_a_single_text_has_no_second_one_to_cut():
    side = Ragged.from_rows([[1, 2], [1, 2, 3]])
    with pytest.raises(
        InputError, match="only_second has nothing to cut, as no row has a second text; use longest"
    ):
        parse("only_second").apply(side, None, 2)


def test_a_side_that_loses_nothing_is_not_copied():
    first, second = sides_of([([1, 2, 3], [4]), ([5], [6])])
    cut = parse("only_first").apply(first, second, 3)
    assert cut[1] is second
    assert rows_of(cut[0]) == [[1, 2], [5]]


def test_rows_may_be_a_part_of_the_values():
    # A Ragged that is a window on a larger array: the indices are into its values all the same.
    window = Ragged(np.arange(10, dtype=np.int32), np.array([2, 5, 7]))
    for budget, expected in ((9, [[2, 3, 4], [5, 6]]), (2, [[3, 4], [5, 6]])):
        cut, _ = parse("ratio+tail").apply(window, None, budget)
        assert parse("ratio+tail").keep(window, None, budget).first.tolist() == [*expected[0], *expected[1]]
        assert rows_of(cut) == expected


def test_the_dtype_and_a_memory_map_are_kept(tmp_path):
    np.save(tmp_path / "values.npy", np.arange(6, dtype=np.uint16))
    np.save(tmp_path / "offsets.npy", np.array([0, 4, 6]))
    side = Ragged(*(np.load(tmp_path / f"{name}.npy", mmap_mode="r") for name in ("values", "offsets")))
    cut, _ = parse("ratio+head_tail").apply(side, None, 2)
    assert cut.values.dtype == np.uint16
    assert rows_of(cut) == [[0, 3], [4, 5]]


def test_wrong_input_is_refused():
    one, two = sides_of([([1], [2])])[0], Ragged.from_rows([[1], [2]])
    with pytest.raises(InputError, match="1 first texts, but 2 second texts"):
        parse("ratio").apply(one, two, 4)
    with pytest.raises(InputError, match="the budget is -2 tokens"):
        parse("ratio").apply(one, None, -2)


def test_rounded_share_takes_the_share_as_written():
    numbers = np.concatenate([np.arange(3000), 10**6 - np.arange(3000)])
    for percent in range(101):
        exact = (2 * percent * numbers + 100) // 200
        np.testing.assert_array_equal(rounded_share(percent / 100, numbers), exact)
