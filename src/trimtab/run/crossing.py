"""Cross evaluation as jobs: which trained models are asked what, and what a worker needs for that."""

from collections.abc import Sequence
from typing import Any

from trimtab.ledger.ledger import Ledger
from trimtab.plan.cost import WantedTrial, precision_of
from trimtab.plan.cross import unanswered
from trimtab.plan.plan import Plan
from trimtab.run.jobs import CrossJob
from trimtab.run.runtime import input_spec

Asked = dict[str, tuple[str, int]]


def left_to_ask(plan: Plan, ledger: Ledger, trials: Sequence[WantedTrial]) -> list[tuple[WantedTrial, Asked]]:
    """The trials whose weights are there and who owe answers, with what they are asked (``unanswered``)."""
    able = [trial for trial in trials if ledger.trial(trial.key).weights]
    questions = [unanswered(plan, trial.variant, ledger.trial(trial.key)) for trial in able]
    return [(trial, asked) for trial, asked in zip(able, questions, strict=True) if asked]


def cross_job(
    plan: Plan, ledger: Ledger, runtime: dict[str, Any], trial: WantedTrial, asked: Asked
) -> CrossJob:
    """One model and all that it is asked, each way to cut once."""
    by_cut: dict[int, dict[str, str]] = {}
    for fingerprint, (test, other) in asked.items():
        by_cut.setdefault(other, {})[test] = fingerprint
    return CrossJob(
        folder=ledger.trial(trial.key).folder,
        questions=tuple((input_spec(plan, other), wanted) for other, wanted in by_cut.items()),
        size=plan.study.variants[trial.variant].settings.size,
        precision=precision_of(plan, trial.variant, runtime),
        device=runtime["device"],
    )
