"""Cross evaluation: which models are still to be asked about which other variants' inputs. Free of torch."""

from trimtab.ledger.trial import Trial
from trimtab.plan.plan import Plan


def unanswered(plan: Plan, number: int, trial: Trial) -> dict[str, tuple[str, int]]:
    """What the plan wants of a variant's trial and its folder does not hold; as ``Plan.foreign`` gives it."""
    foreign = plan.foreign(number)
    crossed = trial.crossed
    return {fingerprint: place for fingerprint, place in foreign.items() if fingerprint not in crossed}


def lacks_weights(plan: Plan, number: int, trial: Trial) -> bool:
    """Whether a finished trial is to be trained again: no weights were kept, and the study wants them.

    It wants them where it says so, and for what is unanswered.
    """
    wanted = plan.study.keep_weights or bool(unanswered(plan, number, trial))
    return wanted and trial.result is not None and trial.weights is None
