"""Repair of a folder of results: what is damaged is removed where a run makes it again."""

import shutil
from pathlib import Path

from trimtab.config import InputError
from trimtab.ledger.claims import CLAIMS
from trimtab.ledger.examination import Examination
from trimtab.ledger.runs import RUNS


def repair(found: Examination) -> list[Path]:
    """Remove what a run makes again or what was left over; what was removed.

    A finished trial that is whole stays, also where records of its epochs are damaged. InputError where a run
    goes on in the folder, or it cannot be written.
    """
    if found.runs:
        raise InputError(f"{found.folder}: a run goes on here; wait until it ends, or leave --repair out")
    removed = []
    for path in dict.fromkeys(each.remove for each in found.findings if each.remove is not None):
        try:
            if path.is_dir():
                shutil.rmtree(path)
            elif path.exists():
                path.unlink()
            else:
                continue
        except OSError as error:
            raise InputError(f"{path}: cannot be removed ({error.strerror}); fix permissions") from error
        removed.append(path)
    for name in (CLAIMS, RUNS):
        folder = found.folder / name
        if folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()
    return removed
