"""Predictions in Parquet; needs pyarrow (extra ``parquet``)."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from trimtab.config import InputError
from trimtab.predictions.source import Format, Place, Source, known_columns, named_after


def _reads(path: Path) -> bool:
    return path.suffix.lower() in (".parquet", ".pq")


def _read(place: Place, score: str | None) -> list[Source]:
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ModuleNotFoundError as error:
        raise InputError(f"{place.path}: Parquet needs pyarrow; pip install 'trimtab[parquet]'") from error
    try:
        file = pq.ParquetFile(place.path)
    except (pa.ArrowException, OSError) as error:
        raise InputError(f"{place.path}: is no Parquet file, or damaged; write it again") from error
    columns = known_columns(str(place.path), file.schema_arrow.names)
    variant, seed = named_after(place)
    return [Source(str(place.path), columns, _rows(file, columns), variant, seed)]


def _rows(file: Any, columns: tuple[str, ...]) -> Iterator[tuple[int, Sequence[Any]]]:
    number = 0
    for batch in file.iter_batches(columns=list(columns)):
        for values in zip(*(column.to_pylist() for column in batch.columns), strict=True):
            number += 1
            yield number, values


FORMAT = Format("Parquet (.parquet)", _reads, _read)
