"""Shares of a study's core time, from what ``trimtab run`` leaves in a ledger and when it wrote it."""

import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from trimtab.ledger.ledger import Ledger


@dataclass(frozen=True)
class Shares:
    """Seconds of core time, and what they went into, as shares of them.

    processes: trials at a time, each with ``threads`` cores. start: imports, reading, truncating, planning,
    measuring the precision, until the first trial begins; setting_up: of a trial, its inputs, model and
    optimiser, and writing what came out; between: processes that start or wait; end: the analysis and the
    report.
    """

    name: str
    trials: int
    processes: int
    seconds: float
    trial_seconds: float
    training: float
    evaluation: float
    start: float
    setting_up: float
    between: float
    end: float

    @property
    def line(self) -> str:
        """The same in a line."""
        parts = ("training", "evaluation", "start", "setting_up", "between", "end")
        words = ", ".join(f"{name.replace('_', ' ')} {100 * getattr(self, name):.1f} %" for name in parts)
        return (
            f"{self.name}: {self.trials} trials of {self.trial_seconds:.1f} s, {self.seconds:.0f} s: {words}"
        )


def measured(name: str, study: Path, out: Path, processes: int) -> Shares:
    """Run a study into the empty folder ``out``, and see where the time went."""
    command = (sys.executable, "-m", "trimtab.cli", "run", str(study), "--out", str(out), "--device", "cpu")
    began = time.time()
    subprocess.run([*command, "--jobs", str(processes), "--quiet"], check=True, stdout=subprocess.DEVNULL)
    return shares_of(name, out, processes, began, time.time())


def shares_of(name: str, out: Path, processes: int, began: float, ended: float) -> Shares:
    """Where the time of a run went that began and ended at these moments, in seconds since 1970."""
    ledger = Ledger(out)
    begins, ends, training, evaluation = [], [], 0.0, 0.0
    rows = {count.split: count.rows for count in ledger.study.counts}
    tested = sum(rows[name] for name in ledger.study.tests)
    for key in ledger.study.wanted:
        trial = ledger.trial(key)
        assert trial.result is not None
        # A trial's own clock, as its record of what is trained is written again by what reads a ledger.
        written = (trial.folder / "result.json").stat().st_mtime
        ends.append(written)
        begins.append(written - trial.result.seconds)
        training += trial.result.training_seconds
        validation = sum(epoch.validation_seconds for epoch in trial.epochs())
        evaluation += validation * (1 + tested / (trial.result.recipe.epochs * rows["validation"]))
    inside = sum(ends) - sum(begins)
    whole = processes * (ended - began)
    return Shares(
        name=name,
        trials=len(begins),
        processes=processes,
        seconds=ended - began,
        trial_seconds=inside / len(begins),
        training=training / whole,
        evaluation=evaluation / whole,
        start=processes * (min(begins) - began) / whole,
        setting_up=(inside - training - evaluation) / whole,
        between=(processes * (max(ends) - min(begins)) - inside) / whole,
        end=processes * (ended - max(ends)) / whole,
    )
