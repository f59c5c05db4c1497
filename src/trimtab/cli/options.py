"""What several commands share: their arguments, and how they say what is being done."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Literal

import typer

DONE, SOME_FAILED = 0, 1  # exit codes; there are others in __init__.py

READING, TRUNCATING = "reading and tokenising the data", "truncating the inputs of every variant"

StudyFile = Annotated[
    Path, typer.Argument(metavar="STUDY", help="A study file, such as studies/quickstart.toml.")
]
Data = Annotated[
    Path | None, typer.Option("--data", metavar="DIR", help="Where the data lies (or TRIMTAB_DATA).")
]
Out = Annotated[
    Path | None, typer.Option("--out", metavar="DIR", help="The ledger's folder [results/<study>].")
]
Jobs = Annotated[
    int | None, typer.Option("--jobs", min=1, help="Trials at a time [as many as the cores allow].")
]
Device = Annotated[Literal["cpu", "cuda", "auto"], typer.Option("--device", help="Where to train.")]


@contextmanager
def stages() -> Iterator[Callable[[str], None]]:
    """Says on a terminal what is being done, for as long as it takes; off a terminal, nothing."""
    from rich.console import Console

    console = Console(stderr=True)
    if not console.is_terminal:
        yield lambda words: None
        return
    with console.status("") as status:
        yield status.update
