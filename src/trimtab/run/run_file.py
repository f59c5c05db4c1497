"""Writes what a run is doing into its ledger's folder, for those who watch it from elsewhere."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

from trimtab.ledger.runs import RunFile, sweep_runs
from trimtab.run.progress import ProgressCallback, RunState, Several
from trimtab.run.ticker import Ticker

_SECONDS = 2.0  # between two writes


@contextlib.contextmanager
def told_to_others(folder: Path, progress: ProgressCallback) -> Iterator[ProgressCallback]:
    """``progress``, and a file in the ledger's ``folder`` that is kept up to date until the run ends."""
    state = RunState()
    sweep_runs(folder)
    file = RunFile(folder, state.record)
    file.write(state.record)
    try:
        with Ticker(_SECONDS, lambda: file.write(state.record)):
            yield Several([progress, state])
    finally:
        file.remove()
