"""A truncation at one max_len, and what it cuts of a split: counted from lengths alone. Free of torch."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from trimtab.data.input_template import InputTemplate
from trimtab.data.tokens import Tokens
from trimtab.plan.prepare import PreparedVariant
from trimtab.study.grid import place_words
from trimtab.study.settings import Settings
from trimtab.truncation import Truncation
from trimtab.truncation.audit import Audit, audit, audit_by_label
from trimtab.truncation.spec import no_room
from trimtab.truncation.windows import Laid, Windows, lay

Lengths = tuple[NDArray[np.int64], NDArray[np.int64] | None]  # of the first and of the second text


class Cut(NamedTuple):
    """A truncation at one max_len, or windows of that length in its place."""

    truncation: Truncation
    max_len: int
    windows: Windows | None = None

    def __str__(self) -> str:
        """As a person names it: ``ratio, max_len 16``."""
        place = {"truncation": str(self.truncation), "max_len": self.max_len}
        return place_words(place if self.windows is None else place | {"windows": str(self.windows)})

    @property
    def key(self) -> tuple[str, int]:
        """Equal for two cuts that do the same, however their truncations are spelt."""
        return self.truncation.resolved if self.windows is None else str(self.windows), self.max_len


class SplitAudit(NamedTuple):
    """What a cut does to one split.

    tokens: the mean of a row, special ones included, of all windows of a row that has several; windows: the
    mean number of a row's windows; kept: how many tokens of each text stay.
    """

    audit: Audit
    tokens: float
    windows: float
    kept: Lengths


def cut_of(settings: Settings) -> Cut:
    """What a variant of these settings does to its rows."""
    return Cut(settings.truncation, settings.max_len, settings.windows)


def distinct_cuts(variants: Iterable[PreparedVariant]) -> list[Cut]:
    """The truncations and lengths of variants, each once, in their order."""
    settings = [variant.settings for variant in variants]
    return list(dict.fromkeys(map(cut_of, settings)))


def fitted(cuts: Sequence[Cut], train: Tokens) -> list[Cut]:
    """The same cuts, each distinct truncation fitted on the training split."""
    truncations = dict.fromkeys(cut.truncation for cut in cuts)
    ready = {each: each.fit(train.first, train.second) for each in truncations}
    return [cut._replace(truncation=ready[cut.truncation]) for cut in cuts]


def audit_split(cut: Cut, tokens: Tokens, template: InputTemplate) -> SplitAudit:
    """What ``cut`` does to a split; InputError where it refuses a row, or has no room for a token."""
    laid = laid_windows(cut, tokens, template)
    kept = _kept_lengths(cut, tokens, template, laid)
    special = template.row(tokens.texts).count
    total = sum(int(side.sum()) for side in kept if side is not None) + special * len(tokens)
    windows = len(tokens)
    if laid is not None:
        windows = len(laid.row)
        whole = 0 if tokens.second is None else int(tokens.first.lengths[laid.row].sum())
        total = int(laid.keep.sum()) + whole + special * windows
    rows = max(1, len(tokens))
    return SplitAudit(audit(*lengths_of(tokens), *kept), total / rows, windows / rows, kept)


def laid_windows(cut: Cut, tokens: Tokens, template: InputTemplate) -> Laid | None:
    """Where the windows of a split's rows lie; None for a truncation, or InputError where they cannot."""
    if cut.windows is None:
        return None
    (first, second), room = lengths_of(tokens), budget_of(tokens, cut.max_len, template)
    return lay(cut.windows, first, second, room)


def audit_labels(kept: Lengths, tokens: Tokens) -> dict[int, Audit]:
    """What a cut does to the rows of each label, by its number, or grade of relevance; none of scores.

    kept: as of ``kept_lengths``.
    """
    if tokens.target == "score":
        return {}
    labels = tokens.labels.astype(np.int64)
    found = audit_by_label(*lengths_of(tokens), *kept, labels)
    return {int(label): each for label, each in found.items()}  # type: ignore[call-overload]


def kept_lengths(cut: Cut, tokens: Tokens, template: InputTemplate) -> Lengths:
    """How many tokens of each text a cut keeps, special ones apart, (rows,) each: it needs lengths alone."""
    return _kept_lengths(cut, tokens, template, laid_windows(cut, tokens, template))


def _kept_lengths(cut: Cut, tokens: Tokens, template: InputTemplate, laid: Laid | None) -> Lengths:
    first, second = lengths_of(tokens)
    if laid is not None:
        # Windows leave nothing out, but the first alone does.
        last = np.cumsum(laid.counts) - 1
        seen = laid.start[last] + laid.keep[last]
        return (seen, None) if second is None else (first, seen)
    room = budget_of(tokens, cut.max_len, template)
    kept = cut.truncation.split(first, np.zeros_like(first) if second is None else second, room)
    return kept[0], None if second is None else kept[1]


def lengths_of(tokens: Tokens) -> Lengths:
    """The number of tokens of each text, special ones apart."""
    return tokens.first.lengths, None if tokens.second is None else tokens.second.lengths


def budget_of(tokens: Tokens, max_len: int, template: InputTemplate) -> int:
    """Tokens of the texts that fit into a row; InputError where none do."""
    room = template.budget(max_len, tokens.texts)
    if room == 0:
        raise no_room(max_len, max_len)
    return room
