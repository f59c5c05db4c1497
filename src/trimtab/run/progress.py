"""How far a run is: the interface through which it tells, and the state that every display of it needs."""

import os
import socket
import threading
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from trimtab.ledger.run_records import RunningRecord, RunRecord
from trimtab.ledger.trial_records import Scores
from trimtab.training.epoch import Epoch, TrialProgress

_SAID = 20  # warnings that a run's file holds


@dataclass(frozen=True)
class Alive:
    """A sign of life of a trial that does what has no progress of its own, such as an evaluation."""


TrialNews = TrialProgress | Epoch | Alive


class ProgressCallback:
    """Is called during a run; this one does nothing. The command line shows progress through another."""

    def stage(self, words: str) -> None:
        """What is being done before or after the trials."""

    def start(self, trials: int, done_before: int, cost: float, what: str = "trials") -> None:
        """Trials, or ``what``, are about to run; cost: of all, in units that are only good for shares."""

    def begin(self, label: str, cost: float) -> None:
        """A trial is handed to a worker, perhaps once more; cost: its own."""

    def news(self, label: str, news: TrialNews) -> None:
        """A running trial reports its TrialProgress, or the record of an Epoch."""

    def pause(self, label: str) -> None:
        """A trial runs no longer, and has not ended: it will begin again."""

    def warn(self, sentence: str) -> None:
        """Something that a person should know while the run goes on."""

    def tell(self, sentence: str) -> None:
        """What the run has decided, such as what stops at a planned look."""

    def end(self, label: str, failure: str | None, validation: Scores | None = None) -> None:
        """A trial ended; validation: what it came to there, None where it failed or has none."""


@dataclass(frozen=True)
class Running:
    """A trial in progress: since when, in seconds since 1970, and what it reported last."""

    label: str
    cost: float
    began: float
    progress: TrialProgress | None = None

    @property
    def share(self) -> float:
        """How much of it is done, from 0 to 1."""
        return self.progress.step / self.progress.steps if self.progress else 0.0

    @property
    def record(self) -> RunningRecord:
        """The same as a record."""
        told = asdict(self.progress) if self.progress else {}
        return RunningRecord(label=self.label, began=self.began, **told)


class RunState(ProgressCallback):
    """Remembers what a run has told. Another thread may read it through ``record``, or under ``lock``."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.words, self.what = "starting", ""
        self.trials = self.done = self.failed = 0
        self.running: dict[str, Running] = {}
        self._cost = self._cost_done = 0.0
        self.started = self.began = time.time()
        self.wants = ""  # a digest of the trials that the run wants
        self.said: tuple[str, ...] = ()

    def stage(self, words: str) -> None:
        """Remember the stage; no trial runs."""
        with self.lock:
            self.words, self.what, self.began = words, "", time.time()

    def start(self, trials: int, done_before: int, cost: float, what: str = "trials") -> None:
        """Begin to count."""
        with self.lock:
            self.trials, self.done, self.failed, self.what = trials, done_before, 0, what
            self.running = {}
            self._cost, self._cost_done, self.began = cost, 0.0, time.time()

    def begin(self, label: str, cost: float) -> None:
        """Note a trial, of which nothing else is known yet."""
        with self.lock:
            self.running[label] = Running(label, cost, time.time())

    def news(self, label: str, news: TrialNews) -> None:
        """Remember a trial's progress."""
        with self.lock:
            if isinstance(news, TrialProgress) and label in self.running:
                known = self.running[label]
                self.running[label] = Running(label, known.cost, known.began, news)

    def pause(self, label: str) -> None:
        """Forget that it runs."""
        with self.lock:
            self.running.pop(label, None)

    def warn(self, sentence: str) -> None:
        """Remember the last ones, for a run that watches this one."""
        with self.lock:
            self.said = (*self.said, sentence)[-_SAID:]

    def end(self, label: str, failure: str | None, validation: Scores | None = None) -> None:
        """Count a trial that ended."""
        with self.lock:
            self.done += failure is None
            self.failed += failure is not None
            ended = self.running.pop(label, None)
            self._cost_done += ended.cost if ended else 0.0

    @property
    def record(self) -> RunRecord:
        """What the run is doing now."""
        with self.lock:
            return RunRecord(
                host=socket.gethostname(),
                pid=os.getpid(),
                started=self.started,
                updated=time.time(),
                began=self.began,
                stage=self.words,
                what=self.what,
                trials=self.trials,
                done=self.done,
                failed=self.failed,
                share=self._share,
                seconds_left=self._seconds_left,
                running=tuple(each.record for each in self.running.values()),
                wants=self.wants,
                said=self.said,
            )

    @property
    def _share(self) -> float:
        """How much of the work is done; running trials count by their share."""
        if not self.what:
            return 0.0
        completed = self._cost_done + sum(each.share * each.cost for each in self.running.values())
        return min(1.0, completed / self._cost) if self._cost else 1.0

    @property
    def _seconds_left(self) -> float | None:
        """What the remaining work takes at the rate so far; None before there is anything to go by."""
        share, elapsed = self._share, time.time() - self.began
        return elapsed * (1 - share) / share if self.what and share and elapsed else None


class Several(ProgressCallback):
    """Tells several others."""

    def __init__(self, others: Sequence[ProgressCallback]) -> None:
        self.others = others

    def stage(self, words: str) -> None:
        """Tell all of them."""
        for other in self.others:
            other.stage(words)

    def start(self, trials: int, done_before: int, cost: float, what: str = "trials") -> None:
        """Tell all of them."""
        for other in self.others:
            other.start(trials, done_before, cost, what)

    def begin(self, label: str, cost: float) -> None:
        """Tell all of them."""
        for other in self.others:
            other.begin(label, cost)

    def news(self, label: str, news: TrialNews) -> None:
        """Tell all of them."""
        for other in self.others:
            other.news(label, news)

    def pause(self, label: str) -> None:
        """Tell all of them."""
        for other in self.others:
            other.pause(label)

    def warn(self, sentence: str) -> None:
        """Tell all of them."""
        for other in self.others:
            other.warn(sentence)

    def tell(self, sentence: str) -> None:
        """Tell all of them."""
        for other in self.others:
            other.tell(sentence)

    def end(self, label: str, failure: str | None, validation: Scores | None = None) -> None:
        """Tell all of them."""
        for other in self.others:
            other.end(label, failure, validation)
