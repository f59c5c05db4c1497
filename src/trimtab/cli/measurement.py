"""The command that measures how fast this machine is."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from trimtab.cli.options import DONE, Data, Device, Jobs, stages
from trimtab.cli.trials import planned
from trimtab.config import InputError

if TYPE_CHECKING:
    from trimtab.study.settings import Settings

# SNLI's lengths, a study's own defaults, and BERT's vocabulary.
_LENGTHS, _MAX_LEN, _BATCH_SIZE, _VOCABULARY = "15,8", 128, 32, 30_522
_LONGEST = 2**20  # mean length of a text

OptionalStudy = Annotated[
    Path | None, typer.Argument(metavar="[STUDY]", help="A study file: its own work, and what it would take.")
]
Size = Annotated[
    list[str] | None,
    typer.Option("--size", metavar="SIZE", help="A name, or 2x256/512/4; any number [every named size]."),
]
MeanLengths = Annotated[
    str | None,
    typer.Option("--lengths", metavar="FIRST[,SECOND]", help=f"Mean tokens of the texts [{_LENGTHS}]."),
]
MaxLen = Annotated[
    int | None, typer.Option("--max-len", metavar="N", max=2**15, help=f"Tokens of a row [{_MAX_LEN}].")
]
BatchSize = Annotated[
    int | None,
    typer.Option("--batch-size", metavar="N", min=1, max=2**16, help=f"Rows of a step [{_BATCH_SIZE}]."),
]
Vocabulary = Annotated[
    int | None,
    typer.Option("--vocabulary", metavar="N", min=6, max=10**7, help=f"Ids there are [{_VOCABULARY}]."),
]
Json = Annotated[Path | None, typer.Option("--json", metavar="FILE", help="Write the figures there, too.")]


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
    """This machine: examples/s of sizes and precisions, or of the work of STUDY, and how long that takes."""
    own = {"size": size, "lengths": lengths, "max-len": max_len, "batch-size": batch_size}
    own["vocabulary"] = vocabulary
    if study is not None:
        return _bench_study(study, own, data, jobs, device, json)
    if data is not None:
        raise InputError("--data: is for a study; name one, such as studies/quickstart.toml, or leave it out")
    means = _means(_LENGTHS if lengths is None else lengths)
    width = _MAX_LEN if max_len is None else max_len
    _check_room(width, len(means) > 1)
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
    print(document.sizes_text(found, rows, signature()))
    if json is not None:
        document.write(json, found, None, signature())
    return DONE


def _bench_study(
    study: Path, own: dict[str, Any], data: Path | None, jobs: int | None, device: Any, json: Path | None
) -> int:
    for name, value in own.items():
        if value is not None:
            raise InputError(f"--{name}: is for no study, but {study} names its own; leave it out")
    made = planned(study, data)
    from trimtab.machine import signature
    from trimtab.report import bench as document
    from trimtab.run.bench import bench_study

    if json is not None:
        document.claim(json)
    with stages() as stage:
        found, time = bench_study(made, jobs, device, stage)
    print(document.study_text(made, found, time, signature()))
    if json is not None:
        document.write(json, found, time, signature())
    return DONE


def _settings(sizes: Sequence[str] | None, max_len: int, batch_size: int) -> "dict[str, Settings]":
    """What each size resolves to as in a study, with a position for each token."""
    from trimtab.model.sizes import SIZES
    from trimtab.study.settings import resolve

    table = {"max_len": max_len, "batch_size": batch_size, "positions": max(512, max_len)}
    return {name: resolve({"size": name, **table}, "--size") for name in sizes or SIZES}


def _means(lengths: str) -> tuple[float, ...]:
    """The mean lengths of one or two texts; InputError where they are something else."""
    try:
        means = tuple(float(word) for word in lengths.split(","))
    except ValueError:
        means = ()
    if len(means) not in (1, 2) or not all(0 < mean <= _LONGEST for mean in means):
        raise InputError(
            f"--lengths: {lengths!r} is wrong; give mean tokens of one or two texts, as in {_LENGTHS}, each "
            f"over 0 and at most {_LONGEST:,}"
        )
    return means


def _check_room(max_len: int, pairs: bool) -> None:
    """InputError where max_len has no room beside the special tokens."""
    from trimtab.data.pairs import SPECIAL_OF_PAIR, SPECIAL_OF_SINGLE

    special = SPECIAL_OF_PAIR if pairs else SPECIAL_OF_SINGLE
    if max_len <= special:
        raise InputError(
            f"--max-len: {max_len} has no room beside {special} special tokens; take {special + 1} or more"
        )
