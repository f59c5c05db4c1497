"""What several commands share: their arguments, and how they show what is being done."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from typing import Annotated, Literal, ParamSpec

import typer

_Parameters = ParamSpec("_Parameters")

DONE, SOME_FAILED = 0, 1  # exit codes; there are others in __init__.py

READING, TRUNCATING = "reading and tokenising the data", "truncating the inputs of every variant"

StudyFile = Annotated[
    Path, typer.Argument(metavar="STUDY", help="Study file, such as studies/quickstart.toml.")
]
Data = Annotated[
    Path | None,
    typer.Option("--data", metavar="DIR", help="Folder of the data files.", show_default="$TRIMTAB_DATA"),
]
Out = Annotated[
    Path | None,
    typer.Option("--out", metavar="DIR", help="Folder of the results.", show_default="results/<study>"),
]
Jobs = Annotated[
    int | None,
    typer.Option(
        "--jobs", metavar="N", min=1, help="Trials to run in parallel.", show_default="as the machine allows"
    ),
]
Device = Annotated[Literal["cpu", "cuda", "auto"], typer.Option("--device", help="Device to train on.")]
Quiet = Annotated[bool, typer.Option("--quiet", help="Show no progress.")]
Reuse = Annotated[
    list[Path] | None,
    typer.Option(
        "--reuse",
        metavar="DIR",
        help="Take over equal trials from other results, such as results/other or results; repeatable.",
    ),
]
Log = Annotated[
    list[str] | None,
    typer.Option(
        "--log",
        metavar="TRACKER",
        help="Write trials as runs: jsonl, tensorboard, wandb or mlflow; repeatable.",
    ),
]
EngineName = Annotated[
    str,
    typer.Option("--engine", metavar="NAME", help="Where trials run: local, ray, ray=ADDRESS or slurm."),
]
SlurmOption = Annotated[
    list[str] | None,
    typer.Option(
        "--slurm-option",
        metavar="KEY=VALUE",
        help="An option of sbatch for each job, such as partition=main or time=60; repeatable.",
    ),
]
First = Annotated[str | None, typer.Option("--first", metavar="COLUMN", help="Column of FILE: first text.")]
Second = Annotated[
    str | None, typer.Option("--second", metavar="COLUMN", help="Column of FILE: second text, if any.")
]


def warn(sentence: str) -> None:
    """Tell of what does not stop the command, on stderr."""
    print(f"trimtab: {sentence}", file=sys.stderr)


@contextmanager
def stages(line: str | None = None) -> Iterator[Callable[[str], None]]:
    """A callback that shows the current stage on a terminal.

    Where stderr is no terminal, ``line`` is printed once, if there is one, and nothing else.
    """
    from rich.console import Console

    console = Console(stderr=True)
    if not console.is_terminal:
        if line is not None:
            print(line, file=sys.stderr, flush=True)
        yield lambda stage: None
        return
    with console.status(line or "") as status:
        yield status.update


def resumable(command: Callable[_Parameters, int]) -> Callable[_Parameters, int]:
    """The command; asked to stop by a signal, it ends in good order, with 128 + the signal's number."""

    @wraps(command)
    def interruptible_command(*args: _Parameters.args, **options: _Parameters.kwargs) -> int:
        from trimtab.run.stopping import Interrupted, interruptible

        try:
            with interruptible():
                return command(*args, **options)
        except Interrupted as request:
            return 128 + request.number

    return interruptible_command
