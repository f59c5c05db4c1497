"""What all parts of a run share."""

from collections.abc import Callable
from dataclasses import dataclass

from trimtab.ledger.claims import Claims
from trimtab.ledger.ledger import Ledger
from trimtab.ledger.records import RuntimeRecord
from trimtab.machine import Signature
from trimtab.plan.cost import relative_cost
from trimtab.plan.identity import WantedTrial
from trimtab.plan.plan import Plan
from trimtab.run.engines import Engine
from trimtab.run.progress import ProgressCallback
from trimtab.run.runtime import default_jobs


@dataclass(frozen=True)
class Failure:
    """A trial or cross evaluation that did not end well: the variants that wanted it, its seed, and why."""

    variants: tuple[str, ...]
    seed: int
    reason: str


@dataclass(frozen=True)
class RunContext:
    """One run of a study on its ledger, of which there may be others.

    jobs: worker processes that were asked for, None for as many as suit the machine; on_trial: is called with
    the key of each trial that has just ended.
    """

    plan: Plan
    ledger: Ledger
    claims: Claims
    progress: ProgressCallback
    engine: Engine
    runtime: RuntimeRecord
    signature: Signature
    jobs: int | None
    on_trial: Callable[[str], None]

    def processes(self, trials: int) -> int:
        """Worker processes for so many trials."""
        return min(self.jobs or default_jobs(self.runtime, self.plan, self.ledger), max(1, trials))

    def is_missing(self, trial: WantedTrial) -> bool:
        """Whether a trial is to be trained, for the first time or for its weights."""
        kept = self.ledger.trial(trial.key)
        return kept.result is None or self.plan.needs_weights_again(trial.variant, kept)

    def failure(self, trial: WantedTrial, reason: str) -> Failure:
        """The record of a trial that failed."""
        return Failure(tuple(variant.name for variant in trial.variants), trial.seed, reason)


def label_of(trial: WantedTrial) -> str:
    """A trial's name in a run."""
    return f"{trial.variant.name}, seed {trial.seed}"


def cost_of(trial: WantedTrial) -> float:
    """A trial's cost, in units that are only good for shares."""
    return relative_cost(trial.variant)
