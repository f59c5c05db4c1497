"""A run that trains nothing itself: its engine starts runs elsewhere, which share the ledger by claims."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import suppress

from trimtab.config import InputError
from trimtab.ledger.claims import Claims
from trimtab.ledger.ledger import Ledger
from trimtab.plan.identity import WantedTrial
from trimtab.plan.plan import Plan
from trimtab.run.context import Failure
from trimtab.run.damaged import set_aside_damaged
from trimtab.run.ended import Ended
from trimtab.run.engine import Part, PartsEngine
from trimtab.run.progress import ProgressCallback
from trimtab.run.runtime import kinds_to_measure
from trimtab.run.ticker import Ticker
from trimtab.run.watching import Watching

PARTS = 8  # by default
_SECONDS = 2.0  # between two looks at the ledger
_RETRIES = 2  # of a part that was lost while there was work left


class DividedRun:
    """A study whose trials are trained by parts, each a run on the ledger that takes what nobody has.

    What the study runs on (device, threads, precision) is found out by the first part, where trials will run,
    and not here. before: trials that were done when it began; done: since; crossed: models evaluated on
    others' inputs.
    """

    def __init__(
        self,
        plan: Plan,
        ledger: Ledger,
        claims: Claims,
        progress: ProgressCallback,
        engine: PartsEngine,
        part: Part,
        on_trial: Callable[[str], None],
    ) -> None:
        self.plan, self.ledger, self.progress, self.engine, self.part = plan, ledger, progress, engine, part
        self.watching = Watching(ledger, progress, on_trial)
        self.trials: list[WantedTrial] | None = None
        self.before = self.crossed = 0
        self.failures: list[Failure] = []
        self._lost: dict[int, list[str]] = {}  # why parts ended before their time
        self._wrong: str | None = None
        self._find_trials(claims)
        trials: list[WantedTrial] = self.trials or []
        self._uncrossed = {trial.key for trial in trials if self._misses_evaluations(trial)}

    @property
    def done(self) -> set[str]:
        """Keys of the trials done since this run began."""
        return self.watching.done

    @property
    def is_anything_left(self) -> bool:
        """Whether there is, or may be, anything for parts to do."""
        if self.trials is None:
            return True
        return any(map(self._is_left, self.trials)) or bool(self._uncrossed)

    def run(self, parts: int | None) -> None:
        """Start so many parts, and wait until all have ended; InputError where the input is wrong there."""
        kept = self.ledger.runtime
        many = parts or PARTS
        if self.trials is None:
            many = min(many, len(self.plan.trials(None)))
        else:
            many = min(many, max(1, sum(map(self._is_left, self.trials)), len(self._uncrossed)))
        self._look()
        with Ticker(_SECONDS, self._look_again):
            threads = (kept.threads if kept else 1) * self.plan.devices
            self.engine(self.part, many, threads, self._end)
        self._look()
        self.failures = list(self._failures())
        if self._wrong is not None and (self.trials is None or self.failures):
            raise InputError(self._wrong)
        if self.trials is None:
            raise InputError(f"{self.part.name}: no job began the study: {self._why()}")
        self.crossed = sum(
            not self._misses_evaluations(trial) for trial in self.trials if trial.key in self._uncrossed
        )
        if not self._lost and not self.failures:
            shutil.rmtree(self.part.logs, ignore_errors=True)  # nobody needs them any more

    def _failures(self) -> Iterator[Failure]:
        """The trials that failed, or were not done, and cross evaluations that were not."""
        stopped = self.ledger.stopped
        for trial in self.trials or ():
            kept = self.ledger.trial(trial.key)
            if self._is_left(trial) and trial.key not in stopped:
                failed = self.watching.has_failed(trial.key)
                reason = (kept.failure if failed else None) or f"no job trained it: {self._why()}"
                yield Failure.of(trial, reason)
            elif self._misses_evaluations(trial) and kept.weights is not None:
                reason = kept.crossed.failure or f"no job made it: {self._why()}"
                yield Failure.of(trial, f"cross evaluation: {reason}")

    def _end(self, number: int, ended: Ended[str | None]) -> Part | None:
        """Note how a part ended; one that was lost while there is work left is started again."""
        if ended.value is not None:
            self._wrong = ended.value
        reason = ended.lost
        if ended.traceback is not None:
            reason = f"a job ended with an error: {ended.traceback.strip().splitlines()[-1]}"
        if reason is None:
            return None
        reasons = self._lost.setdefault(number, [])
        reasons.append(reason)
        again = ended.lost is not None and ended.may_pass and len(reasons) <= _RETRIES
        again = again and self.is_anything_left
        self.progress.warn(f"{reason}" + "; another is submitted" * again)
        return self.part if again else None

    def _why(self) -> str:
        reasons = [reason for each in self._lost.values() for reason in each]
        return reasons[-1] if reasons else f"see the logs in {self.part.logs}"

    def _look(self) -> None:
        if self.trials is None:
            self._find_trials()
        if self.trials is not None and self.watching.left is None:
            self.watching.begin(self.trials, self._is_left)
        self.watching.look()

    def _look_again(self) -> None:
        with suppress(InputError, OSError):  # what is not yet there, or what a network is late with
            self._look()

    def _find_trials(self, claims: Claims | None = None) -> None:
        """The trials, once it is known what they run on; with ``claims``, damaged ones are set aside."""
        runtime = self.ledger.runtime
        if runtime is None or kinds_to_measure(self.plan, runtime.precision):
            return
        self.trials = self.plan.trials(runtime)
        if claims is not None:
            set_aside_damaged(self.ledger, claims, self.progress, self.trials)
        self.before = sum(not self._is_left(trial) for trial in self.trials)

    def _is_left(self, trial: WantedTrial) -> bool:
        return self.plan.is_missing(trial.variant, self.ledger.trial(trial.key))

    def _misses_evaluations(self, trial: WantedTrial) -> bool:
        return bool(self.plan.missing_evaluations(trial.variant, self.ledger.trial(trial.key)))
