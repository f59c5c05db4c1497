"""The command doctor: whether a folder of results is whole, and what to do where it is not."""

from pathlib import Path
from typing import Annotated

import typer

from trimtab.cli.options import DONE, SOME_FAILED

Repair = Annotated[
    bool, typer.Option("--repair", help="Remove what the next run makes again, and left-over files.")
]


def doctor(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder of results.")],
    repair: Repair = False,
) -> int:
    """Check every file of finished results.

    Reads all records in DIR, verifies their digests, and lists what is damaged or left over and what to do.
    Exit code 0 if nothing is to be mended, else 1.
    """
    from trimtab.ledger.examination import examine
    from trimtab.ledger.repair import repair as remove
    from trimtab.report.doctor import doctor_lines, removed_lines
    from trimtab.report.terminal import say

    found = examine(folder)
    removed = remove(found) if repair and not found.is_whole else []  # first, as a terminal may be closed
    say("\n\n".join(doctor_lines(found)))
    if found.is_whole:
        return DONE
    if repair:
        say()
        say("\n".join(removed_lines(removed, folder)))
        return DONE if examine(folder).is_whole else SOME_FAILED
    return SOME_FAILED
