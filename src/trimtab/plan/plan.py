"""The plan: what each variant's model would be given, and which trials that makes. Free of torch."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trimtab.config import InputError, canonical_hash
from trimtab.data.dataset import Dataset
from trimtab.data.pairs import Pairs, budget, ceiling, make_pairs
from trimtab.data.sampling import unsampled
from trimtab.data.tokens import Tokens
from trimtab.ledger.ledger import SCHEMA
from trimtab.plan.prepare import Start, reading_of, readings_of, start_of
from trimtab.study.definition import Study
from trimtab.study.grid import Variant
from trimtab.training.recipe import Precision
from trimtab.truncation.audit import Audit, audit, audit_by_label


@dataclass(frozen=True, eq=False)
class Inputs:
    """What one truncation and length makes of every split.

    fingerprints, audits, label_audits, tokens (mean a row) and longest (tokens of a row): by split; ceilings:
    the best accuracy that probe permits, by test set; digests: (rows,) uint64 of each test set's inputs.
    """

    fingerprints: dict[str, str]
    audits: dict[str, Audit]
    label_audits: dict[str, dict[Any, Audit]]
    ceilings: dict[str, float]
    digests: dict[str, NDArray[np.uint64]]
    tokens: dict[str, float]
    longest: dict[str, int]

    @property
    def fingerprint(self) -> str:
        """One hash over all splits."""
        return canonical_hash(self.fingerprints)

    @property
    def hardly_cut(self) -> bool:
        """Whether fewer than 1 % of the pairs of every split are cut."""
        return all(audit.hardly_cuts for audit in self.audits.values())


@dataclass(frozen=True, eq=False)
class Plan:
    """A study with its data and each variant's inputs, in the order of the study's variants.

    dataset: as variants without weights read it; without such variants, as the first one does. starts:
    the pretrained weights by name, each with the data as their tokeniser reads it.
    """

    study: Study
    dataset: Dataset
    inputs: tuple[Inputs, ...]
    starts: Mapping[str, Start] = field(default_factory=dict)

    def start(self, number: int) -> Start | None:
        """What a variant's trials start from; None where that is nothing."""
        return start_of(self.study.variants[number], self.starts)

    def reading(self, number: int) -> Dataset:
        """The data as a variant reads it: one object for all that share a tokeniser."""
        return reading_of(self.study.variants[number], self.dataset, self.starts)

    @property
    def readings(self) -> tuple[Dataset, ...]:
        """The data as each of the variants' tokenisers reads it, in the variants' order."""
        return tuple(readings_of(self.study, self.dataset, self.starts))

    def key(self, number: int, seed: int, precision: Precision | None = None) -> str:
        """The identity of a trial: everything that its result depends on, and nothing else."""
        return canonical_hash(self.config(number, seed, precision))

    def config(self, number: int, seed: int, precision: Precision | None = None) -> dict[str, Any]:
        """The whole resolved configuration of a trial; truncation and max_len act through the inputs."""
        settings, start = self.study.variants[number].settings, self.start(number)
        recipe = replace(settings.recipe, precision=precision or settings.recipe.precision)
        return {
            "schema": SCHEMA,
            "size": asdict(settings.size),
            "recipe": asdict(recipe),
            "weights": start.fingerprint if start else None,
            "vocabulary": self.reading(number).vocabulary,
            "classes": len(self.dataset.label_names),
            "inputs": self.inputs[number].fingerprints,
            "seed": settings.trained_seed(seed),
        }

    def same_inputs(self, number: int) -> int:
        """The first variant that trains on the same inputs in the same way; ``number`` where none."""
        return self._first_alike[number]

    def asked(self, number: int) -> dict[str, dict[str, int]]:
        """The test inputs to evaluate a variant's models on beside its own, none unless [compare] says cross.

        By test set and fingerprint: the first variant that makes them. Left out are those with a row for
        which the model has no position, and those of another tokeniser, whose ids mean other words.
        """
        own = self.inputs[number].fingerprints
        room = self.study.variants[number].settings.size.positions
        found: dict[str, dict[str, int]] = {}
        for other, inputs in enumerate(self.inputs if self.study.compare.cross else ()):
            if self.reading(other) is not self.reading(number):
                continue
            for test in self.dataset.tests:
                if inputs.fingerprints[test] != own[test] and inputs.longest[test] <= room:
                    found.setdefault(test, {}).setdefault(inputs.fingerprints[test], other)
        return found

    def foreign(self, number: int) -> dict[str, tuple[str, int]]:
        """The same by fingerprint: a test set and a variant. Sets of the same rows share one evaluation."""
        asked = self.asked(number).items()
        return {fingerprint: (test, other) for test, found in asked for fingerprint, other in found.items()}

    @cached_property
    def _first_alike(self) -> list[int]:
        first: dict[str, int] = {}
        return [first.setdefault(self.key(number, 0), number) for number in range(len(self.inputs))]


def make_plan(study: Study, dataset: Dataset, starts: Mapping[str, Start] | None = None) -> Plan:
    """Cut every split as every variant does; InputError names the variant whose truncation is impossible.

    dataset, starts: as ``Plan`` has them; ``starts.prepare_study`` gives all three. InputError too where
    [compare] names a score that is not for the data's labels, and where a test set is what train reads, or
    would choose the epoch.
    """
    _check_score(study.compare.score, dataset.label_names)
    _check_tests(study, dataset)
    made: dict[tuple[Dataset, str, int], Inputs] = {}
    inputs = []
    for variant in study.variants:
        reading = reading_of(variant, dataset, starts or {})
        cut = (reading, variant.settings.truncation.resolved, variant.settings.max_len)
        if cut not in made:
            made[cut] = _inputs(variant, reading)
        inputs.append(made[cut])
    return Plan(study, dataset, tuple(inputs), starts or {})


def _check_score(name: str, labels: tuple[str, ...]) -> None:
    if name == "accuracy":
        return
    from trimtab.statistics import SCORES, scores_for  # scipy takes its time, and most studies need none yet

    if name not in scores_for(labels):
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
                f"[data]: test set {test} is what train reads, {sources[test]}; name another file or split, "
                "as models are to be tested on rows that are new to them"
            )
        if chosen and sources[test] == sources["validation"]:
            raise InputError(
                f"evaluate = {min(chosen)!r} would choose the epoch on test set {test}, as validation is the "
                f"same, {sources[test]}; give validation = 0.1, which holds out a share of train"
            )


def _inputs(variant: Variant, dataset: Dataset) -> Inputs:
    settings = variant.settings
    train = dataset.splits["train"]
    truncation = settings.truncation.fit(train.first, train.second)
    result = Inputs({}, {}, {}, {}, {}, {}, {})
    for name, tokens in dataset.splits.items():
        try:
            if budget(settings.max_len, tokens.second is not None) == 0:
                raise InputError(
                    f"max_len {settings.max_len} has room for the special tokens alone; raise it"
                )
            pairs = make_pairs(tokens, truncation, settings.max_len, dataset.special)
        except InputError as error:
            raise InputError(f"{variant.name}: {name}: {error}") from error
        lengths = (tokens.first.lengths, None if tokens.second is None else tokens.second.lengths)
        kept = _kept(pairs, tokens)
        result.fingerprints[name] = pairs.fingerprint
        result.tokens[name] = len(pairs.tokens.values) / len(pairs)
        result.longest[name] = int(pairs.tokens.lengths.max(initial=0))
        result.audits[name] = audit(*lengths, *kept)
        if name in dataset.tests:
            result.label_audits[name] = audit_by_label(*lengths, *kept, tokens.labels)
            result.digests[name] = pairs.row_digests()
            _add_ceiling(result, name, variant, pairs)
    return result


def _kept(pairs: Pairs, tokens: Tokens) -> tuple[NDArray[np.int64], NDArray[np.int64] | None]:
    """How many tokens of each text the inputs hold, the special ones apart: (rows,) of each side."""
    first = pairs.first_lengths.astype(np.int64)
    return first - 2, None if tokens.second is None else pairs.tokens.lengths - first - 1


def _add_ceiling(result: Inputs, name: str, variant: Variant, pairs: Pairs) -> None:
    if pairs.visible is not None and not variant.settings.truncation.content_dependent:
        result.ceilings[name] = ceiling(pairs.visible)


def variant_rows(plan: Plan) -> list[dict[str, Any]]:
    """What a ledger keeps of each variant, its trials' keys apart."""
    return [
        {
            "name": variant.name,
            "coordinates": variant.coordinates,
            "truncation": str(variant.settings.truncation),
            "max_len": variant.settings.max_len,
            "size": asdict(variant.settings.size),
            "weights": _weights_row(plan.start(number)),
            "tokenizer": plan.reading(number).name,
            "vocabulary": plan.reading(number).vocabulary,
            "recipe": asdict(variant.settings.recipe),
            "inputs": inputs.fingerprint,
            "test_inputs": {name: inputs.fingerprints[name] for name in plan.dataset.tests},
            "cross": {test: list(found) for test, found in plan.asked(number).items()},
            "same_as": plan.same_inputs(number),
            "ceilings": inputs.ceilings,
            "audits": {name: asdict(audit) for name, audit in inputs.audits.items()},
            "label_audits": {
                name: {plan.dataset.label_names[label]: asdict(audit) for label, audit in by_label.items()}
                for name, by_label in inputs.label_audits.items()
            },
            "hardly_cut": inputs.hardly_cut,
            "tokens": inputs.tokens,
        }
        for number, (variant, inputs) in enumerate(zip(plan.study.variants, plan.inputs, strict=True))
    ]


def _weights_row(start: Start | None) -> dict[str, str] | None:
    return {"name": start.name, "fingerprint": start.fingerprint} if start else None
