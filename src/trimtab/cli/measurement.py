"""The command that measures training speed: bench."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from trimtab.cli.options import DONE, Data, Device, Jobs, stages
from trimtab.cli.trials import planned
from trimtab.config import InputError
from trimtab.report.terminal import say

if TYPE_CHECKING:
    from trimtab.study.settings import Settings

# Defaults: SNLI's mean lengths, a study's max_len and batch size, BERT's vocabulary.
_LENGTHS, _MAX_LEN, _BATCH_SIZE, _VOCABULARY = "15,8", 128, 32, 30_522
_LONGEST = 2**20  # mean length of a text

OptionalStudy = Annotated[
    Path | None, typer.Argument(metavar="STUDY", help="Study file whose variants are measured instead.")
]
Size = Annotated[
    list[str] | None,
    typer.Option(
        "--size",
        metavar="SIZE",
        help="A name, or numbers such as 2x256/512/4; repeatable.",
        show_default="all named sizes",
    ),
]
MeanLengths = Annotated[
    str | None,
    typer.Option(
        "--lengths", metavar="FIRST[,SECOND]", help="Mean tokens of the texts.", show_default=_LENGTHS
    ),
]
MaxLen = Annotated[
    int | None,
    typer.Option(
        "--max-len", metavar="N", max=2**15, help="Maximum tokens per row.", show_default=str(_MAX_LEN)
    ),
]
BatchSize = Annotated[
    int | None,
    typer.Option(
        "--batch-size", metavar="N", min=1, max=2**16, help="Rows per step.", show_default=str(_BATCH_SIZE)
    ),
]
Vocabulary = Annotated[
    int | None,
    typer.Option(
        "--vocabulary", metavar="N", min=6, max=10**7, help="Vocabulary size.", show_default=str(_VOCABULARY)
    ),
]
Json = Annotated[
    Path | None, typer.Option("--json", metavar="FILE", help="Also write the measurements to this file.")
]


def bench(
    study: OptionalStudy = None,
    data: Data = None,
    size: Size = None,
    lengths: MeanLengths = None,
    max_len: MaxLen = None,
    batch_size: BatchSize = None,
    vocabulary: Vocabulary = None,
    jobs: Jobs = None,
    device: Device = "auto",
    json: Json = None,
) -> int:
    """Measure training speed on this machine.

    Prints examples per second by size and precision. With STUDY, prints them for its variants, with the time
    that the whole study would take.
    """
    own = {"size": size, "lengths": lengths, "max-len": max_len, "batch-size": batch_size}
    own["vocabulary"] = vocabulary
    if study is not None:
        return _bench_study(study, own, data, jobs, device, json)
    if data is not None:
        raise InputError(
            "--data: applies only to a study; name one, such as studies/quickstart.toml, or leave it out"
        )
    means = _means(_LENGTHS if lengths is None else lengths)
    width = _MAX_LEN if max_len is None else max_len
    _check_room(width, len(means))
    settings = _settings(size, width, batch_size or _BATCH_SIZE)
    from trimtab.machine import signature
    from trimtab.report import bench as document
    from trimtab.run.bench import LOOK, WAIT, bench_sizes
    from trimtab.run.speed import Synthetic

    if json is not None:
        document.claim(json)
    recipe = next(iter(settings.values())).recipe
    rows = Synthetic(means, width, vocabulary or _VOCABULARY, recipe.batch_size)
    sizes = {name: each.size for name, each in settings.items()}
    with stages() as stage:
        found = bench_sizes(sizes, recipe, rows, WAIT if size else LOOK, jobs, device, stage)
    if json is not None:  # first, as a terminal may be closed or full
        document.write(json, found, None, signature())
    say(document.sizes_text(found, rows, signature()))
    return DONE


def _bench_study(
    study: Path, own: dict[str, Any], data: Path | None, jobs: int | None, device: Any, json: Path | None
) -> int:
    for name, value in own.items():
        if value is not None:
            raise InputError(f"--{name}: does not apply to a study; {study} sets its own; leave it out")
    from trimtab.study.definition import load

    made = planned(load(study), data)
    from trimtab.machine import signature
    from trimtab.report import bench as document
    from trimtab.run.bench import bench_study

    if json is not None:
        document.claim(json)
    with stages() as stage:
        found, time = bench_study(made, jobs, device, stage)
    if json is not None:  # first, as a terminal may be closed or full
        document.write(json, found, time, signature())
    say(document.study_text(made, found, time, signature()))
    return DONE


def _settings(sizes: Sequence[str] | None, max_len: int, batch_size: int) -> "dict[str, Settings]":
    """The settings of each size, resolved as in a study, with a position for every token."""
    from trimtab.model.sizes import SIZES
    from trimtab.study.settings import resolve

    table = {"max_len": max_len, "batch_size": batch_size, "positions": max(512, max_len)}
    return {name: resolve({"size": name, **table}, "--size") for name in sizes or SIZES}


def _means(lengths: str) -> tuple[float, ...]:
    """Parse the mean lengths of one or two texts; raises InputError where they are anything else."""
    try:
        means = tuple(float(word) for word in lengths.split(","))
    except ValueError:
        means = ()
    if len(means) not in (1, 2) or not all(0 < mean <= _LONGEST for mean in means):
        raise InputError(
            f"--lengths: {lengths!r} is wrong; give the mean tokens of one or two texts, as in {_LENGTHS}, "
            f"each above 0 and at most {_LONGEST:,}"
        )
    return means


def _check_room(max_len: int, texts: int) -> None:
    """Raise InputError where max_len leaves no room beside the special tokens."""
    from trimtab.data.synthetic import TEMPLATE
    from trimtab.truncation.spec import no_room

    special = TEMPLATE.row(texts).count
    if max_len <= special:
        raise InputError(f"--max-len: {no_room(max_len, special)}")
