"""Every trial that a study asks for, finished or not. Free of torch."""

from collections.abc import Sequence
from dataclasses import dataclass

from trimtab.analysis.scores import FinishedVariant
from trimtab.ledger.ledger import Ledger
from trimtab.ledger.records import StudyRecord, TrialResult, VariantRecord


@dataclass(frozen=True)
class TrialRow:
    """A trial by the first variant that it belongs to.

    result: None where it is not finished; failure: why its last attempt failed, None where there was none.
    """

    variant: VariantRecord
    seed: int
    key: str
    result: TrialResult | None
    failure: str | None

    @property
    def status(self) -> str:
        """``finished``, ``failed`` or ``not run``."""
        if self.result is not None:
            return "finished"
        return "not run" if self.failure is None else "failed"


def trial_rows(ledger: Ledger, study: StudyRecord, every: Sequence[FinishedVariant]) -> list[TrialRow]:
    """One row per trial; every: all variants of the study."""
    results = {one.variant.number: one.results for one in every}
    found = []
    for key, ((variant, seed), *_) in study.wanted.items():
        result = results[variant.number].get(seed)
        failure = ledger.trial(key).failure if result is None else None
        found.append(TrialRow(variant, seed, key, result, failure))
    return found
