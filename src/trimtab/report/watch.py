"""A study that runs, here or elsewhere, as lines on a terminal."""

import time

from trimtab.analysis.state import StudyState, TrialState
from trimtab.ledger.trial_records import Scores
from trimtab.report.live import live_lines
from trimtab.report.terminal import table_text, wrapped

_WIDE = 1_000  # columns where there is no limit


def watch_text(state: StudyState, columns: int | None, *, ascii_only: bool = False) -> str:
    """What is finished, by variant; what failed; then each run that goes on, with its trials."""
    parts = []
    if state.study is not None:
        parts = [wrapped(state.study.question, columns), _table(state)]
        parts += [
            wrapped(f"failed: {trial.label}: {trial.failure}", columns)
            for trial in state.trials
            if trial.failure is not None
        ]
        parts.append(wrapped(_counts_words(state), columns))
    for run in state.runs:
        since = time.strftime("%H:%M", time.localtime(run.started))
        lines = live_lines(run, columns or _WIDE, ascii_only=ascii_only)
        parts.append("\n".join([f"running on {run.host} since {since} (process {run.pid}):", *lines]))
    return "\n\n".join(parts)


def _counts_words(state: StudyState) -> str:
    counts = state.counts
    words = f"{counts.get('done', 0)} of {len(state.trials)} trials done"
    if "stopped" in counts:
        words += f", {counts['stopped']} not run, as a planned look settled their contrasts"
    for status in ("running", "failed", "interrupted"):
        if status in counts:
            words += f", {counts[status]} {status}"
    if state.is_over:
        unfinished = len(state.trials) > counts.get("done", 0) + counts.get("stopped", 0)
        words += "; no run goes on here" + (", trimtab run STUDY resumes it" if unfinished else "")
    return words


def _table(state: StudyState) -> str:
    by_variant: dict[str, list[TrialState]] = {}
    for trial in state.trials:
        by_variant.setdefault(trial.variant, []).append(trial)
    done = [trial.validation for trial in state.trials if trial.validation is not None]
    by_loss = any(one.accuracy is None for one in done)  # labels are no classes
    heads = ["variant", "seeds done", "validation loss" if by_loss else "validation accuracy %", "others"]
    return table_text([_row(name, trials) for name, trials in by_variant.items()], heads)


def _row(name: str, trials: list[TrialState]) -> list[str]:
    known = [_shown(trial.validation) for trial in trials if trial.status == "done" and trial.validation]
    mean = f"{sum(known) / len(known):.2f}" if known else ""
    if len(known) > 1:
        mean += f" ({min(known):.2f} to {max(known):.2f})"
    others = [_words(trial) for trial in trials if trial.status not in ("done", "missing", "stopped")]
    return [name, f"{len(known)} of {len(trials)}", mean, ", ".join(others)]


def _words(trial: TrialState) -> str:
    words = f"seed {trial.seed} {trial.status}"
    if trial.epochs and trial.validation is not None:
        words += f" (epoch {trial.epochs}: {trial.validation.words.removeprefix('accuracy ')})"
    return words


def _shown(validation: Scores) -> float:
    """Accuracy in percent, else the loss."""
    return validation.loss if validation.accuracy is None else 100 * validation.accuracy
