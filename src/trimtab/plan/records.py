"""What the ledger keeps of a plan: the record of the study, of each variant, and of the evaluated rows."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from trimtab.data.dataset import Dataset
from trimtab.data.target import as_words
from trimtab.data.tokens import Tokens
from trimtab.ledger.evaluated import EvaluatedRows
from trimtab.ledger.records import (
    ExclusionRecord,
    RuntimeRecord,
    StudyRecord,
    TokenizerRecord,
    VariantRecord,
    WeightsRecord,
)
from trimtab.machine import Signature
from trimtab.plan.audit import study_lengths, study_profiles
from trimtab.plan.cuts import lengths_of
from trimtab.plan.identity import WantedTrial
from trimtab.plan.inputs import PlannedVariant
from trimtab.plan.plan import Plan
from trimtab.plan.prepare import InitialWeights
from trimtab.truncation.audit import Audit
from trimtab.truncation.windows import NO_WINDOWS


def study_record(
    plan: Plan,
    trials: Sequence[WantedTrial],
    kept_tokenizers: Sequence[TokenizerRecord | None],
    runtime: RuntimeRecord,
    signature: Signature,
) -> StudyRecord:
    """The content of study.json. kept_tokenizers: of each variant, None where no weights are kept."""
    study, dataset = plan.study, plan.dataset
    return StudyRecord(
        name=study.name,
        question=study.question,
        text=study.text,
        seeds=study.seeds,
        variants=variant_records(plan, trials, kept_tokenizers),
        excluded=tuple(ExclusionRecord(place=place, because=because) for place, because in study.excluded),
        contrasts=plan.contrasts,
        compare=study.compare,
        tests=dataset.tests,
        labels=dataset.label_names,
        vocabularies={each.name: each.vocabulary for each in plan.datasets},
        counts=dataset.counts,
        profiles=study_profiles(plan.variants),
        lengths=study_lengths(plan.variants),
        signature=signature,
        runtime=runtime,
        validation_prior=_prior(dataset.splits["validation"]),
        target=dataset.target,
    )


def _prior(validation: Tokens) -> float | None:
    """The share of the commonest label; None where labels are no classes."""
    if validation.target != "classes":
        return None
    return float(np.bincount(validation.labels.astype(np.int64)).max()) / len(validation)


def variant_records(
    plan: Plan, trials: Sequence[WantedTrial], kept_tokenizers: Sequence[TokenizerRecord | None]
) -> tuple[VariantRecord, ...]:
    """What the ledger keeps of each variant, in the study's order."""
    keys: dict[int, dict[int, str]] = {variant.number: {} for variant in plan.variants}
    for trial in trials:
        for variant in trial.variants:
            keys[variant.number][trial.seed] = trial.key
    return tuple(
        _variant_record(plan, variant, keys[variant.number], kept)
        for variant, kept in zip(plan.variants, kept_tokenizers, strict=True)
    )


def _variant_record(
    plan: Plan, variant: PlannedVariant, keys: dict[int, str], kept: TokenizerRecord | None
) -> VariantRecord:
    settings, inputs, dataset = variant.settings, variant.inputs, variant.dataset
    tests = {name: inputs[name] for name in dataset.tests}
    cross = plan.cross_inputs_by_test(variant)
    windows_per_row = {name: split.windows for name, split in inputs.splits.items()}
    return VariantRecord(
        number=variant.number,
        name=variant.name,
        coordinates=variant.cell.coordinates,
        truncation=str(settings.truncation),
        max_len=settings.max_len,
        size=settings.size,
        recipe=settings.recipe,
        weights=_weights_record(variant.initial_weights),
        replica=settings.replica,
        tokenizer=dataset.name,
        vocabulary=dataset.vocabulary,
        inputs=inputs.fingerprint,
        test_inputs={name: test.fingerprint for name, test in tests.items()},
        cross={test: tuple(found) for test, found in cross.items()},
        same_as=variant.same_as,
        ceilings={
            name: test.ceilings["accuracy"] for name, test in tests.items() if "accuracy" in test.ceilings
        },
        best_rankings={name: dict(test.ceilings) for name, test in tests.items() if "map" in test.ceilings},
        audits={name: split.audit for name, split in inputs.splits.items()},
        label_audits={name: _named(test.by_label, dataset) for name, test in tests.items()},
        hardly_cut=inputs.hardly_cut,
        tokens={name: split.tokens for name, split in inputs.splits.items()},
        trials=keys,
        kept_tokenizer=kept,
        aliases=variant.cell.aliases,
        windows=str(settings.windows or NO_WINDOWS),
        windows_per_row={} if settings.windows is None else windows_per_row,
    )


def _weights_record(weights: InitialWeights | None) -> WeightsRecord | None:
    return WeightsRecord(name=weights.name, fingerprint=weights.fingerprint) if weights else None


def _named(by_label: dict[int, Audit], dataset: Dataset) -> dict[str, Audit]:
    return {as_words(label, dataset.label_names): audit for label, audit in by_label.items()}


def evaluated_rows(plan: Plan) -> dict[str, EvaluatedRows]:
    """What the analysis needs to know of each test set's rows."""
    found = {}
    for name in plan.dataset.tests:
        tokens, digests, kept = plan.dataset.splits[name], {}, {}
        for variant in plan.variants:
            inputs = variant.inputs[name]
            assert inputs.digests is not None
            assert inputs.kept is not None
            digests[variant.inputs.fingerprint], kept[variant.inputs.fingerprint] = (
                inputs.digests,
                inputs.kept,
            )
        lengths = {each.name: _whole_lengths(each, name) for each in plan.datasets}
        found[name] = EvaluatedRows(
            np.asarray(tokens.labels),
            np.asarray(tokens.clusters),
            digests,
            lengths,
            kept,
            None if tokens.queries is None else np.asarray(tokens.queries),
        )
    return found


def _whole_lengths(dataset: Dataset, split: str) -> NDArray[np.int32]:
    """Tokens of each row before any cut, special ones included."""
    tokens = dataset.splits[split]
    first, second = lengths_of(tokens)
    special = dataset.template.row(tokens.texts).count
    return np.asarray(first + (0 if second is None else second) + special, np.int32)
