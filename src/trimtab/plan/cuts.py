"""A truncation at one max_len, and what it cuts of a split: counted from lengths alone. Free of torch."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from trimtab.data.input_template import InputTemplate
from trimtab.data.tokens import Tokens
from trimtab.plan.prepare import PreparedVariant
from trimtab.study.grid import place_words
from trimtab.truncation import Truncation
from trimtab.truncation.audit import Audit, audit, audit_by_label
from trimtab.truncation.spec import no_room

Lengths = tuple[NDArray[np.int64], NDArray[np.int64] | None]  # of the first and of the second text


class Cut(NamedTuple):
    """A truncation at one max_len."""

    truncation: Truncation
    max_len: int

    def __str__(self) -> str:
        """As a person names it: ``ratio, max_len 16``."""
        return place_words({"truncation": str(self.truncation), "max_len": self.max_len})

    @property
    def key(self) -> tuple[str, int]:
        """Equal for two cuts that do the same, however their truncations are spelt."""
        return self.truncation.resolved, self.max_len


class SplitAudit(NamedTuple):
    """What a cut does to one split; tokens: the mean of a row, special ones included."""

    audit: Audit
    tokens: float


def distinct_cuts(variants: Iterable[PreparedVariant]) -> list[Cut]:
    """The truncations and lengths of variants, each once, in their order."""
    settings = [variant.settings for variant in variants]
    return list(dict.fromkeys(Cut(each.truncation, each.max_len) for each in settings))


def fitted(cuts: Sequence[Cut], train: Tokens) -> list[Cut]:
    """The same cuts, each distinct truncation fitted on the training split."""
    truncations = dict.fromkeys(cut.truncation for cut in cuts)
    ready = {each: each.fit(train.first, train.second) for each in truncations}
    return [Cut(ready[cut.truncation], cut.max_len) for cut in cuts]


def audit_split(cut: Cut, tokens: Tokens, template: InputTemplate) -> SplitAudit:
    """What ``cut`` does to a split; InputError where it refuses a row, or has no room for a token."""
    kept = kept_lengths(cut, tokens, template)
    special = template.row(tokens.texts).count
    total = sum(int(side.sum()) for side in kept if side is not None) + special * len(tokens)
    return SplitAudit(audit(*lengths_of(tokens), *kept), total / max(1, len(tokens)))


def audit_labels(cut: Cut, tokens: Tokens, template: InputTemplate) -> dict[int, Audit]:
    """What ``cut`` does to the rows of each label, by its number, or grade of relevance; none of scores.

    InputError as ``audit_split`` does.
    """
    if tokens.target == "score":
        return {}
    labels = tokens.labels.astype(np.int64)
    found = audit_by_label(*lengths_of(tokens), *kept_lengths(cut, tokens, template), labels)
    return {int(label): each for label, each in found.items()}  # type: ignore[call-overload]


def kept_lengths(cut: Cut, tokens: Tokens, template: InputTemplate) -> Lengths:
    """How many tokens of each text a cut keeps, special ones apart, (rows,) each: it needs lengths alone."""
    (first, second), room = lengths_of(tokens), budget_of(tokens, cut.max_len, template)
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
