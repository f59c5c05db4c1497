"""One row as each variant sees it: on words against slices of the word list, elsewhere by its characters."""

import json
import re
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trimtab.config import InputError
from trimtab.data.readers import read
from trimtab.plan.prepare import prepare
from trimtab.plan.show import pieces, show_row

pytestmark = pytest.mark.usefixtures("own_environment")

CUTS = ('"longest_first", "ratio"', '"longest_first", "ratio", "only_first+tail", "only_second"')
LENGTHS = (*CUTS, "[12, 40]", "[12, 13, 40]")
OPTIONS = {"train": 320, "test": 60, "first_length": [8, 14], "second_length": [4, 6]}


@pytest.fixture
def loaded(tmp_path, tiny, study_at):
    """loaded(old, new, ...): the tiny study with replacements."""
    return lambda *replacements: study_at(tmp_path, tiny(*replacements))


def shown_row(*arguments, **options):
    """What ``show_row`` says of a study with one tokeniser."""
    [shown] = show_row(*arguments, **options)
    return shown


def naive(name, first, second):
    """The words that a cut keeps of each side, word by word; None where it refuses the pair."""
    spec, max_len = name.split(", max_len ")
    budget = int(max_len) - 3
    sides = [list(first), list(second)]
    share = len(first) * min(budget, len(first) + len(second)) / (len(first) + len(second))
    if (spec == "only_first+tail" and len(second) > budget) or (
        spec == "only_second" and len(first) > budget
    ):
        return None
    while len(sides[0]) + len(sides[1]) > budget:
        if spec == "ratio":
            number = 0 if len(sides[0]) > int(share + 0.5) else 1
        else:
            longer = 0 if len(sides[0]) > len(sides[1]) else 1
            number = {"only_first+tail": 0, "only_second": 1}.get(spec, longer)
        sides[number].pop(0 if spec == "only_first+tail" else -1)
    return sides


@pytest.mark.parametrize("split", ["train", "validation", "test"])
@pytest.mark.parametrize("row", [0, 7, 39])
def test_words_of_probe_against_slices(loaded, split, row):
    shown = shown_row(loaded(*LENGTHS), row, split)
    examples = read("probe", split, **OPTIONS)
    texts = [examples.first[row], examples.second[row]]
    assert [side.text for side in shown.sides] == texts
    assert shown.label == examples.label_names[examples.labels[row]]
    words = [text.split() for text in texts]
    decisive = [words[side][examples.evidence[row, side]] for side in range(2)]
    assert [side.word(side.evidence) for side in shown.sides] == decisive
    names = [name for block in shown.blocks for name in block.names]
    assert sorted(names) == sorted(variant.name for variant in loaded(*LENGTHS).variants)
    for block in shown.blocks:
        for name in block.names:
            expected = naive(name, *words)
            if expected is None:
                assert block.kept is None
                continue
            found = [
                "".join(piece for piece, kept in pieces(side.text, side.spans, mask) if kept).split()
                for side, mask in zip(shown.sides, block.kept, strict=True)
            ]
            assert found == expected


def test_variants_that_keep_the_same_share_a_block(loaded):
    shown = shown_row(loaded(*LENGTHS), 3)
    uncut = [block for block in shown.blocks if block.kept and all(mask.all() for mask in block.kept)]
    assert len(uncut) == 1
    assert {"longest_first, max_len 40", "only_second, max_len 40"} <= set(uncut[0].names)
    kept = [tuple(mask.tobytes() for mask in block.kept) for block in shown.blocks if block.kept]
    assert len(set(kept)) == len(kept)


def test_a_row_that_is_refused_and_one_that_is_not(loaded):
    study = loaded('"longest_first", "ratio"', '"only_second"', "[12, 40]", "[13]")
    lengths = [len(text.split()) for text in read("probe", "test", **OPTIONS).first]
    for row, length in ((int(np.argmax(lengths)), 14), (int(np.argmin(lengths)), 8)):
        [block] = shown_row(study, row).blocks
        assert lengths[row] == length
        assert (block.kept is None, block.budget) == (length > 10, 10)


def test_salient_is_fitted_on_the_whole_training_split(loaded):
    study = loaded('"ratio"', '"longest_first+salient"')
    dataset = prepare(study).variants[0].dataset
    [truncation] = {v.settings.truncation for v in study.variants if v.settings.truncation.needs_fit}
    train, test = dataset.splits["train"], dataset.splits["test"]
    kept = truncation.fit(train.first, train.second).keep(test.first, test.second, 9)
    for row in range(5):
        [block] = [b for b in shown_row(study, row).blocks if f"{truncation}, max_len 12" in b.names]
        places = kept.first - test.first.offsets[row]
        places = places[(places >= 0) & (kept.first < test.first.offsets[row + 1])]
        assert np.flatnonzero(block.kept[0]).tolist() == places.tolist()


TABLE = """\
question = "q"
[data]
reader = "table"
tokenizer = "vocab.txt"
first = "a"
label = "l"
[data.train]
file = "train.jsonl"
[data.test.own]
file = "test.jsonl"
[grid]
truncation = ["longest_first"]
max_len = [5]
seeds = 1
"""


def test_word_pieces_are_cut_inside_a_word(study_at, tmp_path):
    words = ["[UNK]", "[CLS]", "[SEP]", "una", "##ffe", "##cted", "cafe", "##s"]
    (tmp_path / "vocab.txt").write_text("\n".join(words))
    for name in ("train", "test"):
        rows = [{"a": "Cafés  unaffected\tzebra!", "l": "x"}, {"a": "cafe", "l": "y"}] * 20
        (tmp_path / f"{name}.jsonl").write_text("\n".join(map(json.dumps, rows)))
    study = study_at(tmp_path, TABLE)
    shown = shown_row(study, 0, data=tmp_path)
    [side], [block] = shown.sides, shown.blocks
    assert (shown.split, shown.unknown_token, side.unknown) == ("own", "[UNK]", ("zebra", "!"))
    assert pieces(side.text, side.spans, block.kept[0]) == [("Cafés  una", True), ("ffected\tzebra!", False)]
    assert shown_row(study, 1, data=tmp_path).sides[0].unknown == ()


@pytest.mark.parametrize(
    ("row", "split", "sentence"),
    [
        (60, None, "--row 60: test has 60 rows; take a number from 0 to 59"),
        (-1, "train", "--row -1: train has 320 rows; take a number from 0 to 319"),
        (0, "tset", "--split tset: the study has no such split, did you mean 'test'?"),
    ],
)
def test_what_is_not_there(loaded, row, split, sentence):
    with pytest.raises(InputError, match=f"^{re.escape(sentence)}$"):
        shown_row(loaded(*LENGTHS), row, split)


@st.composite
def marked_words(draw):
    """Words with gaps between them, their spans, and which are kept."""
    words = draw(
        st.lists(st.tuples(st.text("ab", min_size=1, max_size=3), st.text(" \n", max_size=2)), max_size=9)
    )
    text, spans = " ", []
    for word, gap in words:
        spans.append((len(text), len(text) + len(word)))
        text += word + gap
    kept = draw(st.lists(st.booleans(), min_size=len(words), max_size=len(words)))
    return text, np.array(spans, np.int64).reshape(-1, 2), np.array(kept, bool)


@given(marked_words())
def test_pieces_are_the_text_with_every_token_in_its_own(made):
    text, spans, kept = made
    found = pieces(text, spans, kept)
    assert "".join(piece for piece, _ in found) == text
    assert all(one != other for (_, one), (_, other) in pairwise(found))
    marks = [mark for piece, mark in found for _ in piece]
    for (start, end), wanted in zip(spans.tolist(), kept.tolist(), strict=True):
        assert marks[start:end] == [wanted] * (end - start)
    between = [(spans[i, 1], spans[i + 1, 0], not kept[i] and not kept[i + 1]) for i in range(len(spans) - 1)]
    for start, end, cut in between:
        assert marks[start:end] == [not cut] * (end - start)


def test_a_character_of_two_tokens_is_kept_with_either():
    spans = np.array([[0, 1], [0, 1], [1, 2]])
    assert pieces("éa", spans, np.array([True, False, False])) == [("é", True), ("a", False)]
    assert pieces("éa", spans, np.array([False, True, False])) == [("é", True), ("a", False)]
    assert pieces("éa", spans, np.zeros(3, bool)) == [("éa", False)]
