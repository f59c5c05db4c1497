"""What every tracker does, and how a missing package is told."""

import importlib
from types import ModuleType
from typing import Protocol

from trimtab.config import InputError
from trimtab.trackers.trial_run import TrialRun


class Tracker(Protocol):
    """Writes runs. Making one writes nothing, and raises InputError where a package is missing."""

    @property
    def place(self) -> str:
        """Where its runs are, for a person: a file, a folder or an address."""

    def write(self, run: TrialRun) -> bool:
        """Write a run, in place of an earlier one of the same key; False where that said the same."""

    def close(self) -> None:
        """Finish what is open."""


def required(module: str, tracker: str, package: str | None = None) -> ModuleType:
    """Import a module that a tracker needs; InputError says what to install where it is missing.

    package: the one that brings the module, by default the tracker's name.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise InputError(
            f"--log {tracker}: the package {package or tracker} is missing ({error}); install it with "
            f"pip install 'trimtab[{tracker}]'"
        ) from error
