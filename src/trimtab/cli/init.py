"""The commands that help to write a study file: init drafts one, schema describes its keys for editors."""

from pathlib import Path
from typing import Annotated, Any

import typer

from trimtab.atomic import atomic_write
from trimtab.cli.options import DONE, Data, First, Second, stages
from trimtab.config import InputError
from trimtab.report.terminal import say

_SCHEMA = "trimtab.schema.json"

Table = Annotated[
    Path | None,
    typer.Argument(
        metavar="FILE", help="Table of labelled texts; with --example, a folder.", show_default=False
    ),
]
StudyOut = Annotated[
    Path | None,
    typer.Option("--out", metavar="STUDY", help="Study file to write.", show_default="FILE's name and .toml"),
]
Label = Annotated[str | None, typer.Option("--label", metavar="COLUMN", help="Column of FILE: label.")]
Query = Annotated[
    str | None,
    typer.Option("--query", metavar="COLUMN", help="Column of FILE: query, where labels are relevance."),
]
Cluster = Annotated[
    str | None,
    typer.Option("--cluster", metavar="COLUMN", help="Column of FILE: rows that were sampled together."),
]
Test = Annotated[
    str | None,
    typer.Option("--test", metavar="FILE", help="Table of the test rows.", show_default="drawn from FILE"),
]
Example = Annotated[
    bool, typer.Option("--example", help="Write a small table too, made by trimtab, and draft its study.")
]
Force = Annotated[bool, typer.Option("--force", help="Overwrite files that are there.")]
Schema = Annotated[
    bool,
    typer.Option("--schema", help=f"Write {_SCHEMA} beside the study, and name it there for editors."),
]


def init(
    file: Table = None,
    out: StudyOut = None,
    data: Data = None,
    first: First = None,
    second: Second = None,
    label: Label = None,
    query: Query = None,
    cluster: Cluster = None,
    test: Test = None,
    example: Example = False,
    schema: Schema = False,
    force: Force = False,
) -> int:
    """Draft a study file from a table of texts.

    Guesses what the columns are, says each guess, and writes a commented study that runs as it is. Options
    name columns where a guess is wrong. With --example it writes a small table too, to FILE as a folder.
    """
    from trimtab.draft.roles import Asked

    asked = Asked(first, second, label, query, cluster, test)
    if example:
        if asked != Asked() or data is not None:
            raise InputError(
                "--example: brings a table of its own; leave out the options that are for a FILE"
            )
        return _example(file or Path(), out, schema=schema, force=force)
    if file is None:
        raise InputError("init: FILE is missing; name a table of labelled texts, or give --example")
    return _init(str(file), data, out, asked, schema=schema, force=force)


def _example(folder: Path, out: Path | None, *, schema: bool, force: bool) -> int:
    from trimtab.draft import example
    from trimtab.draft.roles import Asked

    table = folder / example.FILE
    study = out or folder / example.STUDY
    for path in (table, study):
        _check_free(path, force)
    _write(table, example.table())
    say(f"written: {table}")
    more = {"training": example.TRAINING, "question": example.QUESTION}
    return _init(str(table.resolve()), None, study, Asked(), schema=schema, force=force, **more)


def _init(
    file: str, data: Path | None, out: Path | None, asked: Any, *, schema: bool, force: bool, **more: Any
) -> int:
    from trimtab.draft.draft import draft, file_name

    study = out or Path(file_name(file))
    if study.suffix.lower() != ".toml":
        raise InputError(f"--out: {study} should end in .toml, as study files do; name another")
    beside = study.parent / _SCHEMA
    _check_free(study, force)
    with stages() as stage:
        made = draft(file, data, study, asked, schema=_SCHEMA if schema else None, stage=stage, **more)
    for line in made.said:
        say(line)
    if schema:
        _write(beside, _schema_text())
    _write(study, made.text)
    say(f"\nwritten: {study}\n\nTo see what it would run, and to run it:\n")
    for command in made.commands:
        print(f"    {command}")  # unfolded, to be copied
    return DONE


def schema() -> int:
    """Print a JSON schema of study files, for editors."""
    print(_schema_text(), end="")
    return DONE


def _schema_text() -> str:
    import json

    from trimtab.study.schema import study_schema

    return json.dumps(study_schema(), indent=1, ensure_ascii=False) + "\n"


def _write(path: Path, text: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with atomic_write(path) as temporary:
            temporary.write_text(text, encoding="utf-8")
    except OSError as error:
        raise InputError(f"{path}: cannot be written ({error.strerror}); name another with --out") from error


def _check_free(path: Path, force: bool) -> None:
    """InputError where a file must not be written: before any work."""
    if path.is_dir():
        raise InputError(f"{path}: is a folder; name a file with --out")
    if path.exists() and not force:
        raise InputError(f"{path}: is there already; name another with --out, or overwrite it with --force")
    if path.parent.exists() and not path.parent.is_dir():
        raise InputError(f"{path.parent}: is a file, and should be a folder; name another with --out")
