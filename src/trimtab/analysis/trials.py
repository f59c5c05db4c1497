"""Every trial that a study asks for, finished or not. Free of torch."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from trimtab.analysis.scores import FinishedVariant
from trimtab.ledger.ledger import Ledger
from trimtab.ledger.records import StudyRecord, VariantRecord
from trimtab.ledger.trial_records import TrialResult


@dataclass(frozen=True)
class TrialRow:
    """A trial by the first variant that it belongs to.

    result: None where it is not finished; failure: why its last attempt failed, None where there was none;
    stopped: the planned look, from 1, at which it was decided that it is not to be run, else None.
    """

    variant: VariantRecord
    seed: int
    key: str
    result: TrialResult | None
    failure: str | None
    stopped: int | None = None

    @property
    def status(self) -> str:
        """``finished``, ``failed``, ``not run``, or that it was stopped at a look."""
        if self.result is not None:
            return "finished"
        if self.stopped is not None:
            return f"not run, stopped at look {self.stopped}"
        return "not run" if self.failure is None else "failed"


def trial_rows(
    ledger: Ledger,
    study: StudyRecord,
    every: Sequence[FinishedVariant],
    stopped: Mapping[str, int],
) -> list[TrialRow]:
    """One row per trial; every: all variants of the study; stopped: by key, the look."""
    results = {one.variant.number: one.results for one in every}
    found = []
    for key, ((variant, seed), *_) in study.wanted.items():
        result = results[variant.number].get(seed)
        failure = ledger.trial(key).failure if result is None else None
        found.append(TrialRow(variant, seed, key, result, failure, stopped.get(key)))
    return found
