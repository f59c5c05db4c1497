"""A run on a ledger: its file, which tells others that it goes on, and its claims, which end with it."""

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path

from trimtab.ledger.claims import Claims
from trimtab.ledger.files import sweep
from trimtab.ledger.runs import GONE, RunFile, claim_of, sweep_runs
from trimtab.run.progress import ProgressCallback, RunState, Several
from trimtab.run.ticker import Ticker

_SECONDS = 2.0  # between two writes


@contextlib.contextmanager
def run_on(
    folder: Path, progress: ProgressCallback
) -> Iterator[tuple[Claims, ProgressCallback, Callable[[str], None]]]:
    """This run's claims on the ledger in ``folder``; ``progress``, which the run's file is told too; and what
    writes into that file at once which trials the run wants.

    The file is kept up to date, and the claims valid, until the run ends.
    """
    state = RunState()
    sweep_runs(folder)
    sweep(folder, older=GONE)  # what is younger may be another run's
    file = RunFile(folder, state.record)
    file.write(state.record)
    claims = Claims(folder, claim_of(state.record))

    def announce(wants: str) -> None:
        state.wants = wants
        file.write(state.record)

    try:
        with Ticker(_SECONDS, lambda: file.write(state.record)):
            yield claims, Several([progress, state]), announce
    finally:
        claims.give_all_back()
        file.remove()
        sweep_runs(folder)
