"""The whole audit: what each truncation and length cuts of a study's data, or of any texts. Free of torch."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from trimtab.config import InputError
from trimtab.data.dataset import Dataset, Texts
from trimtab.data.input_template import InputTemplate
from trimtab.data.target import as_words
from trimtab.data.tokens import Tokens
from trimtab.plan.cuts import (
    Cut,
    audit_labels,
    audit_split,
    budget_of,
    distinct_cuts,
    fitted,
    kept_lengths,
    lengths_of,
)
from trimtab.plan.prepare import PreparedVariant, by_dataset
from trimtab.truncation import Truncation
from trimtab.truncation.audit import Audit, shares_different
from trimtab.truncation.profile import (
    LengthProfile,
    LengthSummary,
    length_profile,
    length_summary,
    shortest_uncut,
)

UNCUT_SHARES = (0.95, 0.99)  # of rows, for which an audit says how long max_len must be


@dataclass(frozen=True)
class AuditRow:
    """What the cut called ``name`` does to a split, or to the rows of one label of it.

    tokens: the mean of a row, special ones included; windows: the mean number of a row's windows, 1 where it
    has none; None of a label.
    """

    name: str
    split: str
    audit: Audit
    tokens: float | None = None
    windows: float | None = None


@dataclass(frozen=True)
class DifferenceRow:
    """On which share of the rows a truncation keeps other tokens than each of the others.

    number: of the truncation, as its spec is long; different_from: shares by the others' numbers.
    """

    split: str
    max_len: int
    number: int
    truncation: str
    different_from: dict[int, float]


@dataclass(frozen=True)
class Audited:
    """A whole audit.

    rows: one per cut and split; by_label: one per cut, split and label; differences: one per split, max_len
    and truncation; profiles, lengths: by split, without validation and with it; hardly: the cuts that cut
    fewer than 1 % of every split; uncut: by split, the smallest max_len that leaves each of ``UNCUT_SHARES``
    of its rows whole, whatever the truncation but one with caps; notes: sentences on what is left out or done
    otherwise.
    """

    rows: list[AuditRow] = field(default_factory=list)
    by_label: list[AuditRow] = field(default_factory=list)
    differences: list[DifferenceRow] = field(default_factory=list)
    profiles: dict[str, LengthProfile] = field(default_factory=dict)
    lengths: dict[str, LengthSummary] = field(default_factory=dict)
    hardly: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    uncut: dict[str, dict[float, int]] = field(default_factory=dict)

    def __add__(self, other: "Audited") -> "Audited":
        return Audited(
            rows=self.rows + other.rows,
            by_label=self.by_label + other.by_label,
            differences=self.differences + other.differences,
            profiles=self.profiles | other.profiles,
            lengths=self.lengths | other.lengths,
            hardly=self.hardly + other.hardly,
            notes=list(dict.fromkeys(self.notes + other.notes)),
            uncut=self.uncut | other.uncut,
        )

    def read_by(self, tokenizer: str) -> "Audited":
        """The same, splits and cuts bearing the name of the tokeniser."""
        return Audited(
            rows=[replace(row, split=_named(row.split, tokenizer)) for row in self.rows],
            by_label=[replace(row, split=_named(row.split, tokenizer)) for row in self.by_label],
            differences=[replace(row, split=_named(row.split, tokenizer)) for row in self.differences],
            profiles={_named(split, tokenizer): profile for split, profile in self.profiles.items()},
            lengths={_named(split, tokenizer): summary for split, summary in self.lengths.items()},
            hardly=[_named(cut, tokenizer) for cut in self.hardly],
            notes=self.notes,
            uncut={_named(split, tokenizer): found for split, found in self.uncut.items()},
        )


def _named(what: str, tokenizer: str) -> str:
    return f"{what} ({tokenizer})"


def audit_study(variants: Sequence[PreparedVariant]) -> Audited:
    """The audit of every split of a study's data under each distinct cut of its variants.

    Where variants read with several tokenisers, splits and cuts bear their names. InputError names the cut
    that is impossible, and the split.
    """
    groups = by_dataset(variants)
    numbers = _numbers(distinct_cuts(variants))
    whole = Audited()
    for dataset, those in groups.items():
        cuts = fitted(distinct_cuts(those), dataset.splits["train"])
        _check(cuts, dataset)
        audited = _audited(dataset.splits, dataset.template, cuts, cuts, dataset.label_names, numbers)
        whole += audited.read_by(dataset.name) if len(groups) > 1 else audited
    return whole


def _check(cuts: Sequence[Cut], dataset: Dataset) -> None:
    for cut in cuts:
        for name, tokens in dataset.splits.items():
            try:
                kept_lengths(cut, tokens, dataset.template)
            except InputError as error:
                raise InputError(f"{cut}: {name}: {error}") from error


def audit_texts(texts: Texts, truncations: Sequence[Truncation], lengths: Sequence[int]) -> Audited:
    """The audit of one table of texts at some lengths.

    A truncation that has to be fitted is fitted on these texts. Where one refuses a pair, it is left out at
    that length, and a note says why. InputError where a length has no room for a token.
    """
    tokens, template = texts.tokens, texts.template
    for length in lengths:
        budget_of(tokens, length, template)  # for its error
    asked = dict.fromkeys(Cut(truncation, length) for truncation in truncations for length in lengths)
    cuts = fitted(list(asked), tokens)
    specs = dict.fromkeys(str(cut.truncation) for cut in cuts if cut.truncation.needs_fit)
    notes = [f"{spec} is fitted on these texts, as there is no training split." for spec in specs]
    possible = []
    for cut in cuts:
        try:
            kept_lengths(cut, tokens, template)
            possible.append(cut)
        except InputError as error:
            notes.append(f"{cut} is left out: {error}.")
    splits = {texts.counts.split: tokens}
    audited = _audited(splits, template, possible, cuts, texts.label_names, _numbers(possible))
    return replace(audited, notes=notes + audited.notes)


def study_profiles(variants: Sequence[PreparedVariant]) -> dict[str, LengthProfile]:
    """The profile of the training split and of each test set; arguments and names as ``audit_study``'s."""
    groups = by_dataset(variants)
    return {
        _split_words(name, dataset, len(groups)): _profile(
            dataset.splits[name], dataset.template, distinct_cuts(those)
        )
        for dataset, those in groups.items()
        for name in ("train", *dataset.tests)
    }


def study_lengths(variants: Sequence[PreparedVariant]) -> dict[str, LengthSummary]:
    """How long the rows of every split are before any cut; arguments and names as ``audit_study``'s."""
    groups = by_dataset(variants)
    return {
        _split_words(name, dataset, len(groups)): summary
        for dataset in groups
        for name, summary in _summaries(dataset.splits, dataset.template).items()
    }


def _split_words(split: str, dataset: Dataset, tokenizers: int) -> str:
    return _named(split, dataset.name) if tokenizers > 1 else split


def _audited(
    splits: Mapping[str, Tokens],
    template: InputTemplate,
    cuts: Sequence[Cut],
    drawn: Sequence[Cut],
    labels: Sequence[str],
    numbers: Mapping[str, int],
) -> Audited:
    """The audit of some splits; drawn: the cuts in profiles; labels: none where rows have none."""
    rows = [_row(cut, name, tokens, template) for cut in cuts for name, tokens in splits.items()]
    much = {row.name for row in rows if not row.audit.hardly_cuts}
    by_label, differences = [], []
    has_grades = any(tokens.target == "relevance" for tokens in splits.values())
    for cut in cuts if labels or has_grades else ():
        for name, tokens in splits.items():
            by_label += _label_rows(cut, name, tokens, template, labels)
    for name, tokens in splits.items():
        differences += _differences(cuts, name, tokens, template, numbers)
    return Audited(
        rows=rows,
        by_label=by_label,
        differences=differences,
        profiles={
            name: _profile(tokens, template, drawn) for name, tokens in splits.items() if name != "validation"
        },
        lengths=_summaries(splits, template),
        hardly=[str(cut) for cut in cuts if str(cut) not in much and cut.windows is None],
        notes=_cap_notes(cuts),
        uncut={
            name: shortest_uncut(*lengths_of(tokens), template.row(tokens.texts).count, UNCUT_SHARES)
            for name, tokens in splits.items()
        },
    )


def _cap_notes(cuts: Sequence[Cut]) -> list[str]:
    cutting = [cut.truncation for cut in cuts if cut.windows is None and cut.truncation.cuts_fitting]
    specs = dict.fromkeys(map(str, cutting))
    return [f"{spec} cuts rows that fit too: its caps hold at every max_len." for spec in specs]


def _numbers(cuts: Sequence[Cut]) -> dict[str, int]:
    """A number for each truncation, from 1, by its spec."""
    specs = dict.fromkeys(str(cut.truncation) for cut in cuts if cut.windows is None)
    return {spec: number for number, spec in enumerate(specs, 1)}


def _row(cut: Cut, name: str, tokens: Tokens, template: InputTemplate) -> AuditRow:
    found = audit_split(cut, tokens, template)
    return AuditRow(str(cut), name, found.audit, found.tokens, found.windows)


def _label_rows(
    cut: Cut, name: str, tokens: Tokens, template: InputTemplate, labels: Sequence[str]
) -> list[AuditRow]:
    found = audit_labels(kept_lengths(cut, tokens, template), tokens)
    named = {label: as_words(label, tuple(labels)) for label in found}
    return [AuditRow(str(cut), f"{name}: {named[label]}", audit) for label, audit in found.items()]


def _differences(
    cuts: Sequence[Cut], name: str, tokens: Tokens, template: InputTemplate, numbers: Mapping[str, int]
) -> list[DifferenceRow]:
    rows = []
    cuts = [cut for cut in cuts if cut.windows is None]
    for max_len in sorted({cut.max_len for cut in cuts}):
        truncations = [cut.truncation for cut in cuts if cut.max_len == max_len]
        specs = [str(truncation) for truncation in truncations]
        budget = budget_of(tokens, max_len, template)
        shares = shares_different(tokens.first, tokens.second, truncations, budget)
        for spec, row in zip(specs, shares.tolist(), strict=True):
            others = {numbers[other]: share for other, share in zip(specs, row, strict=True) if other != spec}
            rows.append(DifferenceRow(name, max_len, numbers[spec], spec, others))
    return rows


def _profile(tokens: Tokens, template: InputTemplate, cuts: Sequence[Cut]) -> LengthProfile:
    truncations = [cut.truncation for cut in cuts if cut.windows is None] or [cut.truncation for cut in cuts]
    marks = sorted({cut.max_len for cut in cuts})
    return length_profile(*lengths_of(tokens), truncations, marks, template.row(tokens.texts).count)


def _summaries(splits: Mapping[str, Tokens], template: InputTemplate) -> dict[str, LengthSummary]:
    return {
        name: length_summary(*lengths_of(tokens), template.row(tokens.texts).count)
        for name, tokens in splits.items()
    }
