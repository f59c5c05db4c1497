"""Template: where a tokeniser puts its special tokens around texts, learnt from one row of its output."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trimtab.config import InputError
from trimtab.ragged import Ragged, offsets_of, ranges

SPECIAL = -1


@dataclass(frozen=True, eq=False)
class Template:
    """The pieces of a row in their order, and their values under every key of the tokeniser's result.

    `sides` (pieces,): 0 for the first text, 1 for the second, SPECIAL for a run of special tokens.
    `columns`: for each key, in the tokeniser's order, one array per piece: for a run of special tokens its
    values, for a text the one value that all its tokens share (except under ``input_ids``).
    """

    sides: tuple[int, ...]
    columns: dict[str, list[NDArray[np.int64]]]

    @classmethod
    def of(cls, row: dict[str, Any], sequence_ids: Sequence[int | None], texts: Sequence[Any]) -> "Template":
        """Derives a template from a row of the tokeniser's output and the side of each of its tokens.

        `texts`: the tokens of each text alone. InputError where the row does not contain them in one piece.
        """
        sides = np.array([SPECIAL if side is None else side for side in sequence_ids], np.int64)
        starts = np.flatnonzero(np.diff(sides, prepend=SPECIAL - 1))
        columns = {key: np.split(np.asarray(values, np.int64), starts)[1:] for key, values in row.items()}
        template = cls(tuple(sides[starts].tolist()), columns)
        template._check(texts)
        for pieces in columns.values():
            for number, side in enumerate(template.sides):
                pieces[number] = pieces[number][: None if side == SPECIAL else 1]
        return template

    def _check(self, texts: Sequence[Any]) -> None:
        found = [[p for s, p in self._pieces("input_ids") if s == side] for side in range(len(texts))]
        for text, pieces in zip(texts, found, strict=True):
            if [piece.tolist() for piece in pieces] != [list(text)] * bool(len(text)):
                raise InputError(
                    "the tokeniser does more than add special tokens around texts, so texts cannot be cut "
                    "beforehand; use one that keeps the tokens of each text together and unchanged"
                )

    def _pieces(self, key: str) -> Iterator[tuple[int, NDArray[np.int64]]]:
        return zip(self.sides, self.columns[key], strict=True)

    @property
    def special_tokens(self) -> int:
        """How many special tokens a row has."""
        return sum(len(piece) for side, piece in self._pieces("input_ids") if side == SPECIAL)

    def fill(self, texts: Sequence[Ragged]) -> dict[str, Ragged]:
        """Rows with special tokens from the tokens of each text, Ragged: a Ragged of int64 for each key.

        A text that has no place in the template must have no tokens in any row.
        """
        rows = len(texts[0])
        offsets = offsets_of(self.special_tokens + np.sum([text.lengths for text in texts], axis=0))
        result = {key: Ragged(np.empty(offsets[-1], np.int64), offsets) for key in self.columns}
        start = offsets[:-1]
        for number, side in enumerate(self.sides):
            lengths = self._lengths(number, texts, rows)
            place = ranges(start, lengths)
            for key, pieces in self.columns.items():
                is_text = side != SPECIAL and key == "input_ids"
                values = texts[side].values if is_text else np.resize(pieces[number], len(place))
                result[key].values[place] = values
            start = start + lengths
        return result

    def _lengths(self, number: int, texts: Sequence[Ragged], rows: int) -> NDArray[np.int64]:
        side = self.sides[number]
        if side != SPECIAL:
            return texts[side].lengths
        return np.full(rows, len(self.columns["input_ids"][number]), np.int64)
