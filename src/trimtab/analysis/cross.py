"""The analysis of cross evaluation: what it costs to cut otherwise in use than in training. Free of torch."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from trimtab.analysis.alike import CUT, but_for, read_alike
from trimtab.analysis.comparison import Comparison
from trimtab.analysis.scores import Logits, ScoredLogits, Values
from trimtab.ledger.files import damaged
from trimtab.ledger.ledger import Ledger
from trimtab.ledger.records import StudyRecord, VariantRecord
from trimtab.ledger.trial import Trial
from trimtab.statistics import Contrast, compare
from trimtab.study.grid import place_words


@dataclass(frozen=True)
class ModelRow:
    """The models of a variant on every variant's inputs.

    own: the number of the inputs that they were trained for; means: one for each inputs, None where they were
    not evaluated there: they have no positions for such inputs, or another tokeniser.
    """

    variant: VariantRecord
    own: int
    means: list[float | None]


@dataclass(frozen=True)
class Mismatch:
    """The models of a variant on inputs that they were not trained for.

    inputs: their number, ``evaluated_with`` the name of the first cut that makes them. to_own: the contrast
    to the same models on their own inputs; to_matched: that to the models of ``matched``, which were trained
    for these inputs, None without such models. The numbers in both contrasts mean nothing outside of them.
    """

    variant: VariantRecord
    inputs: int
    evaluated_with: str
    mean: float
    to_own: Contrast
    matched: VariantRecord | None
    to_matched: Contrast | None


@dataclass(frozen=True)
class MissingEvaluation:
    """A trained model that was not evaluated on all the inputs that it was to be; reason: where it failed."""

    variant: VariantRecord
    seed: int
    reason: str | None


@dataclass(frozen=True)
class CrossEvaluation:
    """How each model does on every variant's inputs of one test set.

    inputs: for each that differs, the names of all cuts that make it. seeds: those on which every model was
    evaluated everywhere, and which all figures stand on.
    """

    inputs: list[list[str]]
    models: list[ModelRow]
    mismatches: list[Mismatch]
    seeds: list[int]
    missing: list[MissingEvaluation]


class _Cell(NamedTuple):
    """The models of a variant on the inputs of a fingerprint: scores (seeds, examples)."""

    variant: VariantRecord
    inputs: str
    scores: Values


def cross_evaluation(
    ledger: Ledger, study: StudyRecord, test: str, comparison: Comparison
) -> CrossEvaluation | None:
    """What a ledger holds of the cross evaluation on a test set; None where nothing was asked.

    comparison: of the models on their own inputs. Models that were evaluated on no seed are left out, as are
    seeds that some other model lacks. A seed that diverged withholds the verdicts on its variant.
    """
    scores = comparison.scores
    models = _Models(ledger, study, test, len(scores.truth.labels))
    variants = [one for one in scores.distinct if isinstance(one, VariantRecord)]
    if not any(map(models.asked, variants)):
        return None
    seeds = scores.seeds(*scores.variants)
    missing = [
        models.missing(variant, seed) for variant in variants for seed in seeds if models.lacks(variant, seed)
    ]
    lacking = {(one.variant.number, one.seed) for one in missing}
    begun = [one for one in variants if any((one.number, seed) not in lacking for seed in seeds)]
    common = [s for s in seeds if begun and all((one.number, s) not in lacking for one in begun)]
    cells = list(_cells(models, begun if common else [], scores, common))
    return CrossEvaluation(
        inputs=list(models.names.values()),
        models=_matrix(models, cells),
        mismatches=_mismatches(models, cells, comparison),
        seeds=common,
        missing=sorted(missing, key=lambda one: (one.variant.number, one.seed)),
    )


def _cells(
    models: "_Models", variants: Sequence[VariantRecord], scores: ScoredLogits, seeds: list[int]
) -> Iterator[_Cell]:
    for variant in variants:
        yield _Cell(variant, models.own(variant), scores.on(variant, seeds))
        for inputs in models.asked(variant):
            yield _Cell(variant, inputs, scores.of(models.logits(variant, inputs, seeds)))


class _Models:
    """The trained models of a study and what they were asked on one test set; ``names`` by fingerprint."""

    def __init__(self, ledger: Ledger, study: StudyRecord, test: str, rows: int) -> None:
        self.ledger, self.study, self.test, self.rows = ledger, study, test, rows
        first = study.variants[0]
        several = not all(read_alike(first, variant) for variant in study.variants)
        self._named = (*CUT, "weights") if several else CUT
        self.names: dict[str, list[str]] = {}  # of the cuts that make the inputs of a fingerprint
        for variant in study.variants if study.compare.cross else ():
            names, name = self.names.setdefault(self.own(variant), []), self._name_of_cut(variant)
            names += [name] if name not in names else []

    def own(self, variant: VariantRecord) -> str:
        """The fingerprint of its own test inputs."""
        return variant.test_inputs[self.test]

    def asked(self, variant: VariantRecord) -> Sequence[str]:
        """The inputs beside its own on which a variant's models are evaluated."""
        return variant.cross.get(self.test, ())

    def matched(self, variant: VariantRecord, inputs: str) -> VariantRecord | None:
        """The variant like this one in all but its cut whose own test inputs these are; None without one.

        The first of them, where cuts agree on this test set and differ in training.
        """
        rest = but_for(variant, *CUT)
        for other in self.study.variants:
            if self.own(other) == inputs and but_for(other, *CUT) == rest:
                return self.study.variants[other.same_as]
        return None

    def lacks(self, variant: VariantRecord, seed: int) -> bool:
        crossed = self._trial(variant, seed).crossed
        return any(inputs not in crossed for inputs in self.asked(variant))

    def missing(self, variant: VariantRecord, seed: int) -> MissingEvaluation:
        return MissingEvaluation(variant, seed, self._trial(variant, seed).crossed.failure)

    def logits(self, variant: VariantRecord, inputs: str, seeds: list[int]) -> Logits:
        """(seeds, examples, classes) of a variant's models on the inputs of that fingerprint."""
        found = [self._trial(variant, seed).crossed.predictions(inputs) for seed in seeds]
        for seed, logits in zip(seeds, found, strict=True):
            if len(logits) != self.rows or logits.shape[1] != self.study.outputs:
                place = self._trial(variant, seed).crossed.folder / f"{inputs}.npz"
                raise damaged(place, f"its logits have shape {logits.shape}")
        return np.stack(found)

    def _trial(self, variant: VariantRecord, seed: int) -> Trial:
        return self.ledger.trial(variant.trials[seed])

    def _name_of_cut(self, variant: VariantRecord) -> str:
        named = {key: value for key, value in variant.coordinates.items() if key in self._named}
        return place_words(named, variant.aliases)


def _matrix(models: _Models, cells: Sequence[_Cell]) -> list[ModelRow]:
    means = {(cell.variant.number, cell.inputs): float(cell.scores.mean()) for cell in cells}
    inputs = list(models.names)
    return [
        ModelRow(
            variant=cell.variant,
            own=inputs.index(cell.inputs),
            means=[means.get((cell.variant.number, column)) for column in inputs],
        )
        for cell in cells
        if cell.inputs == models.own(cell.variant)
    ]


def _mismatches(models: _Models, cells: Sequence[_Cell], comparison: Comparison) -> list[Mismatch]:
    """Each model on other inputs: against itself on its own, and against the model trained for these."""
    place = {(cell.variant.number, cell.inputs): k for k, cell in enumerate(cells)}
    odd = [k for k, cell in enumerate(cells) if cell.inputs != models.own(cell.variant)]
    own = {k: place[cells[k].variant.number, models.own(cells[k].variant)] for k in odd}
    trained = {k: models.matched(cells[k].variant, cells[k].inputs) for k in odd}
    matched = {
        k: place[variant.number, cells[k].inputs]
        for k, variant in trained.items()
        if variant is not None and (variant.number, cells[k].inputs) in place
    }
    to_own = _family(cells, own, comparison)
    to_matched = _family(cells, matched, comparison)
    return [
        Mismatch(
            variant=cells[k].variant,
            inputs=list(models.names).index(cells[k].inputs),
            evaluated_with=models.names[cells[k].inputs][0],
            mean=float(cells[k].scores.mean()),
            to_own=to_own[k],
            matched=cells[matched[k]].variant if k in matched else None,
            to_matched=to_matched.get(k),
        )
        for k in odd
    ]


def _family(cells: Sequence[_Cell], bases: dict[int, int], comparison: Comparison) -> dict[int, Contrast]:
    """Each cell against its base, by cell. Models of one recipe share their seeds, so all are paired."""
    if not bases:
        return {}
    settings = comparison.study.compare
    results = compare(
        np.stack([cell.scores for cell in cells]),
        list(bases.items()),
        clusters=comparison.clusters,
        alpha=settings.alpha,
        margin=settings.margin,
        correction=settings.correction,
        bounded=comparison.scores.score.bounded,
    )
    return {
        cell: comparison.withhold(cells[cell].variant, cells[base].variant, result)
        for (cell, base), result in zip(bases.items(), results, strict=True)
    }
