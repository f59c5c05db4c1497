"""Finished trials of other ledgers, taken over by key: what is equal in all that its result depends on."""

import os
import shutil
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from trimtab.atomic import TEMPORARY
from trimtab.config import InputError
from trimtab.ledger.ledger import STUDY, Ledger
from trimtab.ledger.soundness import faults_of
from trimtab.ledger.trial import WEIGHTS, Trial


def ledgers_below(folder: Path) -> list[Ledger]:
    """The ledger in a folder, or those in the folders right below it.

    InputError where there is none, where all are compact (they hold no whole trials), or another version
    wrote one.
    """
    here = (folder / STUDY).exists()
    places = [folder] if here else sorted(path.parent for path in folder.glob(f"*/{STUDY}"))
    if not places:
        raise InputError(
            f"--reuse {folder}: holds no trials, neither it nor a folder in it; name a folder of results "
            "that a run has written (compact ledgers keep too little of a trial)"
        )
    ledgers = [Ledger(place) for place in places]
    for ledger in ledgers:
        ledger.check_schema()
    return ledgers


def take_over(trial: Trial, key: str, ledgers: Sequence[Ledger], with_weights: bool) -> bool:
    """Put the first finished trial of that key into ``trial``'s folder; False where no ledger has one.

    with_weights: only one that kept its weights will do. Weights, which may be large, are linked where that
    is possible; all else is copied. The folder appears whole or not at all.
    """
    for ledger in ledgers:
        found = ledger.trial(key)
        if found.folder.resolve() == trial.folder.resolve() or not found.is_complete:
            continue
        if with_weights and not (found.folder / WEIGHTS).exists():
            continue
        if faults_of(found, deep=True):
            continue
        aside = trial.folder.parent / f"{TEMPORARY}{key}"
        shutil.rmtree(aside, ignore_errors=True)
        shutil.copytree(found.folder, aside, copy_function=_linked, ignore=shutil.ignore_patterns("again"))
        shutil.rmtree(trial.folder, ignore_errors=True)  # what a failed attempt left
        os.replace(aside, trial.folder)
        return True
    return False


def _linked(source: str, target: str) -> str:
    """A copy, or a link to weights: a file that is replaced but never changed."""
    if Path(source).name == WEIGHTS:
        with suppress(OSError):  # another file system
            os.link(source, target)
            return target
    return shutil.copy2(source, target)
