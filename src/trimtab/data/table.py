"""A user's own table: CSV, tab-separated, JSON lines or Parquet, with named columns."""

import csv
from collections.abc import Iterator, Mapping
from itertools import chain
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema, model_validator

from trimtab.config import InputError, StrictModel
from trimtab.data import files
from trimtab.data.examples import Examples, Gathering
from trimtab.data.parts import Part, check_part, part_of
from trimtab.data.reader import Facts, Reader
from trimtab.data.target import TARGETS, Target


def label_text(value: Any) -> Any:
    """A label as text: whole numbers in digits, booleans as in JSON, None and NaN as ''."""
    if value is None or value != value:  # NaN alone differs from itself
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():  # as in integer columns with missing values
        value = int(value)
    return str(value) if isinstance(value, int) else value


def _label_texts(value: Any) -> Any:
    return tuple(label_text(label) for label in value) if isinstance(value, list | tuple) else value


def _each_once(labels: tuple[str, ...]) -> tuple[str, ...]:
    if not labels or len(set(labels)) < len(labels):
        raise ValueError("a list that names each label once, or be left out")
    return labels


_LABELS = {"type": "array", "items": {"type": ["string", "integer", "boolean"]}}
Labels = Annotated[
    tuple[str, ...], Field(strict=False), BeforeValidator(_label_texts), WithJsonSchema(_LABELS)
]


class Options(StrictModel):
    """Options of reader ``table``."""

    file: str = Field(description="the file, by its path from --data DIR")
    first: str = Field(description="the column of the first text")
    second: str | None = Field(None, description="the column of the second text")
    label: str = Field(description="the column of the label")
    cluster: str | None = Field(
        None, description="the column of cluster ids (rows that were sampled together)"
    )
    target: Target = Field(
        "classes", description="what the labels are: classes, a score, or relevance to a query"
    )
    query: str | None = Field(
        None, description="the column of query ids, where labels are relevance; by default the first text"
    )
    labels: Annotated[Labels, AfterValidator(_each_once)] | None = Field(
        None, description="the labels in their order, where it matters"
    )
    drop: Labels = Field((), description="labels whose rows are dropped")
    split_column: str | None = Field(
        None, description="the column that names each row's split, where one file holds several"
    )
    test_share: float | None = Field(
        None,
        gt=0,
        lt=1,
        description="the share of rows, in whole clusters, that is the test set, where one file holds all",
    )
    test_seed: int = Field(0, ge=0, description="seed of the draw of that test set")
    text: Literal["sentence", "parse"] = Field(
        "sentence", description="what the texts are: raw, or words split by white space"
    )

    @model_validator(mode="after")
    def _one_way_to_divide(self) -> "Options":
        check_part(self.split_column, self.test_share, self.test_seed)
        return self


_MOST_CHARACTERS = 1 << 25  # of a block of rows
_ENDINGS = {
    ".csv": files.csv_rows,
    ".tsv": files.tab_rows,
    ".txt": files.tab_rows,
    ".jsonl": files.json_rows,
    ".ndjson": files.json_rows,
    ".json": files.json_rows,
}
_SHEETS = (".xlsx", ".xls", ".ods")


def read(split: str, root: Path | None, options: Options) -> Examples:
    """The rows of ``options.file``, whatever ``split`` is; those with a label in ``drop`` are counted.

    With ``split_column`` only the rows whose cell there is ``split``; with ``test_share`` those of the test
    set where ``split`` is test, and the others where it is train.
    A CSV is quoted as in RFC 4180; in .tsv and .txt, separated by tabs, quotes are ordinary characters.
    Labels may be text, whole numbers or booleans; texts may not be blank.
    Raises InputError, as FILE:LINE (FILE:ROW for Parquet, from 1) if a row is wrong.
    """
    path = files.find(options.file, root)
    _check_target(options)
    mend = "correct the row, or add it to 'labels' or 'drop'"
    gathering = Gathering(str(path), options.labels or (), mend, options.target)
    roles = ("label", "first", "second", "cluster", "query")
    columns = {role: name for role in roles if (name := getattr(options, role)) is not None}
    part = Part(split, options.split_column)
    for number, values in rows_of(path, columns | part.columns):
        if not part.has(label_text(values.pop("part", None))):
            continue
        label = values["label"] = _label(values["label"], options.target)
        if label in options.drop:
            gathering.dropped += 1
            continue
        gathering.add(number, **texts_of_row(f"{path}:{number}", values, columns))
    examples = gathering.examples().with_source(part.source(str(path)))
    return part_of(examples, split, options.test_share, options.test_seed)


def _label(value: Any, target: Target) -> Any:
    """``label_text``; a number as text too where labels are numbers, as JSON and Parquet hold them."""
    text = label_text(value)
    return repr(text) if target != "classes" and isinstance(text, float) else text


def _check_target(options: Options) -> None:
    """InputError where an option says nothing about labels of this kind."""
    if options.query is not None and options.target != "relevance":
        raise InputError(
            "reader 'table': option 'query' is for target = 'relevance'; set that in [data], or leave it out"
        )
    if options.labels is not None and options.target != "classes":
        raise InputError(
            f"reader 'table': option 'labels' names classes, and the target is {options.target}; leave it out"
        )


def read_texts(
    file: str, root: Path | None, first: str | None, second: str | None = None, label: str | None = None
) -> Examples:
    """The texts of a table in its columns ``first`` and ``second``, where labels are optional.

    Without a column ``label`` every row has the label ''. Finds, reads and checks the file as ``read`` does;
    the InputError about a missing ``first`` lists the columns.
    """
    [whole] = text_blocks(file, root, first, second, label, rows=None)
    return whole


def text_blocks(
    file: str,
    root: Path | None,
    first: str | None,
    second: str | None = None,
    label: str | None = None,
    *,
    rows: int | None,
) -> Iterator[Examples]:
    """The same in blocks of ``rows`` rows, so that one of them is in memory; the last may have fewer.

    Blocks of very long texts have fewer, too: they end at some 32 million characters. Each row is checked as
    its block is read. InputError also where the file has no rows.
    """
    if first is None:
        known = ", ".join(column_names(file, root))
        raise InputError(f"{file}: --first is missing; name the column of the first text: {known}")
    path = files.find(file, root)
    given = {"label": label, "first": first, "second": second}
    columns = {role: name for role, name in given.items() if name is not None}
    gathering, blocks, characters = Gathering(str(path)), 0, 0
    for number, values in rows_of(path, columns):
        texts = texts_of_row(f"{path}:{number}", values, columns)
        gathering.add(number, **{"label": ""} | texts)
        characters += sum(map(len, texts.values()))
        if rows is not None and (len(gathering.first) == rows or characters > _MOST_CHARACTERS):
            yield gathering.examples()
            gathering, blocks, characters = Gathering(str(path)), blocks + 1, 0
    if gathering.first:
        yield gathering.examples()
    elif not blocks:
        raise InputError(f"{path}: no rows; name a file that has some")


def column_names(file: str, root: Path | None) -> list[str]:
    """The names of the columns of a table: its header, or the keys of its first JSON object."""
    path = files.find(file, root)
    next(rows_of(path, {}), None)  # reports what is wrong with its beginning
    return header_of(path)


def header_of(path: Path) -> list[str]:
    """The same without checking the rows; the file must have the ending of a table."""
    with files.open_binary(path) as stream:
        if files.ending(path) == ".parquet":
            from pyarrow.parquet import ParquetFile

            return list(ParquetFile(stream).schema_arrow.names)
        beginning = (line for line in files.lines(stream, str(path)) if line.strip())
        match _ENDINGS[files.ending(path)]:
            case files.csv_rows:
                return next(csv.reader(beginning), [])
            case files.tab_rows:
                return next(beginning, "").rstrip("\r\n").split("\t")
        first = next(beginning, None)
        if first is None:
            raise InputError(f"{path}: no rows; name a file that has some")
        return list(files.json_object(first.rstrip("\r\n"), f"{path}:1"))


def rows_of(path: Path, columns: Mapping[str, str]) -> Iterator[tuple[int, dict[str, Any]]]:
    """Number and values of each row; ``columns`` maps roles to column names, and so are the values keyed."""
    ending, wanted = files.ending(path), list(columns.values())
    if path.suffix.lower() in _SHEETS:
        raise InputError(f"{path}: is a spreadsheet; save its table as CSV in UTF-8, and name that")
    if path.suffix.lower() == ".parquet":
        for number, values in _parquet_rows(path, wanted):
            yield number, dict(zip(columns, values, strict=True))
    elif ending in _ENDINGS:
        with files.open_binary(path) as stream:
            for number, values in _ENDINGS[ending](stream, str(path), wanted):
                yield number, dict(zip(columns, values, strict=True))
    else:
        known = ", ".join((*_ENDINGS, ".parquet"))
        raise InputError(
            f"{path}: the file name must end in one of {known}; rename it (.gz may follow all but the last)"
        )


def texts_of_row(where: str, values: Mapping[str, Any], columns: Mapping[str, str]) -> dict[str, str]:
    """The values of a row as texts, by role; InputError where one is blank or not text."""
    return {
        role: files.filled(value if role in ("first", "second") else label_text(value), where, columns[role])
        for role, value in values.items()
    }


def _parquet_rows(path: Path, columns: list[str]) -> Iterator[files.Row]:
    try:
        import pyarrow
        from pyarrow.parquet import ParquetFile
    except ImportError as error:
        mend = "pip install 'trimtab[parquet]'"
        raise InputError(f"{path}: reading Parquet needs pyarrow; {mend}") from error
    try:
        with files.open_binary(path) as stream, ParquetFile(stream) as table:
            for wanted in columns:
                files.column(wanted, table.schema_arrow.names, str(path))
            batches = table.iter_batches(columns=list(dict.fromkeys(columns)))
            parts = (batch.to_pydict() for batch in batches)
            rows = (zip(*(part[name] for name in columns), strict=True) for part in parts)
            yield from enumerate(chain.from_iterable(rows), 1)
    except (pyarrow.ArrowException, OSError, UnicodeError, OverflowError) as error:
        reason = str(error).partition("\n")[0]
        raise InputError(f"{path}: is truncated or corrupt ({reason}); write it again") from error


READER = Reader(
    read=read,
    options=Options,
    text_forms=("sentence", "parse"),
    targets=TARGETS,
    splits=None,
    facts={
        "table": Facts(
            what="your own file: CSV, tab-separated, JSON lines or Parquet, pairs or single texts",
            columns="those that 'first', 'second', 'label', 'cluster' and 'query' name",
            labels="those of the file, or of 'labels'",
            metric="the study's",
            clusters="the column 'cluster', else each row its own",
            rows="those of the file, whatever the split is called",
            licence="yours",
            origin="yours",
        )
    },
)
