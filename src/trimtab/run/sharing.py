"""How runs on one ledger share its trials: each takes what nobody has, and waits for the rest."""

from collections.abc import Callable, Iterable

from trimtab.ledger.trial_records import Scores
from trimtab.plan.identity import WantedTrial
from trimtab.run.context import RunContext, cost_of, label_of


class SharedTrials:
    """Trials of a study on which something is left to do, handed out to this run's workers one by one.

    is_left: whether it is still to be done to a trial; cost: of doing it, in units that are only good for
    shares; what: the name of such work where progress is counted.
    """

    def __init__(
        self,
        run: RunContext,
        is_left: Callable[[WantedTrial], bool],
        cost: Callable[[WantedTrial], float] = cost_of,
        what: str = "trials",
    ) -> None:
        self.run, self.is_left, self.cost, self.what = run, is_left, cost, what
        self.handed: list[WantedTrial] = []  # by the numbers of the engine's jobs
        self.taken: set[str] = set()  # by this run; one that failed is not tried twice
        self._over: set[str] = set()  # nothing is left to do to these, nor will be
        self._waiting = ""

    def further(self, due: Iterable[WantedTrial]) -> list[WantedTrial] | None:
        """What this run may begin of the trials ``due``; None where others have all that is left.

        The longest first, so that no core waits long for the last one.
        """
        every = list(due)
        left = [trial for trial in every if trial.key not in self.taken and self._is_left(trial)]
        free = [trial for trial in left if self.run.claims.is_free(trial.key)]
        if left and not free:
            words = f"waiting for {len(left)} trial{'s' * (len(left) > 1)} of other runs"
            if words != self._waiting:
                self.run.progress.stage(words)
            self._waiting = words
            return None
        free.sort(key=lambda trial: -self.cost(trial))
        if free or not self.handed:
            done = len(every) - len(left)
            self.run.progress.start(len(every), done, sum(map(self.cost, left)), self.what)
        self.handed.extend(free)
        return free

    def _is_left(self, trial: WantedTrial) -> bool:
        if trial.key not in self._over and not self.is_left(trial):
            self._over.add(trial.key)
        return trial.key not in self._over

    def take(self, number: int) -> bool:
        """Claim a trial whose turn has come; False where another run has it, or has done it meanwhile."""
        trial = self.handed[number]
        if not self.run.claims.take(trial.key):
            return False
        self.run.ledger.trial(trial.key).settle()
        if not self._is_left(trial):
            self.run.claims.give_back(trial.key)
            return False
        self.taken.add(trial.key)
        self.run.progress.begin(label_of(trial), self.cost(trial))
        return True

    def end(self, trial: WantedTrial, failure: str | None, validation: Scores | None = None) -> None:
        """A trial that was taken has ended; others may have it."""
        self.run.claims.give_back(trial.key)
        self.run.progress.end(label_of(trial), failure, validation)

    def put_back(self, trial: WantedTrial) -> None:
        """A trial that was taken was stopped before its end: it can be taken again, by this run too."""
        self.run.claims.give_back(trial.key)
        self.taken.discard(trial.key)
        self.run.progress.pause(label_of(trial))
