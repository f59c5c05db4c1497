"""Every split against the loop it is the closed form of, and what it says when it refuses."""

from fractions import Fraction
from functools import lru_cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trimtab.config import InputError
from trimtab.ragged import Ragged
from trimtab.truncation import parse

LIMIT = 25


def naive_longest_first(a, b, budget, tie):
    """Takes tokens away one by one."""
    first, second = list(range(a)), list(range(b))
    while len(first) + len(second) > budget:
        if len(first) != len(second):
            longer = first if len(first) > len(second) else second
        elif tie == "hf_fast":  # the side that was longer at the start has the odd token, else the second
            longer = second if a > b else first
        else:
            longer = second if tie == "bert" else first
        longer.pop()
    return len(first), len(second)


@lru_cache(None)
def largest_remainder(a, b, budget):
    """Exact shares, rounded down; the token that is left goes to the larger remainder, a tie to the first."""
    if a + b <= budget:
        return a, b
    exact = Fraction(a * budget, a + b), Fraction(b * budget, a + b)
    kept = [int(share) for share in exact]
    remainders = [share - number for share, number in zip(exact, kept, strict=True)]
    if sum(kept) < budget:
        kept[0 if remainders[0] >= remainders[1] else 1] += 1
    return tuple(kept)


def naive_ratio(a, b, budget, minimum):
    first, second = largest_remainder(a, b, budget)
    if a + b > budget and min(a, minimum) + min(b, minimum) <= budget:
        first = max(first, min(a, minimum))
        first = min(first, budget - min(b, minimum))
        second = budget - first
    return first, second


def naive_only(a, b, budget, cut):
    """Takes tokens away from one side only; where that is not enough, as longest_first."""
    kept = [a, b]
    while sum(kept) > budget:
        if not kept[cut]:
            return naive_longest_first(a, b, budget, "bert")
        kept[cut] -= 1
    return tuple(kept)


def naive_priority(a, b, budget, order):
    """Hands out tokens one by one, to the first of ``order`` that still wants one."""
    wanted, kept = [a, b], [0, 0]
    for _ in range(budget):
        side = next((side for side in order if kept[side] < wanted[side]), None)
        if side is None:
            break
        kept[side] += 1
    return tuple(kept)


def round_robin(a, b, budget):
    """Hands out tokens in turn to the sides that still want one, the first side first."""
    kept = [0, 0]
    while sum(kept) < min(a + b, budget):
        for side, length in enumerate((a, b)):
            kept[side] += kept[side] < length and sum(kept) < budget
    return tuple(kept)


def naive_fixed(a, b, budget, share):
    """Each side takes of its own share what it needs; then each takes of what the other left."""
    shares = [int(share * budget + Fraction(1, 2)), 0]
    shares[1] = budget - shares[0]
    kept = [min(a, shares[0]), min(b, shares[1])]
    for side, length in enumerate((a, b)):
        kept[side] += min(length - kept[side], budget - sum(kept))
    return tuple(kept)


def naive_capped(a, b, budget, first, second, otherwise):
    """Takes tokens of each text over its cap away one by one; then the other split's own loop."""
    while a > first:
        a -= 1
    while b > second:
        b -= 1
    return ORACLES[otherwise](a, b, budget)


ANY = 10**9
CAPPED = {
    "capped(first=4)": (4, ANY, "longest_first"),
    "capped(second=7)": (ANY, 7, "longest_first"),
    "capped(first=6, second=9)": (6, 9, "longest_first"),
    "capped(first=0, second=3, otherwise=ratio)": (0, 3, "ratio"),
    "capped(first=5, otherwise=ratio(minimum=6))": (5, ANY, "ratio(minimum=6)"),
    "capped(first=8, second=8, otherwise=first_priority)": (8, 8, "first_priority"),
    "capped(first=9, otherwise=longest_first(tie=hf_fast))": (9, ANY, "longest_first(tie=hf_fast)"),
}
ORACLES = {
    "longest_first": lambda a, b, budget: naive_longest_first(a, b, budget, "bert"),
    "longest_first(tie=hf_fast)": lambda a, b, budget: naive_longest_first(a, b, budget, "hf_fast"),
    "longest_first(tie=tf_text)": lambda a, b, budget: naive_longest_first(a, b, budget, "tf_text"),
    "ratio(minimum=0)": lambda a, b, budget: naive_ratio(a, b, budget, 0),
    "ratio": lambda a, b, budget: naive_ratio(a, b, budget, 1),
    "ratio(minimum=6)": lambda a, b, budget: naive_ratio(a, b, budget, 6),
    "only_first(otherwise=longest_first)": lambda a, b, budget: naive_only(a, b, budget, 0),
    "only_second(otherwise=longest_first)": lambda a, b, budget: naive_only(a, b, budget, 1),
    "first_priority": lambda a, b, budget: naive_priority(a, b, budget, (0, 1)),
    "second_priority": lambda a, b, budget: naive_priority(a, b, budget, (1, 0)),
    "fixed": lambda a, b, budget: naive_fixed(a, b, budget, Fraction(7, 10)),
    "fixed(first=0.35)": lambda a, b, budget: naive_fixed(a, b, budget, Fraction(35, 100)),
    "fixed(first=0)": lambda a, b, budget: naive_fixed(a, b, budget, Fraction(0)),
    "fixed(first=1)": lambda a, b, budget: naive_fixed(a, b, budget, Fraction(1)),
}
UNCAPPED = tuple(ORACLES)
ORACLES |= {
    spec: lambda a, b, budget, caps=caps: naive_capped(a, b, budget, *caps) for spec, caps in CAPPED.items()
}


def check(spec, a, b, budget):
    keep_first, keep_second = parse(spec).split(a, b, budget)
    expected = [ORACLES[spec](x, y, budget) for x, y in zip(a.tolist(), b.tolist(), strict=True)]
    np.testing.assert_array_equal(np.stack([keep_first, keep_second], axis=1), expected)


@pytest.mark.parametrize("spec", ORACLES)
def test_equals_its_naive_loop(spec):
    a, b = (grid.ravel() for grid in np.indices((LIMIT, LIMIT)))
    for budget in range(LIMIT):
        check(spec, a, b, budget)


@pytest.mark.slow
@pytest.mark.parametrize("spec", ORACLES)
def test_equals_its_naive_loop_on_a_million_pairs(spec):
    rng = np.random.default_rng(0)
    for budget in rng.integers(0, 130, 10):
        a, b = rng.integers(0, 90, (2, 100_000))
        check(spec, a, b, int(budget))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("fixed(first=0.5)", "longest_first"),
        ("fixed(first=1)", "first_priority"),
        ("fixed(first=0)", "second_priority"),
    ],
)
def test_fixed_shares_that_have_a_name_of_their_own(one, other):
    a, b = (grid.ravel() for grid in np.indices((LIMIT, LIMIT)))
    for budget in range(LIMIT):
        np.testing.assert_array_equal(parse(one).split(a, b, budget), parse(other).split(a, b, budget))


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40)), min_size=1, max_size=8),
    st.integers(0, 50),
    st.none() | st.integers(0, 60),
    st.none() | st.integers(0, 60),
    st.sampled_from(UNCAPPED),
)
def test_caps_before_any_other_split(pairs, budget, first, second, otherwise):
    given = {"first": first, "second": second, "otherwise": otherwise}
    options = ", ".join(f"{name}={value}" for name, value in given.items() if value is not None)
    truncation = parse(f"capped({options})")
    assert parse(str(truncation)) == parse(truncation.resolved) == truncation
    caps = ANY if first is None else first, ANY if second is None else second
    expected = [naive_capped(a, b, budget, *caps, otherwise) for a, b in pairs]
    np.testing.assert_array_equal(
        np.stack(truncation.split(*np.transpose(pairs), budget), axis=1), np.reshape(expected, (-1, 2))
    )


def test_a_cap_of_the_query_leaves_the_passage_the_rest():
    keep_first, keep_second = parse("capped(first=64)").split([10, 64, 300, 300], [900, 900, 900, 20], 509)
    assert (keep_first.tolist(), keep_second.tolist()) == ([10, 64, 64, 64], [499, 445, 445, 20])
    # Where the cap is more than half of the budget, the split decides whether the query keeps that much.
    assert [kept.tolist() for kept in parse("capped(first=64)").split([300], [900], 101)] == [[51], [50]]
    whole = parse("capped(first=64, otherwise=first_priority)").split([300], [900], 101)
    assert [kept.tolist() for kept in whole] == [[64], [37]]


def test_caps_are_for_pairs():
    texts = Ragged.from_rows([[1, 2, 3]])
    message = (
        "capped limits each text of a pair, and these are single texts; use another split, such as "
        "longest_first, and a smaller max_len"
    )
    with pytest.raises(InputError, match=message):
        parse("capped(first=2)").apply(texts, None, 5)


def test_round_robin_is_longest_first():
    a, b = (grid.ravel() for grid in np.indices((20, 20)))
    for budget in range(30):
        expected = [round_robin(x, y, budget) for x, y in zip(a.tolist(), b.tolist(), strict=True)]
        np.testing.assert_array_equal(np.stack(parse("longest_first").split(a, b, budget), axis=1), expected)


@pytest.mark.parametrize(("spec", "cut"), [("only_first", 0), ("only_second", 1)])
def test_only_one_side_is_cut_or_the_pair_refused(spec, cut):
    truncation = parse(spec)
    a, b = (grid.ravel() for grid in np.indices((LIMIT, LIMIT)))
    for budget in range(LIMIT):
        fits = (b, a)[cut] <= budget
        keep = truncation.split(a[fits], b[fits], budget)
        np.testing.assert_array_equal(keep[1 - cut], (a, b)[1 - cut][fits])
        np.testing.assert_array_equal(keep[0] + keep[1], np.minimum(a + b, budget)[fits])
        if not fits.all():
            with pytest.raises(InputError, match=f"{(~fits).sum():,} of {LIMIT**2} pairs"):
                truncation.split(a, b, budget)


def test_ties_differ_as_often_as_documented():
    # Every a, b in 0..23 at max_len 4..23; the 250 pairs with an empty second are PairTruncation's affair.
    a, b = (grid.ravel() for grid in np.indices((24, 24)))
    cut = differ = 0
    for budget in range(1, 21):
        bert = parse("longest_first").split(a, b, budget)[0]
        fast = parse("longest_first(tie=hf_fast)").split(a, b, budget)[0]
        cut += (a + b > budget).sum()
        differ += (bert != fast).sum()
    assert (cut, differ) == (9750, 1845)


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        (
            "only_first",
            "only_first keeps the second text whole, but in 2 of 4 pairs it alone exceeds the budget of 5 "
            "tokens, first in row 1 (counted from 0), where it has 6; "
            "use only_first(otherwise=longest_first) or a larger max_len",
        ),
        (
            "only_second",
            "only_second keeps the first text whole, but in 1 of 4 pairs it alone exceeds the budget of 5 "
            "tokens, first in row 3 (counted from 0), where it has 9; "
            "use only_second(otherwise=longest_first) or a larger max_len",
        ),
    ],
)
def test_refusal_says_how_many_which_and_what_to_do(spec, message):
    with pytest.raises(InputError) as caught:
        parse(spec).split([1, 2, 3, 9], [5, 6, 5, 8], 5)
    assert str(caught.value) == message


@pytest.mark.parametrize("spec", [*UNCAPPED, "only_first", "only_second", "capped"])
def test_extremes(spec):
    split = parse(spec).split
    assert [kept.tolist() for kept in split([], [], 5)] == [[], []]
    assert [kept.tolist() for kept in split([0, 1, 0], [0, 0, 1], 1)] == [[0, 1, 0], [0, 0, 1]]
    assert [kept.tolist() for kept in split([0], [0], 0)] == [[0], [0]]
    assert [kept.tolist() for kept in split([7], [3], 10**30)] == [[7], [3]]
    keep_first, keep_second = split(np.array([10**6], np.int32), np.array([3], np.uint8), 10**6)
    assert keep_first.dtype == keep_second.dtype == np.int64
    assert keep_first + keep_second == 10**6


def test_the_longest_texts_leave_no_64_bits():
    longest = 2**30 - 1
    for budget in (longest, 2 * longest - 1, 2**62):
        kept = min(2 * longest, budget)
        assert [side.tolist() for side in parse("ratio").split([longest], [longest], budget)] == [
            [-(-kept // 2)],
            [kept // 2],
        ]


def test_budget_0_keeps_nothing():
    for spec in ORACLES:
        assert [kept.tolist() for kept in parse(spec).split([3, 0, 2], [2, 4, 0], 0)] == [[0] * 3, [0] * 3]


@pytest.mark.parametrize(
    ("a", "b", "budget", "message"),
    [
        (
            [3],
            [2],
            -1,
            "the budget is -1 tokens, below 0: max_len must have room for the special tokens (3 for",
        ),
        ([3], [2, 1], 4, "1 first texts, but 2 second texts: there must be as many"),
        ([3.5], [2], 4, "lengths must be a one-dimensional array of whole numbers from 0 on"),
        ([2**30], [2], 4, "a text of 1,073,741,824 tokens is too long; texts must be under 1,073,741,824"),
        ([-1], [2], 4, "lengths must be a one-dimensional array of whole numbers from 0 on"),
        ([[1]], [[2]], 4, "lengths must be a one-dimensional array of whole numbers from 0 on"),
    ],
)
def test_wrong_input_is_refused(a, b, budget, message):
    with pytest.raises(InputError) as caught:
        parse("longest_first").split(a, b, budget)
    assert str(caught.value).startswith(message)


def test_a_budget_is_a_whole_number():
    with pytest.raises(TypeError):
        parse("longest_first").split([3], [2], 4.5)
