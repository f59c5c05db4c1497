import hashlib
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from small_data import dataset_of
from trimtab import ragged as ragged_module
from trimtab.config import InputError
from trimtab.data import growing, probe
from trimtab.data import pairs as pairs_module
from trimtab.data.dataset import DataPlan, SplitSource
from trimtab.data.input_template import bert_template
from trimtab.data.pairs import ceiling, make_pairs
from trimtab.data.tokenizer import SpecialTokens
from trimtab.ragged import Ragged
from trimtab.truncation import parse

CLS, SEP = 3, 4
TEMPLATE = bert_template(SpecialTokens(CLS, SEP))
texts = st.lists(st.integers(5, 30), max_size=9)
rows_of_pairs = st.lists(st.tuples(texts, texts), min_size=1, max_size=12)


def naive_lengths(a, b, budget, split):
    """How many tokens of each side are kept, token by token."""
    first, second = a, b
    while first + second > budget:
        # The split is longest_first, or only_first(otherwise=longest_first).
        cut_first = first > second or (split == "only_first" and b <= budget)
        first, second = (first - 1, second) if cut_first else (first, second - 1)
    return first, second


def naive_select(text, keep, selection):
    return text[:keep] if selection == "head" else text[len(text) - keep :]


CUTS = {
    "longest_first": ("longest_first", "head", "head"),
    "longest_first+tail": ("longest_first", "tail", "tail"),
    "longest_first+tail/head": ("longest_first", "tail", "head"),
    "only_first(otherwise=longest_first)": ("only_first", "head", "head"),
    "only_first(otherwise=longest_first)+head/tail": ("only_first", "head", "tail"),
}


@pytest.mark.parametrize("spec", CUTS)
@settings(max_examples=40, deadline=None)
@given(rows=rows_of_pairs, max_len=st.integers(3, 24))
def test_equals_the_naive_loop(tokens_of, spec, rows, max_len):
    labels = np.arange(len(rows)) % 3
    pairs = make_pairs(tokens_of(*zip(*rows, strict=True), labels), parse(spec), max_len, TEMPLATE)
    split, select_first, select_second = CUTS[spec]
    assert len(pairs) == len(pairs.tokens) == len(rows)
    assert pairs.labels.tolist() == labels.tolist()
    for row, (a, b) in enumerate(rows):
        keep = naive_lengths(len(a), len(b), max_len - 3, split)
        first, second = naive_select(a, keep[0], select_first), naive_select(b, keep[1], select_second)
        assert pairs.tokens[row].tolist() == [CLS, *first, SEP, *second, SEP]
        assert pairs.first_lengths[row] == len(first) + 2


@settings(max_examples=60, deadline=None)
@given(rows=st.lists(texts, min_size=1, max_size=12), max_len=st.integers(2, 14), tail=st.booleans())
def test_single_texts(tokens_of, rows, max_len, tail):
    spec = "longest_first+tail" if tail else "longest_first"
    pairs = make_pairs(tokens_of(rows), parse(spec), max_len, TEMPLATE)
    for row, text in enumerate(rows):
        kept = naive_select(text, min(len(text), max_len - 2), "tail" if tail else "head")
        assert pairs.tokens[row].tolist() == [CLS, *kept, SEP]
        assert pairs.first_lengths[row] == len(kept) + 2
    assert pairs.visible is None


ALL = ["longest_first", "longest_first+tail", "ratio", "only_first", "only_second+head_tail"]


@settings(max_examples=30, deadline=None)
@given(rows=rows_of_pairs)
def test_where_nothing_is_cut_every_strategy_has_the_same_fingerprint(tokens_of, rows):
    tokens = tokens_of(*zip(*rows, strict=True))
    longest = max(len(a) + len(b) for a, b in rows) + 3
    made = [make_pairs(tokens, parse(spec), longest + extra, TEMPLATE) for spec in ALL for extra in (0, 7)]
    assert len({pairs.fingerprint for pairs in made}) == 1
    assert len({tuple(pairs.row_digests()) for pairs in made}) == 1


@settings(max_examples=60, deadline=None)
@given(rows=rows_of_pairs, max_len=st.integers(3, 20))
def test_fingerprints_and_digests_are_equal_where_inputs_are(tokens_of, rows, max_len):
    tokens = tokens_of(*zip(*rows, strict=True))
    one, two = (make_pairs(tokens, parse(spec), max_len, TEMPLATE) for spec in ALL[:2])
    same = [one.tokens[row].tolist() == two.tokens[row].tolist() for row in range(len(rows))]
    same &= one.first_lengths == two.first_lengths
    assert np.array_equal(one.row_digests() == two.row_digests(), same)
    assert (one.fingerprint == two.fingerprint) == all(same)


def test_the_fingerprint_sees_labels_order_and_boundaries(tokens_of):
    first, second = [[5, 6], [7]], [[8], [9, 9]]
    made = [
        tokens_of(first, second, [0, 1]),
        tokens_of(first, second, [1, 1]),
        tokens_of(first[::-1], second[::-1], [1, 0]),
        tokens_of([[5], [7]], [[6, 8], [9, 9]], [0, 1]),
        tokens_of(first[:1], second[:1], [0]),
    ]
    assert len({make_pairs(tokens, parse("ratio"), 20, TEMPLATE).fingerprint for tokens in made}) == len(made)
    # The same flat tokens, cls 5 sep sep sep, with the boundary in two places.
    one, two = (tokens_of([first], [second]) for first, second in (([5], [SEP]), ([5, SEP], [])))
    one, two = (make_pairs(tokens, parse("ratio"), 20, TEMPLATE) for tokens in (one, two))
    assert one.tokens[0].tolist() == two.tokens[0].tolist()
    assert one.fingerprint != two.fingerprint


def test_digests_tell_rows_apart_by_token_place_and_boundary(tokens_of):
    # The same tokens in all rows but the last two; [5, SEP] is a text that holds the separator's id.
    first = [[5, 6], [6, 5], [5], [5, SEP], [], [5, 6], [5, 7]]
    second = [[SEP, 7], [SEP, 7], [6, SEP, 7], [7], [5, 6, SEP, 7], [SEP, 7], [SEP, 7]]
    digests = make_pairs(tokens_of(first, second), parse("ratio"), 20, TEMPLATE).row_digests()
    assert digests.dtype == np.uint64
    assert digests[0] == digests[5]
    assert len(set(digests.tolist())) == 6
    # The same flat tokens, cut by the boundary alone: cls 5 sep sep sep is read in two ways.
    boundary = make_pairs(tokens_of([[5], [5, SEP]], [[SEP], []]), parse("ratio"), 20, TEMPLATE)
    assert boundary.tokens[0].tolist() == boundary.tokens[1].tolist()
    assert len(set(boundary.row_digests().tolist())) == 2


def test_digests_of_many_short_rows_do_not_collide(tokens_of):
    first = [[a, b] for a in range(5, 205) for b in range(5, 105)]
    pairs = make_pairs(tokens_of(first), parse("longest_first"), 8, TEMPLATE)
    assert len(set(pairs.row_digests().tolist())) == len(first)


@pytest.mark.parametrize(("second", "special"), [([[6, 7]], 3), (None, 2)])
def test_max_len_under_the_special_tokens_is_refused(tokens_of, second, special):
    tokens = tokens_of([[5]], second)
    for max_len in range(special):
        with pytest.raises(
            InputError, match=f"max_len {max_len} leaves no room .* use {special + 1} or more"
        ):
            make_pairs(tokens, parse("longest_first"), max_len, TEMPLATE)
    assert len(make_pairs(tokens, parse("longest_first"), special, TEMPLATE).tokens[0]) == special


def test_a_refusing_split_is_an_input_error(tokens_of):
    with pytest.raises(InputError, match="only_first"):
        make_pairs(tokens_of([[5]], [[6] * 9]), parse("only_first"), 8, TEMPLATE)


@settings(max_examples=60, deadline=None)
@given(
    rows=st.lists(st.tuples(*[st.integers(1, 9)] * 2), min_size=1, max_size=9),
    max_len=st.integers(3, 20),
    spec=st.sampled_from(ALL[:3]),
    data=st.data(),
)
def test_visible_is_whether_the_decisive_word_is_left(tokens_of, rows, max_len, spec, data):
    evidence = [[data.draw(st.integers(0, length - 1)) for length in row] for row in rows]
    # Every token tells its place; the decisive one is whichever the evidence names.
    first = [list(range(100, 100 + a)) for a, _ in rows]
    second = [list(range(200, 200 + b)) for _, b in rows]
    pairs = make_pairs(tokens_of(first, second, evidence=evidence), parse(spec), max_len, TEMPLATE)
    for row, places in enumerate(evidence):
        left = [100 + places[0] in pairs.tokens[row], 200 + places[1] in pairs.tokens[row]]
        assert pairs.visible[row].tolist() == left


def best_accuracy(seen, labels):
    """The accuracy of the best classifier of what is seen: of each sight, its most frequent label."""
    right = 0
    for sight in set(seen):
        counted = np.bincount([label for each, label in zip(seen, labels, strict=True) if each == sight])
        right += counted.max()
    return right / len(labels)


@pytest.mark.parametrize("spec", ["longest_first", "longest_first+tail", "only_first", "ratio"])
def test_the_ceiling_is_what_the_best_reader_reaches(spec, own_environment):
    source = SplitSource("probe", "test", {"test": 6000, "first_length": [8, 16], "second_length": [4, 8]})
    dataset = dataset_of(DataPlan(source, source, {"test": source}, "whitespace", 1, True), None)
    tokens = dataset.splits["test"]
    pairs = make_pairs(tokens, parse(spec), 14, dataset.template)
    ids = [
        {dataset.tokenizer.token_to_id(word) for word in group}
        for group in (probe.SUPPORTING, probe.UNSUPPORTING, probe.VETOING, probe.PLAIN)
    ]
    # A perfect reader of the kept tokens: which of the four kinds of decisive word it still finds.
    seen = [tuple(bool(kind & set(pairs.tokens[row].tolist())) for kind in ids) for row in range(len(pairs))]
    limit = ceiling(pairs.visible)
    assert 0.4 < limit < 0.95
    # The oracle fits to the sample it is scored on, so it may lie above, by chance alone.
    assert best_accuracy(seen, pairs.labels) == pytest.approx(limit, abs=4 * 0.5 / len(pairs) ** 0.5)


@pytest.mark.parametrize(
    ("visible", "expected"), [((1, 1), 1), ((1, 0), 2 / 3), ((0, 1), 2 / 3), ((0, 0), 1 / 3)]
)
def test_the_ceiling_of_one_kind_of_row_is_exact(visible, expected):
    """All that can happen to a pair: label, whether the first supports; each label a third of the pairs."""
    worlds = [("entailment", 1, 0), ("neutral", 0, 0), ("contradiction", 1, 1), ("contradiction", 0, 1)]
    weights = [1 / 3, 1 / 3, 1 / 6, 1 / 6]
    best = {}
    for (label, supports, vetoes), weight in zip(worlds, weights, strict=True):
        sight = (supports if visible[0] else None, vetoes if visible[1] else None)
        best.setdefault(sight, {}).setdefault(label, 0)
        best[sight][label] += weight
    oracle = sum(max(labels.values()) for labels in best.values())
    assert oracle == pytest.approx(expected)
    assert ceiling(np.array([visible] * 5, bool)) == pytest.approx(oracle)


@pytest.fixture
def small_pieces(own_environment, monkeypatch):
    """Pieces of a few rows, everything in files."""
    monkeypatch.setattr(ragged_module, "_ROWS", 3)
    monkeypatch.setattr(ragged_module, "_TOKENS", 12)
    monkeypatch.setattr(growing, "_IN_MEMORY", 0)
    monkeypatch.setattr(pairs_module, "_HASHED", 5)


def as_int16(tokens):
    sides = (tokens.first, tokens.second)
    first, second = (side and Ragged(side.values.astype(np.int16), side.offsets) for side in sides)
    return replace(tokens, first=first, second=second)


CUTS_BY_PIECES = [
    "longest_first",
    "ratio+random",
    "ratio+salient/random(seed=2)",
    "fixed(first=0.3)+head_tail",
]


@pytest.mark.parametrize("spec", [*CUTS_BY_PIECES, "longest_first+middle"])
@pytest.mark.parametrize("single", [False, True])
def test_pieces_make_what_the_whole_makes(tokens_of, small_pieces, spec, single):
    random = np.random.default_rng(7)
    lengths = random.integers(0, 9, (40, 2))
    lengths[5] = 30, 40  # more than a piece's tokens
    first, second = ([random.integers(5, 30, n).tolist() for n in side] for side in lengths.T)
    labels, evidence = np.arange(40) % 3, np.zeros((40, 2), np.int64)
    first = [row or [5] for row in first]
    second = None if single else [row or [6] for row in second]
    tokens = tokens_of(first, second, labels, None if single else evidence)
    truncation = parse(spec).fit(tokens.first, tokens.second)
    made = make_pairs(tokens, truncation, 11, TEMPLATE)
    cut = truncation.apply(tokens.first, tokens.second, 9 if single else 8)
    for row in range(40):
        parts = [side[row].tolist() for side in cut if side is not None]
        assert made.tokens[row].tolist() == [CLS, *(x for part in parts for x in [*part, SEP])]
        assert made.first_lengths[row] == len(parts[0]) + 2
    assert isinstance(made.tokens.values, np.memmap)
    assert made.labels is tokens.labels
    half = make_pairs(as_int16(tokens), truncation, 11, TEMPLATE)
    assert half.tokens.values.dtype == np.int16
    assert half.fingerprint == made.fingerprint == plain_fingerprint(made)
    assert half.row_digests().tolist() == made.row_digests().tolist()
    if not single:
        kept = truncation.keep(tokens.first, tokens.second, 8)
        for column, (side, index) in enumerate(((tokens.first, kept.first), (tokens.second, kept.second))):
            assert made.visible[:, column].tolist() == np.isin(side.offsets[:-1], index).tolist()


def plain_fingerprint(pairs):
    """The hash as it is told to others: each array's length in eight bytes, then its numbers."""
    arrays = (
        (pairs.tokens.values, np.int32),
        (pairs.tokens.offsets, np.int64),
        (pairs.first_lengths, np.int32),
        (pairs.labels, np.int64),
    )
    told = b"".join(
        len(x).to_bytes(8, "little") + np.asarray(x).astype(dtype).tobytes() for x, dtype in arrays
    )
    return hashlib.sha256(told).hexdigest()[:32]


def test_the_fingerprint_is_the_same_in_every_version(tokens_of):
    tokens = tokens_of([[5, 6, 7], [8]], [[9], [10, 11]], [2, 0])
    pairs = make_pairs(tokens, parse("longest_first+tail"), 6, TEMPLATE)
    assert pairs.tokens.values.tolist() == [CLS, 6, 7, SEP, 9, SEP, CLS, 8, SEP, 10, 11, SEP]
    assert pairs.fingerprint == plain_fingerprint(pairs) == "23e394b13e74feef86b60cb797c71365"


def test_a_refused_row_is_named_by_its_number_in_the_split(tokens_of, small_pieces):
    first, second = [[5]] * 20, [[6]] * 20
    second[13] = second[17] = [6] * 9
    wanted = r"in 2 of 20 pairs it alone exceeds the budget of 5 tokens, first in row 13 \(.* it has 9;"
    with pytest.raises(InputError, match=wanted):
        make_pairs(tokens_of(first, second), parse("only_first"), 8, TEMPLATE)


def test_no_rows(tokens_of, own_environment):
    pairs = make_pairs(tokens_of([], []), parse("ratio+tail"), 8, TEMPLATE)
    assert (len(pairs), len(pairs.tokens), pairs.tokens.offsets.tolist()) == (0, 0, [0])
    assert pairs.row_digests().tolist() == []
