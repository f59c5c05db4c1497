"""Every trial that a study asks for, finished or not. Free of torch."""

from collections.abc import Sequence
from dataclasses import dataclass

from trimtab.analysis.scores import FinishedVariant
from trimtab.ledger.ledger import Ledger
from trimtab.ledger.records import TrialResult, VariantRecord


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


def trial_rows(ledger: Ledger, every: Sequence[FinishedVariant]) -> list[TrialRow]:
    """One row per trial; variants with identical inputs share theirs, which is there once."""
    found: dict[str, TrialRow] = {}
    for one in every:
        for seed, key in one.variant.trials.items():
            if key not in found:
                result = one.results.get(seed)
                failure = ledger.trial(key).failure if result is None else None
                found[key] = TrialRow(one.variant, seed, key, result, failure)
    return list(found.values())
