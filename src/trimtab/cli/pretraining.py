"""The command pretrain, and its progress on a terminal."""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from trimtab.cli.options import DONE, SOME_FAILED, Data, Device, resumable
from trimtab.report.terminal import say

if TYPE_CHECKING:
    from trimtab.training.pretraining_sums import PretrainingProgress

PretrainingFile = Annotated[
    Path, typer.Argument(metavar="STUDY", help="Pretraining file, such as studies/wikitext2.toml.")
]
PretrainingOut = Annotated[
    Path | None,
    typer.Option(
        "--out", metavar="DIR", help="Folder of the results.", show_default="results/pretrain-<study>"
    ),
]


@resumable
def pretrain(
    study: PretrainingFile, data: Data = None, out: PretrainingOut = None, device: Device = "auto"
) -> int:
    """Pretrain a model, then write the report.

    The objectives are masked-language modelling and next-sentence prediction. An interrupted run resumes from
    its last checkpoint with the same command.
    """
    from trimtab.study.pretraining_definition import load

    definition = load(study)  # before importing torch: mistakes in the file are reported at once
    # Spinning threads take cores from other work; OpenMP reads this when torch is imported.
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    from trimtab.report import pretraining as document
    from trimtab.run.pretraining import run
    from trimtab.training.loop import DivergedError

    with _display() as (stage, progress):
        try:
            outcome = run(definition, data, out, device, stage, progress)
        except DivergedError as error:
            print(f"trimtab: failed: {error}", file=sys.stderr)
            return SOME_FAILED
        stage("writing the report")
        written = document.write(outcome.folder)
    if outcome.steps_before:
        say(f"{outcome.steps_before:,} steps were already done")
    for line in written.summary:
        say(line)
    say(str(written.path))
    return DONE


@contextmanager
def _display() -> Iterator[tuple[Callable[[str], None], Callable[["PretrainingProgress"], None]]]:
    """Callbacks for the stage and the progress; they do nothing where stderr is not a terminal."""
    from rich.console import Console
    from rich.progress import BarColumn, SpinnerColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    console = Console(stderr=True)
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(bar_width=12))
    times = (TimeElapsedColumn(), TimeRemainingColumn())
    with Bar(*columns, *times, console=console, disable=not console.is_terminal, transient=True) as bar:
        task = bar.add_task("starting", total=None)

        def stage(words: str) -> None:
            bar.update(task, description=words, total=None)

        def progress(news: "PretrainingProgress") -> None:
            words = (
                f"step {news.step:,}/{news.steps:,}, epoch {news.epoch}: "
                f"masked words {news.masked_words:.3f}, next sentence {news.next_sentence:.3f}, "
                f"{news.pairs_per_second:,.0f} pairs/s"
            )
            bar.update(task, description=words, completed=news.step, total=news.steps)

        yield stage, progress
