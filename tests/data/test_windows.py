"""Windows over a second text against a loop that lays them one by one."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trimtab.config import InputError
from trimtab.data.input_template import InputTemplate, Row
from trimtab.data.pairs import ceiling, make_pairs
from trimtab.truncation import parse
from trimtab.truncation.windows import Windows, lay, parse_windows

CUT = parse("longest_first")


def naive(a, b, budget, stride):
    """(start, tokens) of each window, one after another, until one reaches the end."""
    if a + b <= budget:
        return [(0, b)]
    room = budget - a
    step = max(1, int(np.floor(stride * room + 0.5 + 1e-9)))
    found, start = [], 0
    while start + room < b:
        found.append((start, room))
        start += step
    return [*found, (b - room, room)]


STRIDES = st.sampled_from([0.01, 0.25, 0.3, 0.5, 2 / 3, 0.99, 1.0])


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 60)), max_size=6), st.integers(10, 25), STRIDES)
def test_windows_are_laid_as_by_a_loop(lengths, budget, stride):
    whole, windowed = np.array(lengths, np.int64).reshape(-1, 2).T
    laid = lay(Windows(stride), whole, windowed, budget)
    expected = [naive(a, b, budget, stride) for a, b in lengths]
    assert laid.counts.tolist() == list(map(len, expected))
    found = list(zip(laid.row.tolist(), laid.start.tolist(), laid.keep.tolist(), strict=True))
    assert found == [(row, *each) for row, some in enumerate(expected) for each in some]
    # All of the text is in some window, and each is full.
    for row, (a, b) in enumerate(lengths):
        seen = np.zeros(b, bool)
        for _, start, keep in (each for each in found if each[0] == row):
            seen[start : start + keep] = True
            assert a + b <= budget or a + keep == budget
        assert seen.all()


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("second", "second(stride=0.5, pooling=max)"),
        ("second(stride=1)", "second(stride=1.0, pooling=max)"),
        (" second( pooling = mean ,stride=0.25) ", "second(stride=0.25, pooling=mean)"),
        ("second(pooling=first)", "second(stride=0.5, pooling=first)"),
    ],
)
def test_specs(text, canonical):
    windows = parse_windows(text)
    assert str(windows) == canonical
    assert parse_windows(canonical) == windows


def test_none_is_no_windows():
    assert parse_windows("none") is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("second(stride=0)", "stride must be over 0 and at most 1, not 0.0"),
        ("second(stride=1.5)", "stride must be over 0 and at most 1, not 1.5"),
        ("second(stride=-0.5)", "stride must be over 0 and at most 1, not -0.5"),
        ("second(stride=half)", "stride must be a number, not 'half'"),
        ("second(pooling=maximum)", "pooling cannot be 'maximum'; did you mean 'max'?"),
        ("second(strid=0.5)", "second has no option 'strid'; did you mean 'stride'?"),
        ("first(stride=0.5)", "only the second text can have windows: write none or second("),
        ("second+tail", "only the second text can have windows: write none or second("),
        ("second(", "this '(' is never closed"),
    ],
)
def test_wrong_specs(text, message):
    with pytest.raises(InputError) as raised:
        parse_windows(text)
    assert str(raised.value).startswith(f"windows {text!r}: {message}")


def test_windows_are_a_string():
    with pytest.raises(InputError, match=r"windows = True is wrong; write none or second\(stride=0\.5"):
        parse_windows(True)


@pytest.fixture
def pairs_of(tokens_of):
    """pairs_of((first, second), ...): rows of ids as Tokens."""
    return lambda *rows, **others: tokens_of(*map(list, zip(*rows, strict=True)), **others)


@pytest.fixture
def template():
    return InputTemplate(single=Row(((1,), (2,)), 2, 1), pair=Row(((1,), (2,), (2,)), 2, 1))


def test_rows_hold_their_windows(pairs_of, template):
    made = pairs_of(([5, 6], list(range(10, 20))), ([7], [30, 31]), ([], [40] * 9))
    pairs = make_pairs(made, CUT, 9, template, parse_windows("second(stride=0.5)"))
    assert [pairs.tokens[row].tolist() for row in range(3)] == [
        [
            *(1, 5, 6, 2, 10, 11, 12, 13, 2),
            *(1, 5, 6, 2, 12, 13, 14, 15, 2),
            *(1, 5, 6, 2, 14, 15, 16, 17, 2),
            *(1, 5, 6, 2, 16, 17, 18, 19, 2),
        ],
        [1, 7, 2, 30, 31, 2],
        [1, 2, *[40] * 6, 2] * 2,
    ]
    assert pairs.first_lengths.tolist() == [4, 3, 2]
    assert pairs.longest == 9
    assert pairs.windows.counts(pairs.tokens.lengths).tolist() == [4, 1, 2]


def test_single_texts(tokens_of, template):
    pairs = make_pairs(tokens_of([[5, 6, 7, 8, 9], [3]]), CUT, 5, template, parse_windows("second(stride=1)"))
    assert [pairs.tokens[row].tolist() for row in range(2)] == [[1, 5, 6, 7, 2, 1, 7, 8, 9, 2], [1, 3, 2]]


def test_rows_that_fit_are_those_of_no_windows(pairs_of, template):
    made = pairs_of(([5, 6], [10, 11, 12]), ([7], [30, 31]))
    uncut, windowed = (make_pairs(made, CUT, 8, template, each) for each in (None, Windows()))
    assert windowed.windows is None
    assert windowed.fingerprint == uncut.fingerprint
    assert windowed.row_digests().tolist() == uncut.row_digests().tolist()
    shorter = [make_pairs(made, CUT, 7, template, Windows(pooling=each)) for each in ("max", "mean")]
    assert shorter[0].fingerprint != shorter[1].fingerprint
    digests = [each.row_digests() for each in (uncut, *shorter)]
    assert [(digests[0] == each).tolist() for each in digests[1:]] == [[False, True]] * 2
    assert (digests[1] == digests[2]).tolist() == [False, True]


def test_the_first_window_alone_is_a_cut(pairs_of, template):
    made = pairs_of(([5, 6], list(range(10, 20))), ([7], [30, 31]))
    cut = make_pairs(made, parse("first_priority"), 9, template)
    first = make_pairs(made, CUT, 9, template, Windows(pooling="first"))
    assert first.fingerprint == cut.fingerprint


def test_a_first_text_that_leaves_no_room(pairs_of, template):
    made = pairs_of(([5] * 3, [10]), ([7] * 6, [30, 31]), ([7] * 8, [30]))
    with pytest.raises(InputError) as raised:
        make_pairs(made, CUT, 9, template, Windows())
    assert str(raised.value) == (
        "windows keep the first text whole, but in 2 of 3 pairs it leaves no token of the budget of 6 to the "
        "second, first in row 1 (counted from 0), where it has 6; use a larger max_len, or windows = 'none'"
    )


def test_no_evidence_is_lost(pairs_of, template):
    rows = [([5, 6], list(range(10, 20)))] * 10 + [([7], [30, 31])]
    evidence = [(place % 2, place) for place in range(10)] + [(0, 1)]
    made = pairs_of(*rows, evidence=evidence)
    assert make_pairs(made, CUT, 9, template, Windows()).visible.all()
    assert ceiling(make_pairs(made, CUT, 9, template, Windows()).visible) == 1
    for windows, truncation in ((Windows(pooling="first"), CUT), (None, parse("first_priority"))):
        seen = make_pairs(made, truncation, 9, template, windows).visible
        assert seen.tolist() == [[True, place < 4] for place in range(10)] + [[True, True]]
