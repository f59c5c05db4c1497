"""A run in progress in words: the lines of a live display, and those of a log."""

import time

from trimtab.ledger.run_records import RunningRecord, RunRecord
from trimtab.report.terminal import wrap

_BAR = 12  # characters
_NAMED = 3  # running trials that one line of a log names


def clock(seconds: float) -> str:
    """``1:02:03``, or ``2:03`` under an hour."""
    minutes, rest = divmod(round(max(0.0, seconds)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def whole_words(run: RunRecord) -> str:
    """``3 of 12 trials done, 1 failed, 2:03 left``; the stage where nothing is counted."""
    if not run.what:
        return run.stage
    words = f"{run.done} of {run.trials} {run.what} done"
    if run.failed:
        words += f", {run.failed} failed"
    return words + left_words(run.seconds_left)


def left_words(seconds: float | None) -> str:
    """``, 2:03 left``; nothing where that is unknown."""
    return "" if seconds is None else f", {clock(seconds)} left"


def running_words(trial: RunningRecord) -> str:
    """``epoch 2/3, 41 %, loss 0.693, 1,234 ex./s`` of a trial; ``starting`` before its first report."""
    if trial.step is None or not trial.steps:
        return "starting"
    return (
        f"epoch {trial.epoch}/{trial.epochs}, {100 * trial.step // trial.steps} %, "
        f"loss {trial.loss:.3f}, {trial.examples_per_second:,.0f} ex./s"
    )


def live_lines(run: RunRecord, width: int, *, ascii_only: bool = False) -> list[str]:
    """A live display: the whole run, then each running trial; no line is longer than ``width``.

    Names and words share a line where all of them fit, else each trial takes two or more.
    """
    now = time.time()
    head = f"{whole_words(run)}  {clock(now - run.began)}"
    if run.what:
        head = f"{_bar(run.share, '#-' if ascii_only else '━─')} {head}"
    lines = _folded(head, width, "")
    rows = [(trial.label, f"{running_words(trial)}  {clock(now - trial.began)}") for trial in run.running]
    longest = max((len(label) for label, _ in rows), default=0)
    if all(4 + longest + len(words) <= width for _, words in rows):
        return lines + [f"  {label.ljust(longest)}  {words}" for label, words in rows]
    for label, words in rows:
        lines += _folded(label, width, "  ") + _folded(words, width, "    ")
    return lines


def heartbeat(run: RunRecord) -> str:
    """What a run is at, in one line of a log."""
    if not run.what:
        return f"still {run.stage}, for {clock(time.time() - run.began)}"
    named = [f"{trial.label} ({running_words(trial)})" for trial in run.running[:_NAMED]]
    more = len(run.running) - len(named)
    at = "; ".join(named) + (f"; and {more} more" if more else "")
    return f"{whole_words(run)}; running: {at}" if named else whole_words(run)


def _bar(share: float, signs: str) -> str:
    full = int(_BAR * share)
    return signs[0] * full + signs[1] * (_BAR - full)


def _folded(text: str, width: int, indent: str) -> list[str]:
    return wrap(text, max(width, 20), indent, indent + "  ")
