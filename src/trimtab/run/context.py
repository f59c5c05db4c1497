"""What all parts of a run share."""

from collections.abc import Callable
from dataclasses import dataclass

from trimtab.ledger.claims import Claims
from trimtab.ledger.ledger import Ledger
from trimtab.ledger.records import RuntimeRecord
from trimtab.ledger.run_records import trial_label
from trimtab.machine import Signature
from trimtab.plan.cost import relative_cost
from trimtab.plan.identity import WantedTrial
from trimtab.plan.plan import Plan
from trimtab.run.engine import Place
from trimtab.run.progress import ProgressCallback


@dataclass(frozen=True)
class Failure:
    """A trial or cross evaluation that did not end well: the variants that wanted it, its seed, and why."""

    variants: tuple[str, ...]
    seed: int
    reason: str

    @classmethod
    def of(cls, trial: WantedTrial, reason: str) -> "Failure":
        """That of a trial, with the names of all variants that wanted it."""
        return cls(tuple(variant.name for variant in trial.variants), trial.seed, reason)


@dataclass(frozen=True)
class RunContext:
    """One run of a study on its ledger, of which there may be others.

    jobs: worker processes that were asked for, None for as many as the place allows; on_trial: is called with
    the key of each trial that has just ended.
    """

    plan: Plan
    ledger: Ledger
    claims: Claims
    progress: ProgressCallback
    place: Place
    runtime: RuntimeRecord
    signature: Signature
    jobs: int | None
    on_trial: Callable[[str], None]

    def processes(self, trials: int) -> int:
        """Worker processes for so many trials."""
        slots = self.place.slots(self.runtime, self.plan, self.ledger)
        return min(self.jobs or slots, max(1, trials))

    def is_missing(self, trial: WantedTrial) -> bool:
        """Whether a trial is to be trained, for the first time or for its weights."""
        return self.plan.is_missing(trial.variant, self.ledger.trial(trial.key))


def label_of(trial: WantedTrial) -> str:
    """A trial's name in a run."""
    return trial_label(trial.variant.name, trial.seed)


def cost_of(trial: WantedTrial) -> float:
    """A trial's cost, in units that are only good for shares."""
    return relative_cost(trial.variant)
