"""Watching what other runs do to a ledger, from its files, and telling it as if it were done here."""

import os
import socket
from collections.abc import Callable, Sequence
from contextlib import suppress

from trimtab.config import InputError
from trimtab.ledger.ledger import Ledger
from trimtab.ledger.run_records import RunningRecord
from trimtab.ledger.runs import live_runs
from trimtab.plan.identity import WantedTrial
from trimtab.run.context import cost_of, label_of
from trimtab.run.progress import ProgressCallback
from trimtab.training.epoch import TrialProgress


class Watching:
    """Tells ``progress`` what becomes of the trials of a study that other runs train.

    begun: those on which it was told that they run; ended: that they are done or have failed. on_trial: is
    called with the key of each that ended. A failure of before counts for nothing: it is tried again.
    """

    def __init__(self, ledger: Ledger, progress: ProgressCallback, on_trial: Callable[[str], None]) -> None:
        self.ledger, self.progress, self.on_trial = ledger, progress, on_trial
        self.left: dict[str, WantedTrial] | None = None
        self.done: set[str] = set()
        self._failed_before: dict[str, str] = {}
        self._told: dict[str, RunningRecord] = {}
        self._said: set[tuple[str, str]] = set()
        self._stage = ""

    def begin(self, trials: Sequence[WantedTrial], is_left: Callable[[WantedTrial], bool]) -> None:
        """Count the trials that are left to do."""
        self.left = {trial.key: trial for trial in trials if is_left(trial)}
        self._failed_before = {key: self.ledger.trial(key).failed_by for key in self.left}
        cost = sum(map(cost_of, self.left.values()))
        self.progress.start(len(trials), len(trials) - len(self.left), cost)

    def look(self) -> None:
        """Tell what has happened since the last look; what cannot be read now is left for the next one."""
        running: dict[str, RunningRecord] = {}
        stages = []
        for run in live_runs(self.ledger.folder):
            if (run.host, run.pid) == (socket.gethostname(), os.getpid()):
                continue
            running |= {each.label: each for each in run.running}
            stages.append(run.stage)
            for sentence in run.said:
                if (run.name, sentence) not in self._said:
                    self._said.add((run.name, sentence))
                    self.progress.warn(sentence)
        if self.left is None:
            self._tell_stage(stages)
            return
        for key, trial in list(self.left.items()):
            with suppress(InputError, OSError):
                self._look_at(key, trial, running.get(label_of(trial)))

    def _tell_stage(self, stages: list[str]) -> None:
        words = stages[0] if stages else "waiting for jobs to start"
        if words != self._stage:
            self._stage = words
            self.progress.stage(words)

    def _look_at(self, key: str, trial: WantedTrial, running: RunningRecord | None) -> None:
        label = label_of(trial)
        if running is not None and self._told.get(key) != running:
            if key not in self._told or self._told[key].began != running.began:
                self.progress.begin(label, cost_of(trial))
            self._told[key] = running
            told = running.model_dump(exclude={"label", "began"})
            if all(value is not None for value in told.values()):
                self.progress.news(label, TrialProgress(**told))
        if running is None and self._told.pop(key, None) is not None:
            self.progress.pause(label)
        result = self.ledger.trial(key).result
        # One that is trained again for its weights has a result meanwhile.
        if running is not None or (result is None and not self.has_failed(key)):
            return
        if key not in self._told:
            self.progress.begin(label, cost_of(trial))
        assert self.left is not None
        del self.left[key]
        if result is not None:
            self.done.add(key)
            self.progress.end(label, None, result.validation)
        else:
            self.progress.end(label, self.ledger.trial(key).failure)
        self.on_trial(key)

    def has_failed(self, key: str) -> bool:
        """Whether a trial failed since the beginning."""
        return self.ledger.trial(key).failed_by not in ("", self._failed_before.get(key, ""))
