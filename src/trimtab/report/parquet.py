"""Raw values of a table as Parquet, with their types; needs pyarrow (extra ``parquet``)."""

import importlib.util
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any


def write_parquet(columns: Mapping[str, Sequence[Any]], path: Path) -> bool:
    """Write columns of equal length; whether that was possible, as pyarrow may not be there.

    Booleans, whole numbers, numbers, texts, and lists of these keep their type; None is null, and nan stays
    nan among numbers.
    """
    if importlib.util.find_spec("pyarrow") is None:
        return False
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pa.table({name: pa.array(_alike(values)) for name, values in columns.items()})
    pq.write_table(table, path)
    return True


def _alike(values: Sequence[Any]) -> list[Any]:
    """Values of one type: whole numbers become numbers where others are, nan becomes null among texts."""
    plain = [list(value) if isinstance(value, tuple) else value for value in values]
    kinds = {type(value) for value in plain if value is not None}
    if str in kinds:
        return [None if value is None or _is_nan(value) else str(value) for value in plain]
    if float in kinds and int in kinds:
        return [float(value) if isinstance(value, int) else value for value in plain]
    return plain


def _is_nan(value: Any) -> bool:
    return isinstance(value, float) and math.isnan(value)
