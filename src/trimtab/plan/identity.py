"""What makes two trials one: everything that a trial's result depends on, and nothing else. Free of torch."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from trimtab.ledger.records import RuntimeRecord
from trimtab.ledger.trial_records import TrialConfig
from trimtab.plan.inputs import PlannedVariant
from trimtab.training.recipe import Precision


@dataclass(frozen=True, eq=False)
class WantedTrial:
    """A trial that a study wants: its configuration, every variant that shares it, and the study's seed."""

    config: TrialConfig
    variants: tuple[PlannedVariant, ...]
    seed: int

    @property
    def key(self) -> str:
        """The trial's identity, which names its folder."""
        return self.config.key

    @property
    def variant(self) -> PlannedVariant:
        """The first variant that wants it."""
        return self.variants[0]


def trial_config(variant: PlannedVariant, seed: int, runtime: RuntimeRecord | None = None) -> TrialConfig:
    """The whole resolved configuration of a trial; truncation and max_len act through the inputs alone.

    seed: of the study; runtime: what the ledger keeps, which gives the precision where that is measured.
    """
    settings, weights = variant.settings, variant.initial_weights
    return TrialConfig(
        size=settings.size,
        recipe=replace(settings.recipe, precision=precision_of(variant, runtime)),
        weights=weights.fingerprint if weights else None,
        vocabulary=variant.dataset.vocabulary,
        classes=variant.dataset.outputs,
        inputs=variant.inputs.fingerprints,
        seed=settings.trained_seed(seed),
    )


def precision_of(variant: PlannedVariant, runtime: RuntimeRecord | None) -> Precision:
    """The precision of a variant: its recipe's, else the measured one, else still ``auto``."""
    chosen = variant.settings.recipe.precision
    if chosen != "auto" or runtime is None:
        return chosen
    return runtime.precision.get(precision_kind(variant), "auto")


def precision_kind(variant: PlannedVariant) -> str:
    """What a measured precision holds for: one for all truncations and lengths, so that contrasts pair."""
    size, recipe = variant.settings.size, variant.settings.recipe
    kind = "" if size.kind == "bert" else f"{size.kind} "
    through = "" if size.is_packed else f", through {size.implementation}"
    return f"{kind}{size}, {size.activation}, batch {recipe.batch_size}{through}"


def wanted_trials(
    variants: Iterable[PlannedVariant], seeds: Iterable[int], runtime: RuntimeRecord | None
) -> list[WantedTrial]:
    """Each distinct trial of the variants once, seed by seed."""
    variants = list(variants)
    wanted: dict[str, WantedTrial] = {}
    for seed in seeds:
        for variant in variants:
            config = trial_config(variant, seed, runtime)
            known = wanted.get(config.key) or WantedTrial(config, (), seed)
            wanted[config.key] = replace(known, variants=(*known.variants, variant))
    return list(wanted.values())


def first_alike(variants: Iterable[PlannedVariant]) -> list[int]:
    """For each variant the number of the first one whose trials are the same."""
    first: dict[str, int] = {}
    return [first.setdefault(trial_config(each, 0).key, each.number) for each in variants]
