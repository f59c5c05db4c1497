"""One row of a study's data as each truncation and length leaves it. Free of torch."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from trimtab.config import InputError, nearest
from trimtab.data.dataset import Dataset, readable
from trimtab.data.encoding import guarded, without_template
from trimtab.data.examples import NO_EVIDENCE, Examples
from trimtab.data.input_template import InputTemplate
from trimtab.data.target import Target, as_words
from trimtab.data.tokenizer import unknown_id
from trimtab.plan.cuts import Cut, distinct_cuts, fitted
from trimtab.plan.prepare import PreparedVariant, by_dataset, prepare
from trimtab.ragged import Ragged
from trimtab.study.definition import Study
from trimtab.truncation.windows import Laid, Windows, lay

Mask = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Side:
    """A text and where its tokens stand in it: ``spans`` (tokens, 2) int64, the characters from and to.

    evidence: the number of the token that decides, None where that is not known; unknown: the words that the
    vocabulary lacks.
    """

    text: str
    ids: NDArray[np.int32]
    spans: NDArray[np.int64]
    evidence: int | None
    unknown: tuple[str, ...]

    def word(self, token: int) -> str:
        """What a token stands for in the text."""
        return self.text[slice(*self.spans[token])]


@dataclass(frozen=True)
class Block:
    """What these cuts keep: a mask (tokens,) bool for each side; None where they refuse the row, ``budget``
    being the tokens that they had to give. windows: where several windows begin and end in the last text, in
    its tokens.
    """

    cuts: tuple[Cut, ...]
    kept: tuple[Mask, ...] | None
    budget: int
    windows: tuple[tuple[int, int], ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """How a person calls the cuts."""
        return tuple(map(str, self.cuts))


@dataclass(frozen=True)
class Shown:
    """A row, from 0, of ``rows`` in a split: its label, its texts, and what is kept of them.

    ``unknown_token`` is what the model sees for a word that the vocabulary lacks; ``tokenizer`` is the name
    of the tokeniser that read the row, where the study has several; ``target`` says what the label is.
    """

    split: str
    row: int
    rows: int
    label: str
    sides: tuple[Side, ...]
    blocks: tuple[Block, ...]
    unknown_token: str
    tokenizer: str | None = None
    target: Target = "classes"


def show_row(study: Study, row: int, split: str | None = None, data: Path | None = None) -> tuple[Shown, ...]:
    """Row ``row`` of ``split`` (else of the first test set) under every truncation and length of ``study``.

    Once for each tokeniser that variants read with. Truncations are fitted on the whole training split, but
    only this row is cut: that others are refused does not matter here. InputError where there is no such
    split or row.
    """
    known = ["train", "validation", *study.data.tests]
    split = split or known[2]
    if split not in known:
        raise InputError(f"--split {split}: the study has no such split, {nearest(split, known)}")
    prepared = prepare(study, data)
    examples = prepared.examples[split]
    if not 0 <= row < len(examples):
        raise InputError(
            f"--row {row}: {split} has {len(examples):,} rows; take a number from 0 to {len(examples) - 1}"
        )
    groups = by_dataset(prepared.variants)
    shown = [_shown(dataset, distinct_cuts(those), examples, split, row) for dataset, those in groups.items()]
    if len(groups) == 1:
        return tuple(shown)
    return tuple(replace(each, tokenizer=dataset.name) for each, dataset in zip(shown, groups, strict=True))


def _shown(dataset: Dataset, cuts: list[Cut], examples: Examples, split: str, row: int) -> Shown:
    sides, blocks = blocks_of_row(dataset, fitted(cuts, dataset.splits["train"]), examples, row)
    label = as_words(float(examples.labels[row]), examples.label_names)
    unknown = _unknown_token(dataset.tokenizer)
    return Shown(split, row, len(examples), label, sides, blocks, unknown, target=examples.target)


def ready_cuts(dataset: Dataset, variants: Iterable[PreparedVariant]) -> list[Cut]:
    """The distinct cuts of variants that read ``dataset``, fitted on its training split."""
    return fitted(distinct_cuts(variants), dataset.splits["train"])


def blocks_of_row(
    dataset: Dataset, cuts: Sequence[Cut], examples: Examples, row: int
) -> tuple[tuple[Side, ...], tuple[Block, ...]]:
    """A row's texts as ``dataset`` reads them, and what each of ``cuts``, which are fitted, keeps of them."""
    tokenizer = dataset.tokenizer
    sides = _sides(readable(examples.take([row]), tokenizer), tokenizer)
    return sides, _blocks(cuts, sides, dataset.template)


def pieces(text: str, spans: NDArray[np.int64], kept: Mask) -> list[tuple[str, bool]]:
    """The text in pieces that are kept or cut in turn; joined they are the text.

    spans (tokens, 2) int64 and kept (tokens,) bool. What stands between two tokens is cut where both are, and
    a character that belongs to several tokens is kept with any of them.
    """
    return [(text[start:end], is_kept) for start, end, is_kept in _marked(text, spans, kept)]


def kept_ranges(text: str, spans: NDArray[np.int64], kept: Mask) -> tuple[tuple[int, int], ...]:
    """The characters of the text that ``pieces`` calls kept: from and to of each piece."""
    return tuple((start, end) for start, end, is_kept in _marked(text, spans, kept) if is_kept)


def _marked(text: str, spans: NDArray[np.int64], kept: Mask) -> list[tuple[int, int, bool]]:
    marks = np.ones(len(text), bool)
    for first, last in _runs(~kept):
        marks[spans[first, 0] : spans[last, 1]] = False
    for start, end in spans[kept]:
        marks[start:end] = True
    edges = [0, *(np.flatnonzero(np.diff(marks)) + 1).tolist(), len(text)]
    return [(start, end, bool(marks[start])) for start, end in pairwise(edges) if start < end]


def _runs(mask: Mask) -> list[tuple[int, int]]:
    """First and last index of each run of true values."""
    steps = np.diff(mask.astype(np.int8), prepend=0, append=0)
    starts, ends = np.flatnonzero(steps == 1), np.flatnonzero(steps == -1)
    return list(zip(starts.tolist(), (ends - 1).tolist(), strict=True))


def _sides(row: Examples, tokenizer: Tokenizer) -> tuple[Side, ...]:
    texts = [row.first, *([] if row.second is None else [row.second])]
    evidence = [None, None] if row.evidence is None else row.evidence[0].tolist()
    places = [None if place == NO_EVIDENCE else place for place in evidence]
    return tuple(_side(text, place, tokenizer) for [text], place in zip(texts, places, strict=False))


def _side(text: str, evidence: int | None, tokenizer: Tokenizer) -> Side:
    encoding = guarded(tokenizer, [text]).encode(text, add_special_tokens=False)
    spans = np.array(encoding.offsets, np.int64).reshape(-1, 2)
    ids = without_template(tokenizer)(np.array(encoding.ids, np.int64))
    unknown = spans[ids == unknown_id(tokenizer)]
    words = tuple(dict.fromkeys(text[slice(*span)] for span in unknown.tolist()))
    return Side(text, ids.astype(np.int32), spans, evidence, words)


def _unknown_token(tokenizer: Tokenizer) -> str:
    unknown = unknown_id(tokenizer)
    return "" if unknown is None else str(tokenizer.id_to_token(unknown))


def _blocks(cuts: Sequence[Cut], sides: tuple[Side, ...], template: InputTemplate) -> tuple[Block, ...]:
    """What each cut keeps; those that keep the same share a block."""
    found: dict[bytes, Block] = {}
    for cut in cuts:
        room = template.budget(cut.max_len, len(sides))
        kept = _kept(cut, sides, room)
        windows = () if kept is None else _windows(cut, sides, room)
        same = b"refused %d" % room if kept is None else b"".join(mask.tobytes() for mask in kept)
        same += repr((windows, windows and cut.windows)).encode()
        others = found[same].cuts if same in found else ()
        found[same] = Block((*others, cut), kept, room, windows)
    return tuple(found.values())


def _windows(cut: Cut, sides: tuple[Side, ...], room: int) -> tuple[tuple[int, int], ...]:
    """From and to of each window over the last text, where there are several."""
    if cut.windows is None:
        return ()
    laid = _laid(cut.windows, sides, room)
    ends = laid.start + laid.keep
    return tuple(zip(laid.start.tolist(), ends.tolist(), strict=True)) if len(ends) > 1 else ()


def _laid(windows: Windows, sides: tuple[Side, ...], room: int) -> Laid:
    first, *rest = (np.array([len(side.ids)]) for side in sides)
    return lay(windows, first, rest[0] if rest else None, room)


def _kept_by_windows(windows: Windows, sides: tuple[Side, ...], room: int) -> tuple[Mask, ...] | None:
    try:
        laid = _laid(windows, sides, room)
    except InputError:
        return None
    masks = [np.ones(len(side.ids), bool) for side in sides]
    masks[-1][laid.start[-1] + laid.keep[-1] :] = False  # which the first window alone leaves out
    return tuple(masks)


def _kept(cut: Cut, sides: tuple[Side, ...], room: int) -> tuple[Mask, ...] | None:
    if cut.windows is not None:
        return _kept_by_windows(cut.windows, sides, room)
    first, *rest = [Ragged.from_rows([side.ids]) for side in sides]
    try:
        kept = cut.truncation.keep(first, rest[0] if rest else None, room)
    except InputError:
        return None
    masks = [np.zeros(len(side.ids), bool) for side in sides]
    for mask, index in zip(masks, kept, strict=False):
        mask[index] = True
    return tuple(masks)
