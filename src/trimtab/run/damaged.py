"""Before a run trains: damaged files of trials are removed, so that what they held is made again."""

from collections.abc import Sequence

from trimtab.ledger.claims import Claims
from trimtab.ledger.ledger import Ledger
from trimtab.ledger.soundness import faults_of
from trimtab.plan.identity import WantedTrial
from trimtab.run.context import label_of
from trimtab.run.progress import ProgressCallback


def set_aside_damaged(
    ledger: Ledger, claims: Claims, progress: ProgressCallback, trials: Sequence[WantedTrial]
) -> None:
    """Remove the damaged files of trials, so that this run, or another one, makes them again; each is told.

    A record of what was trained is written again instead, as the study says it too.
    """
    for trial in trials:
        kept = ledger.trial(trial.key)
        if not faults_of(kept) or not claims.take(trial.key):
            continue
        kept.settle()  # a second attempt may be complete
        kept.restore(trial.config)
        for fault in faults_of(kept):
            if fault.remove is not None:
                fault.remove.unlink(missing_ok=True)
            progress.warn(f"{label_of(trial)}: {fault.path}: {fault.what}; it is made again")
        claims.give_back(trial.key)
