"""How many seeds of a variant failed, and how many trained a model that learned nothing. Free of torch."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import special

from trimtab.analysis.scores import FinishedVariant, Logits, ScoredLogits
from trimtab.ledger.ledger import Ledger
from trimtab.ledger.records import StudyRecord
from trimtab.ledger.trial_records import TrialResult

_LEVEL = 0.95
_ALIKE = 1e-3  # outputs that differ by less, beside the labels' range, say the same of every row


@dataclass(frozen=True)
class SeedCount:
    """Of a variant's seeds, those that were tried, and what became of them; seeds that were not run are none.

    tried: finished or failed; failed: for whatever reason, diverged ones among them; diverged: the loss or a
    logit was no longer finite; collapsed: finished, and no better on validation than its label prior, or,
    where the ledger does not know that prior, one class for every row of the test set; where labels are no
    classes, one output for every row of it.
    """

    tried: int
    failed: int
    diverged: int
    collapsed: int

    @property
    def lost(self) -> int:
        """Those that gave no useful model."""
        return self.failed + self.collapsed

    @property
    def most(self) -> float:
        """The largest share of seeds that may be lost: the upper end of Clopper and Pearson's 95 % interval.

        nan where none was tried. Source: Clopper and Pearson, Biometrika 26 (1934).
        """
        if self.tried == 0:
            return float("nan")
        if self.lost == self.tried:
            return 1.0
        return float(special.betaincinv(self.lost + 1, self.tried - self.lost, (1 + _LEVEL) / 2))


def seed_counts(
    ledger: Ledger,
    study: StudyRecord,
    finished: Sequence[FinishedVariant],
    scores: ScoredLogits,
) -> dict[int, SeedCount]:
    """By number of each variant of the study; scores: on a test set."""
    results = {one.variant.number: one.results for one in finished}
    # Outputs of relevance are logits, whose unit is the same in every study.
    spread = float(np.ptp(scores.truth.labels)) if study.target == "score" else 1.0
    found = {}
    for variant in study.variants:
        own = results.get(variant.number, {})
        others = [ledger.trial(key) for seed, key in variant.trials.items() if seed not in own]
        failed = [trial for trial in others if trial.failure is not None]
        collapsed = [
            _collapsed(study, own[seed], scores.logits[variant.number][seed], spread) for seed in own
        ]
        found[variant.number] = SeedCount(
            tried=len(own) + len(failed),
            failed=len(failed),
            diverged=sum(trial.diverged for trial in failed),
            collapsed=sum(collapsed),
        )
    return found


def _collapsed(study: StudyRecord, result: TrialResult, logits: Logits, spread: float) -> bool:
    if study.target != "classes":
        return bool(np.ptp(logits) <= _ALIKE * spread)
    if study.validation_prior is not None and result.validation.accuracy is not None:
        return result.validation.accuracy <= study.validation_prior
    said = logits.argmax(axis=1)
    return bool(np.all(said == said[0]))
