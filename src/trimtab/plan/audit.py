"""The whole audit: what each truncation and length cuts of a study's data, or of any texts. Free of torch."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from trimtab.config import InputError
from trimtab.data.dataset import Dataset, Texts
from trimtab.data.pairs import SPECIAL_OF_PAIR, SPECIAL_OF_SINGLE, budget
from trimtab.data.tokens import Tokens
from trimtab.plan.prepare import Start, readings_of
from trimtab.study.definition import Study
from trimtab.study.grid import Variant, place_words
from trimtab.truncation import Truncation
from trimtab.truncation.audit import audit, audit_by_label, shares_different
from trimtab.truncation.profile import length_profile, length_summary

Row = dict[str, Any]
Lengths = tuple[NDArray[np.int64], NDArray[np.int64] | None]  # of the first and of the second text


class Cut(NamedTuple):
    """A truncation at one max_len."""

    truncation: Truncation
    max_len: int

    def __str__(self) -> str:
        """As a person names it: ``ratio, max_len 16``."""
        return place_words({"truncation": str(self.truncation), "max_len": self.max_len})


@dataclass(frozen=True)
class Audited:
    """An audit as rows; ``name`` and ``split`` say of which cut and which split of the data.

    rows: one a cut and split, with the fields of ``truncation.audit.Audit`` and the mean ``tokens`` of a row,
    special ones included; by_label: one a cut, split and label; differences: one a split, max_len and
    truncation, which has a ``number``: ``from_N`` is the share of rows on which it keeps other tokens than
    number N; profiles: ``length_profile`` by split; hardly: the cuts that cut fewer than 1 % of every split;
    notes: sentences on what is left out or done otherwise; lengths: ``length_summary``, a row a split.
    """

    rows: list[Row]
    by_label: list[Row]
    differences: list[Row]
    profiles: dict[str, Row]
    hardly: list[str]
    notes: list[str]
    lengths: list[Row]


def distinct_cuts(variants: Iterable[Variant]) -> list[Cut]:
    """The truncations and lengths of variants, each once, in their order."""
    settings = [variant.settings for variant in variants]
    return list(dict.fromkeys(Cut(each.truncation, each.max_len) for each in settings))


def audit_study(study: Study, dataset: Dataset, starts: Mapping[str, Start] | None = None) -> Audited:
    """The audit of every split; profiles without validation.

    dataset, starts: as ``study.plan.Plan`` has them. Where variants read with several tokenisers, splits and
    cuts bear their names. InputError names the cut that is impossible, and the split.
    """
    readings = readings_of(study, dataset, starts)
    specs = [str(cut.truncation) for cut in distinct_cuts(study.variants)]
    parts = []
    for reading, variants in readings.items():
        cuts = fitted(distinct_cuts(variants), reading.splits["train"])
        _check(cuts, reading.splits)
        audited = _audited(reading.splits, cuts, reading.label_names, specs=specs)
        parts.append(_read_by(reading.name, audited) if len(readings) > 1 else audited)
    return _joined(parts)


def _check(cuts: Sequence[Cut], splits: Mapping[str, Tokens]) -> None:
    for cut in cuts:
        for name, tokens in splits.items():
            try:
                _kept(cut, tokens)
            except InputError as error:
                raise InputError(f"{cut}: {name}: {error}") from error


def _read_by(tokenizer: str, audited: Audited) -> Audited:
    def named(rows: list[Row]) -> list[Row]:
        return [row | {"split": f"{row['split']} ({tokenizer})"} for row in rows]

    return replace(
        audited,
        rows=named(audited.rows),
        by_label=named(audited.by_label),
        differences=named(audited.differences),
        profiles={f"{split} ({tokenizer})": profile for split, profile in audited.profiles.items()},
        hardly=[f"{cut} ({tokenizer})" for cut in audited.hardly],
        lengths=named(audited.lengths),
    )


def _joined(parts: Sequence[Audited]) -> Audited:
    return Audited(
        rows=[row for part in parts for row in part.rows],
        by_label=[row for part in parts for row in part.by_label],
        differences=[row for part in parts for row in part.differences],
        profiles={split: profile for part in parts for split, profile in part.profiles.items()},
        hardly=[cut for part in parts for cut in part.hardly],
        notes=[note for part in parts for note in part.notes],
        lengths=[row for part in parts for row in part.lengths],
    )


def audit_texts(texts: Texts, truncations: Sequence[Truncation], lengths: Sequence[int]) -> Audited:
    """The audit of one table of texts at some lengths.

    A truncation that has to be fitted is fitted on these texts. Where one refuses a pair, it is left out at
    that length, and a note says why. InputError where a length has no room for a token.
    """
    tokens, name, labels = texts.tokens, texts.counts.split, texts.label_names
    for length in lengths:
        _room(tokens, length)
    asked = dict.fromkeys(Cut(truncation, length) for truncation in truncations for length in lengths)
    cuts = fitted(list(asked), tokens)
    specs = dict.fromkeys(str(cut.truncation) for cut in cuts if cut.truncation.needs_fit)
    notes = [f"{spec} is fitted on these texts themselves, for want of a training split." for spec in specs]
    taken = []
    for cut in cuts:
        try:
            _kept(cut, tokens)
            taken.append(cut)
        except InputError as error:
            notes.append(f"{cut} is left out: {error}.")
    return _audited({name: tokens}, taken, labels, cuts, notes)


def profiles(study: Study, dataset: Dataset, starts: Mapping[str, Start] | None = None) -> dict[str, Row]:
    """The ``length_profile`` of the training split and of each test set, as JSON can hold it.

    Arguments and names as ``audit_study``'s.
    """
    readings = readings_of(study, dataset, starts)
    return {
        _split_words(name, reading, readings): _profile(reading.splits[name], distinct_cuts(variants))
        for reading, variants in readings.items()
        for name in ("train", *reading.tests)
    }


def study_lengths(study: Study, dataset: Dataset, starts: Mapping[str, Start] | None = None) -> list[Row]:
    """The ``length_rows`` of every split; arguments and names as ``audit_study``'s."""
    readings = readings_of(study, dataset, starts)
    return [
        row | {"split": _split_words(row["split"], reading, readings)}
        for reading in readings
        for row in length_rows(reading.splits)
    ]


def _split_words(split: str, reading: Dataset, readings: Collection[Dataset]) -> str:
    return f"{split} ({reading.name})" if len(readings) > 1 else split


def length_rows(splits: Mapping[str, Tokens]) -> list[Row]:
    """How long the rows of each split are before any cut, special tokens included, as JSON can hold it."""
    return [
        {"split": name} | length_summary(*_lengths(tokens), _special(tokens))
        for name, tokens in splits.items()
    ]


def _audited(
    splits: Mapping[str, Tokens],
    cuts: Sequence[Cut],
    labels: Sequence[str],
    drawn: Sequence[Cut] | None = None,
    notes: Sequence[str] = (),
    specs: Sequence[str] | None = None,
) -> Audited:
    rows = [_row(cut, name, tokens) for cut in cuts for name, tokens in splits.items()]
    much = {row["name"] for row in rows if not row["hardly"]}
    drawn = drawn or cuts
    numbers = {
        spec: number
        for number, spec in enumerate(dict.fromkeys(specs or [str(cut.truncation) for cut in cuts]), 1)
    }
    return Audited(
        rows=rows,
        by_label=[
            row
            for cut in cuts
            for name, tokens in splits.items()
            for row in (_by_label(cut, name, tokens, labels) if labels else ())
        ],
        differences=[
            row for name, tokens in splits.items() for row in _differences(cuts, name, tokens, numbers)
        ],
        profiles={name: _profile(tokens, drawn) for name, tokens in splits.items() if name != "validation"},
        hardly=[str(cut) for cut in cuts if str(cut) not in much],
        notes=list(notes),
        lengths=length_rows(splits),
    )


def fitted(cuts: Sequence[Cut], train: Tokens) -> list[Cut]:
    """The same cuts, their truncations fitted on the training split, each once."""
    truncations = dict.fromkeys(cut.truncation for cut in cuts)
    ready = {each: each.fit(train.first, train.second) for each in truncations}
    return [Cut(ready[cut.truncation], cut.max_len) for cut in cuts]


def _special(tokens: Tokens) -> int:
    return SPECIAL_OF_SINGLE if tokens.second is None else SPECIAL_OF_PAIR


def _room(tokens: Tokens, max_len: int) -> int:
    room = budget(max_len, tokens.second is not None)
    if room == 0:
        raise InputError(f"max_len {max_len} has room for the special tokens alone; raise it")
    return room


def _lengths(tokens: Tokens) -> Lengths:
    return tokens.first.lengths, None if tokens.second is None else tokens.second.lengths


def _kept(cut: Cut, tokens: Tokens) -> Lengths:
    """How many tokens each side keeps, which does not take what the texts say."""
    (first, second), room = _lengths(tokens), _room(tokens, cut.max_len)
    kept = cut.truncation.split(first, np.zeros_like(first) if second is None else second, room)
    return kept[0], None if second is None else kept[1]


def _row(cut: Cut, name: str, tokens: Tokens) -> Row:
    kept = _kept(cut, tokens)
    counted = audit(*_lengths(tokens), *kept)
    mean = sum(float(side.mean()) for side in kept if side is not None) + _special(tokens)
    place = {"name": str(cut), "split": name, "hardly": counted.hardly_cuts}
    return place | {"tokens": mean} | asdict(counted)


def _by_label(cut: Cut, name: str, tokens: Tokens, labels: Sequence[str]) -> list[Row]:
    counted = audit_by_label(*_lengths(tokens), *_kept(cut, tokens), tokens.labels)
    return [
        {"name": str(cut), "split": f"{name}: {labels[int(label)]}"} | asdict(audit)  # type: ignore[call-overload]
        for label, audit in counted.items()
    ]


def _differences(cuts: Sequence[Cut], name: str, tokens: Tokens, numbers: Mapping[str, int]) -> list[Row]:
    rows = []
    for max_len in sorted({cut.max_len for cut in cuts}):
        truncations = [cut.truncation for cut in cuts if cut.max_len == max_len]
        specs = [str(truncation) for truncation in truncations]
        shares = shares_different(tokens.first, tokens.second, truncations, _room(tokens, max_len))
        for spec, row in zip(specs, shares.tolist(), strict=True):
            different = {f"from_{numbers[other]}": share for other, share in zip(specs, row, strict=True)}
            different.pop(f"from_{numbers[spec]}")
            rows.append(
                {"split": name, "max_len": max_len, "number": numbers[spec], "truncation": spec} | different
            )
    return rows


def _profile(tokens: Tokens, cuts: Sequence[Cut]) -> Row:
    truncations, marks = [cut.truncation for cut in cuts], sorted({cut.max_len for cut in cuts})
    return length_profile(*_lengths(tokens), truncations, marks, _special(tokens))
