"""A ledger's trials, written to several trackers. A tracker that fails is dropped with one warning."""

from collections.abc import Callable, Sequence
from functools import partial
from textwrap import shorten

from trimtab.config import InputError
from trimtab.ledger.ledger import Ledger
from trimtab.trackers.registry import tracker_named
from trimtab.trackers.tracker import Tracker
from trimtab.trackers.trial_run import trial_runs

FOLDER = "log"  # of a ledger: where trackers write


class TrackerLog:
    """Writes ended trials to trackers; none writes a run twice.

    InputError where a name is unknown or a package is missing; nothing is written yet. Whatever a tracker
    raises later becomes one sentence for ``warn``, and the others go on: results are never lost by it.
    """

    def __init__(self, ledger: Ledger, study: str, names: Sequence[str], warn: Callable[[str], None]) -> None:
        self._ledger, self._warn = ledger, warn
        folder = ledger.folder / FOLDER
        self._trackers: dict[str, Tracker] = {
            name: tracker_named(name)(folder, study) for name in dict.fromkeys(names)
        }
        self._written = dict.fromkeys(self._trackers, 0)
        self._runs = 0

    def trial(self, key: str) -> None:
        """Write the trial of that key, which has ended."""
        self._write(key)

    def everything(self) -> list[str]:
        """Write every trial that has ended, and close; a line for each tracker on what it wrote and where."""
        self._write(None)
        for name, tracker in list(self._trackers.items()):
            self._safely(name, tracker.close)
        return [
            f"--log {name}: {self._written[name]} runs written, {self._runs} in all, in {tracker.place}"
            for name, tracker in self._trackers.items()
        ]

    def _write(self, only: str | None) -> None:
        if not self._trackers:
            return
        try:
            runs = list(trial_runs(self._ledger, only))
        except InputError as error:  # a damaged trial, of which the report will say the same
            self._warn(f"--log: {error}")
            return
        self._runs = len(runs)
        for name, tracker in list(self._trackers.items()):
            for run in runs:
                if name in self._trackers:
                    wrote = self._safely(name, partial(tracker.write, run))
                    self._written[name] += bool(wrote)

    def _safely(self, name: str, step: Callable[[], bool | None]) -> bool | None:
        try:
            return step()
        except Exception as error:  # other people's packages raise anything
            del self._trackers[name]
            reason = shorten(" ".join(str(error).splitlines()[:1]), 200) or "no reason given"
            again = f"trimtab report {self._ledger.folder} --log {name}"
            self._warn(
                f"--log {name}: failed ({type(error).__name__}: {reason}); "
                f"trials are kept, so write them later with {again}"
            )
            return None
