"""The plan: what each variant's model would be given, and which trials that makes. Free of torch."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from trimtab.config import InputError
from trimtab.data.dataset import Dataset
from trimtab.data.sampling import unsampled
from trimtab.ledger.records import RuntimeRecord
from trimtab.ledger.trial import Trial
from trimtab.plan.identity import WantedTrial, first_alike, wanted_trials
from trimtab.plan.inputs import PlannedVariant, inputs_of
from trimtab.plan.prepare import InitialWeights, Prepared, Splits, by_dataset, prepare
from trimtab.study.definition import Study
from trimtab.study.grid import DeclaredContrast, are_paired


class CrossInputs(NamedTuple):
    """Inputs of another variant on which models are evaluated: a test set, and the first that cuts it so."""

    test: str
    variant: PlannedVariant


@dataclass(frozen=True, eq=False)
class Plan:
    """A study with each variant's data, initial weights and inputs, in the order of the study's variants.

    examples: the texts of every split.
    """

    study: Study
    variants: tuple[PlannedVariant, ...]
    examples: Splits

    @property
    def dataset(self) -> Dataset:
        """The data as the first variant reads it: rows, labels and clusters are the same for all."""
        return self.variants[0].dataset

    @property
    def datasets(self) -> tuple[Dataset, ...]:
        """The data as each distinct tokeniser reads it."""
        return tuple(by_dataset(self.variants))

    @property
    def initial_weights(self) -> tuple[InitialWeights, ...]:
        """All pretrained weights that variants start from."""
        return tuple(dict.fromkeys(each.initial_weights for each in self.variants if each.initial_weights))

    @cached_property
    def contrasts(self) -> tuple[DeclaredContrast, ...]:
        """The contrasts that the study declares; seeds pair those whose models begin alike."""
        settings = [variant.settings for variant in self.variants]
        return tuple(
            replace(each, paired=are_paired(settings[each.variant], settings[each.baseline]))
            for each in self.study.contrasts
        )

    @property
    def tested(self) -> tuple[DeclaredContrast, ...]:
        """The contrasts between variants whose inputs differ."""
        same = [variant.same_as for variant in self.variants]
        return tuple(each for each in self.contrasts if same[each.variant] != same[each.baseline])

    @property
    def devices(self) -> int:
        """The most processes that train one of its trials together."""
        return max(each.settings.recipe.devices for each in self.variants)

    def trials(self, runtime: RuntimeRecord | None) -> list[WantedTrial]:
        """Each distinct trial once; runtime: what the ledger keeps, None before the first run."""
        return wanted_trials(self.variants, self.study.seeds, runtime)

    def cross_inputs(self, variant: PlannedVariant) -> dict[str, CrossInputs]:
        """By fingerprint, the test inputs of other variants on which this one's models are evaluated.

        None unless [compare] sets cross. Left out are inputs with a row for which the model has no position,
        and those of another tokeniser, whose ids mean other words. Test sets of the same rows share one
        evaluation, which is listed under the last of them.
        """
        found = self.cross_inputs_by_test(variant)
        places = ((key, CrossInputs(test, each)) for test in found for key, each in found[test].items())
        return dict(places)

    def cross_inputs_by_test(self, variant: PlannedVariant) -> dict[str, dict[str, PlannedVariant]]:
        """The same by test set and fingerprint: the first variant that makes those inputs."""
        own, room = variant.inputs.fingerprints, variant.settings.size.positions
        found: dict[str, dict[str, PlannedVariant]] = {}
        for other in self.variants if self.study.compare.cross else ():
            if other.dataset is not variant.dataset:
                continue
            for test in other.dataset.tests:
                inputs = other.inputs[test]
                if inputs.fingerprint != own[test] and inputs.longest <= room:
                    found.setdefault(test, {}).setdefault(inputs.fingerprint, other)
        return found

    def missing_evaluations(self, variant: PlannedVariant, trial: Trial) -> dict[str, CrossInputs]:
        """The cross inputs of a variant on which the ledger does not hold this trial's predictions."""
        crossed = trial.crossed
        return {key: inputs for key, inputs in self.cross_inputs(variant).items() if key not in crossed}

    def needs_weights_again(self, variant: PlannedVariant, trial: Trial) -> bool:
        """Whether a finished trial is to be trained again, as its weights are wanted and were not kept.

        They are wanted where the study keeps weights, and for evaluations that are missing.
        """
        if trial.result is None or trial.weights is not None:
            return False
        return self.study.keep_weights or bool(self.missing_evaluations(variant, trial))

    def is_missing(self, variant: PlannedVariant, trial: Trial) -> bool:
        """Whether a trial is to be trained, for the first time or for its weights."""
        return trial.result is None or self.needs_weights_again(variant, trial)


def plan_study(study: Study, data: Path | None = None) -> Plan:
    """Read, tokenise and truncate a study's data; nothing is trained. data: the folder of ``--data``.

    InputError for wrong input, as ``prepare`` and ``make_plan``.
    """
    return make_plan(prepare(study, data))


def make_plan(prepared: Prepared) -> Plan:
    """Truncate every split as every variant does; InputError names the variant whose cut is impossible.

    InputError too where [compare] names a score that is not for the data's labels, and where a test set
    reads the same rows as train, or would choose the epoch.
    """
    study, variants = prepared.study, prepared.variants
    _check_score(study.compare.score, variants[0].dataset)
    _check_tests(study, variants[0].dataset)
    planned = [
        PlannedVariant(each.number, each.cell, each.dataset, each.initial_weights, inputs, each.number)
        for each, inputs in zip(variants, inputs_of(variants), strict=True)
    ]
    return Plan(study, _with_first_alike(planned), prepared.examples)


def _with_first_alike(variants: Iterable[PlannedVariant]) -> tuple[PlannedVariant, ...]:
    variants = list(variants)
    return tuple(
        replace(each, same_as=first) for each, first in zip(variants, first_alike(variants), strict=True)
    )


def _check_score(name: str, dataset: Dataset) -> None:
    if name == "accuracy":
        return
    from trimtab.statistics import SCORES, scores_for  # scipy takes its time, and most studies need none yet

    labels = dataset.label_names
    if name not in scores_for(labels, dataset.target):
        wanted = ", ".join(SCORES[name].labels or ())
        raise InputError(
            f"[compare]: score {name!r} is for the labels {wanted}, in this order, and the data has "
            f"{', '.join(labels)}; name another score"
        )


def _check_tests(study: Study, dataset: Dataset) -> None:
    """InputError where models would be tested on what they were trained on, or chosen by."""
    chosen = {variant.settings.recipe.evaluate for variant in study.variants} - {"last"}
    sources = {counts.split: unsampled(counts.source) for counts in dataset.counts}
    for test in dataset.tests:
        if sources[test] == sources["train"]:
            raise InputError(
                f"[data]: test set {test} reads the same rows as train, {sources[test]}; name another file "
                "or split, so that models are tested on unseen rows"
            )
        if chosen and sources[test] == sources["validation"]:
            raise InputError(
                f"evaluate = {min(chosen)!r} would choose the epoch on test set {test}, as validation is the "
                f"same, {sources[test]}; give validation = 0.1, which holds out a share of train"
            )
