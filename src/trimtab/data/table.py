"""A user's own table: CSV, tab-separated, JSON lines or Parquet, with named columns."""

from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from trimtab.config import InputError
from trimtab.data import files
from trimtab.data.examples import Examples, Gathering


def label_text(value: Any) -> Any:
    """A label as text: whole numbers in digits, true and false as JSON writes them, nothing as ''."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, int) else value


def _label_texts(value: Any) -> Any:
    return tuple(label_text(label) for label in value) if isinstance(value, list | tuple) else value


def _each_once(labels: tuple[str, ...]) -> tuple[str, ...]:
    if not labels or len(set(labels)) < len(labels):
        raise ValueError("a list that names each label once, or be left out")
    return labels


Labels = Annotated[tuple[str, ...], Field(strict=False), BeforeValidator(_label_texts)]


class Options(BaseModel):
    """What a study says about a table."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    file: str = Field(description="the file, by its path from --data DIR")
    first: str = Field(description="the column of the first text")
    second: str | None = Field(None, description="the column of the second text")
    label: str = Field(description="the column of the label")
    cluster: str | None = Field(None, description="the column that says which rows were sampled together")
    labels: Annotated[Labels, AfterValidator(_each_once)] | None = Field(
        None, description="the labels in their order, where it matters"
    )
    drop: Labels = Field((), description="labels that mean: leave this row out")
    text: Literal["sentence", "parse"] = Field(
        "sentence", description="what the texts are: raw, or words split by white space"
    )


_ENDINGS = {
    ".csv": files.csv_rows,
    ".tsv": files.tab_rows,
    ".txt": files.tab_rows,
    ".jsonl": files.json_rows,
    ".ndjson": files.json_rows,
    ".json": files.json_rows,
}


def read(split: str, root: Path | None, options: Options) -> Examples:
    """The rows of ``options.file``, whatever ``split`` is called; those with a label of ``drop`` are counted.

    A CSV is quoted as RFC 4180 has it; in .tsv and .txt, separated by tabs, quotes are text.
    Labels may be text, whole numbers or booleans; texts may not be blank.
    Raises InputError, with FILE:LINE (FILE:ROW for Parquet, from 1) where it is a row that is wrong.
    """
    path = files.find(options.file, root)
    gathering = Gathering(str(path), options.labels or (), "correct the row, or add it to 'labels' or 'drop'")
    for number, values in _rows(path, options):
        label = label_text(values["label"])
        if label in options.drop:
            gathering.dropped += 1
            continue
        texts = {role: _text(value, role) for role, value in values.items()}
        for role, text in texts.items():
            if text is None:
                raise InputError(_not_text(f"{path}:{number}", getattr(options, role), values[role]))
        gathering.add(number, **texts)  # type: ignore[arg-type]  # no text is None here
    return gathering.examples()


def _rows(path: Path, options: Options) -> Iterator[tuple[int, dict[str, Any]]]:
    roles = [role for role in ("label", "first", "second", "cluster") if getattr(options, role) is not None]
    columns = [getattr(options, role) for role in roles]
    ending = path.suffix.lower()
    if ending == ".parquet":
        for number, values in _parquet_rows(path, columns):
            yield number, dict(zip(roles, values, strict=True))
    elif ending in _ENDINGS:
        with files.open_binary(path) as stream:
            for number, values in _ENDINGS[ending](stream, str(path), columns):
                yield number, dict(zip(roles, values, strict=True))
    else:
        known = ", ".join((*_ENDINGS, ".parquet"))
        raise InputError(f"{path}: a table ends in one of {known}; rename the file")


def _text(value: Any, role: str) -> str | None:
    text = value if role in ("first", "second") else label_text(value)
    return text if isinstance(text, str) and text.strip() else None


def _not_text(where: str, column: str, value: Any) -> str:
    if value is None or isinstance(value, str):
        return f"{where}: nothing in column {column!r}; fill it in, or take the row out"
    return f"{where}: column {column!r} holds {value!r}, which is not text; write it as text"


def _parquet_rows(path: Path, columns: list[str]) -> Iterator[files.Row]:
    try:
        import pyarrow
        from pyarrow.parquet import ParquetFile
    except ImportError as error:
        mend = "install it with: pip install pyarrow"
        raise InputError(f"{path}: reading Parquet needs pyarrow; {mend}") from error
    try:
        with files.open_binary(path) as stream, ParquetFile(stream) as table:
            for wanted in columns:
                files.column(wanted, table.schema_arrow.names, str(path))
            batches = table.iter_batches(columns=list(dict.fromkeys(columns)))
            parts = (batch.to_pydict() for batch in batches)
            rows = (zip(*(part[name] for name in columns), strict=True) for part in parts)
            yield from enumerate(chain.from_iterable(rows), 1)
    except (pyarrow.ArrowException, OSError) as error:
        reason = str(error).splitlines()[0]
        raise InputError(f"{path}: not a whole Parquet file ({reason}); write it again") from error
