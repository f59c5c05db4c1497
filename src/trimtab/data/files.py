"""Where files are found, and their rows, each with its line number.

The functions that end in ``_rows`` stream (line number, values of the wanted columns), so that a file
of any length is read with one line in memory, and raise InputError as FILE:LINE.
"""

import csv
import gzip
import json
import os
import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, cast

import platformdirs

from trimtab.config import InputError, nearest

Row = tuple[int, Sequence[Any]]
_LONGEST_HINT = 200  # characters: a file without a header has a row of texts there


def cache_root() -> Path:
    """The folder for what can be computed or fetched again: TRIMTAB_CACHE, else the user's cache folder."""
    given = os.environ.get("TRIMTAB_CACHE")
    return Path(given).expanduser() if given else platformdirs.user_cache_path("trimtab")


@contextmanager
def cache_writable(folder: Path | None = None) -> Iterator[None]:
    """Turns a failure to write ``folder``, else the cache's own, into an InputError that says what to do."""
    try:
        yield
    except OSError as error:
        where = folder or cache_root()
        mend = "name another folder for the cache in TRIMTAB_CACHE"
        raise InputError(f"{where}: cannot be written ({error.strerror}); {mend}") from error


def data_root(root: Path | None) -> Path | None:
    """The folder that holds the user's data: ``root``, else TRIMTAB_DATA, else None.

    Raises InputError where it is given but is not a folder.
    """
    given, name = (root, "--data") if root else (os.environ.get("TRIMTAB_DATA"), "TRIMTAB_DATA")
    if not given:
        return None
    folder = Path(given).expanduser()
    if not folder.is_dir():
        raise InputError(f"{name}: there is no folder {folder}; name the one that holds the data")
    return folder


def find(file: str, root: Path | None) -> Path:
    """The path of ``file``: if relative, below data_root(root), else below the current folder."""
    path = Path(file).expanduser()
    if not path.is_absolute():
        path = (data_root(root) or Path.cwd()) / path
    if path.is_dir():
        raise InputError(f"{path} is a folder; name a file in it")
    if not path.is_file():
        raise InputError(f"there is no file {path}; name its folder with --data DIR, or its whole path")
    return path


# Endings of a compressed file's name that tell what is in it; a line of one, once unpacked, may be so long.
PACKED = ".gz"
_LONGEST_LINE = 64 << 20
_LFS = b"version https://git-lfs.github.com/spec/"


def open_binary(path: Path) -> BinaryIO:
    """Open ``path`` to read bytes; InputError where that fails, or git-lfs has not fetched its content."""
    try:
        stream = path.open("rb")
        if stream.read(len(_LFS)) == _LFS:
            stream.close()
            raise InputError(f"{path}: is a pointer of git-lfs, not the file itself; run git lfs pull")
        stream.seek(0)
        return cast(BinaryIO, _Unpacked(stream, path)) if path.suffix.lower() == PACKED else stream
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}); check its permissions") from error


class _Unpacked(gzip.GzipFile):
    """The content of a gzip file, line by line; InputError where that is damaged, or a line too long."""

    def __init__(self, stream: BinaryIO, path: Path) -> None:
        super().__init__(fileobj=stream)
        self._packed, self._path = stream, path

    def __next__(self) -> bytes:
        try:
            line = self.readline(_LONGEST_LINE)
        except (OSError, EOFError, zlib.error) as error:
            raise InputError(
                f"{self._path}: is truncated or corrupt ({error}); get the file again"
            ) from error
        if len(line) == _LONGEST_LINE:
            most = f"{_LONGEST_LINE >> 20} MiB"
            raise InputError(f"{self._path}: has a line of over {most}, too long for a row; name a table")
        if not line:
            raise StopIteration
        return line

    def close(self) -> None:
        super().close()
        self._packed.close()


def ending(path: Path) -> str:
    """The ending of a file's name in small letters, without that of compression: ``.csv`` of ``a.csv.gz``."""
    name = path.with_suffix("") if path.suffix.lower() == PACKED else path
    return name.suffix.lower()


def _raw_lines(stream: Iterable[bytes]) -> Iterator[bytes]:
    """Lines; those of old files for the Macintosh, which end in a carriage return alone, too."""
    for number, raw in enumerate(stream):
        if number == 0 and not raw.endswith(b"\n") and b"\r" in raw:
            yield from (line + b"\n" for line in raw.removesuffix(b"\r").split(b"\r"))
        else:
            yield raw


def lines(stream: Iterable[bytes], name: str) -> Iterator[str]:
    """The lines of a UTF-8 file with their line ends; a byte order mark is skipped.

    They end in ``\\n``, or all in ``\\r``.
    """
    for number, raw in enumerate(_raw_lines(stream), 1):
        try:
            line = raw.decode("utf-8-sig" if number == 1 else "utf-8")
        except UnicodeDecodeError as error:
            what = f"byte {error.start + 1} of the line is not valid UTF-8"
            raise InputError(f"{name}:{number}: {what}; save the file as UTF-8") from error
        yield line


def tab_rows(
    stream: BinaryIO,
    name: str,
    columns: Sequence[str],
    *,
    header: Sequence[str] | None = None,
    ragged: bool = False,
    broken: list[int] | None = None,
) -> Iterator[Row]:
    """Rows of a tab-separated file, as strings; quotes are ordinary characters.

    ``header`` names the columns of a file without a header line. ``ragged`` accepts rows that lack unwanted
    columns at their end. Where ``broken`` is given, rows with another number of columns are skipped and
    their line numbers appended to it; else they are an error.
    """
    numbered = enumerate(lines(stream, name), 1)
    cells = ((number, line.rstrip("\r\n").split("\t")) for number, line in numbered)
    return _select(cells, name, columns, header, ragged, broken)


def csv_rows(stream: BinaryIO, name: str, columns: Sequence[str]) -> Iterator[Row]:
    """Rows of a comma-separated file with a header, as strings, quoted as in RFC 4180.

    A quoted cell may contain line ends; the number is that of the row's first line.
    """
    return _select(_csv_cells(stream, name), name, columns)


def _csv_cells(stream: BinaryIO, name: str) -> Iterator[tuple[int, list[str]]]:
    csv.field_size_limit(2**31 - 1)  # the default, 131,072 characters, is shorter than a long article
    reader = csv.reader(lines(stream, name), strict=True)
    start = 1
    try:
        for cells in reader:
            yield start, cells
            start = reader.line_num + 1
    except csv.Error as error:
        mend = "put a cell with commas, quotes or line ends in quotes, and double the quotes inside it"
        raise InputError(f"{name}:{start}: not valid CSV ({error}); {mend}") from error


def _select(
    rows: Iterator[tuple[int, list[str]]],
    name: str,
    columns: Sequence[str],
    given: Sequence[str] | None = None,
    ragged: bool = False,
    broken: list[int] | None = None,
) -> Iterator[Row]:
    header = given or next(rows, (1, [""]))[1]
    if header in ([], [""]):
        raise InputError(f"{name}:1: no header; the first line names the columns")
    index = [column(wanted, header, name) for wanted in columns]
    most = len(header)
    least = max(index) + 1 if ragged else most
    for number, cells in rows:
        if least <= len(cells) <= most:
            yield number, [cells[i] for i in index]
        elif cells in ([], [""]):  # blank lines are skipped
            continue
        elif broken is not None:
            broken.append(number)
        else:
            count = f"{len(cells)} column{'s' * (len(cells) != 1)} where "
            count += f"there should be {most} ({', '.join(given)})" if given else f"the header has {most}"
            raise InputError(f"{name}:{number}: {count}; correct the row")


def column(wanted: str, header: Sequence[str], where: str) -> int:
    """The index of ``wanted`` in ``header``; InputError where it is missing or occurs twice."""
    if header.count(wanted) > 1:
        raise InputError(f"{where}: {header.count(wanted)} columns are named {wanted!r}; rename all but one")
    if wanted not in header:
        raise InputError(f"{where}: no column {wanted!r} in the header, {_known_columns(wanted, header)}")
    return header.index(wanted)


def other_separator(header: Sequence[str]) -> str | None:
    """The end of an error where a header is one cell that seems to hold several; None where it does not."""
    for mark, name in ((";", "semicolons"), ("\t", "tabs"), (",", "commas")):
        if len(header) == 1 and mark in header[0]:
            return f"which is one cell with {name}; .csv files are separated by commas, .tsv and .txt by tabs"
    return None


def _known_columns(wanted: str, header: Sequence[str]) -> str:
    """The end of the error: what separates the cells instead, or the nearest name, or some of the names."""
    if hint := other_separator(header):
        return hint
    words = nearest(wanted, header)
    return words if len(words) <= _LONGEST_HINT else f"{words[:_LONGEST_HINT]} ..."


def filled(text: Any, where: str, column: str) -> str:
    """The text of a cell; InputError where it is blank or not text."""
    if isinstance(text, str) and text.strip():
        return text
    if text is None or isinstance(text, str):
        raise InputError(f"{where}: nothing in column {column!r}; fill it in, or take the row out")
    raise InputError(f"{where}: column {column!r} holds {text!r}, which is not text; write it as text")


def json_rows(stream: BinaryIO, name: str, columns: Sequence[str]) -> Iterator[Row]:
    """Rows of JSON lines as Python values; ``columns`` are keys."""
    for number, line in enumerate(lines(stream, name), 1):
        if line.strip():
            row = json_object(line.rstrip("\r\n"), f"{name}:{number}")
            try:
                yield number, [row[key] for key in columns]
            except KeyError as error:
                raise InputError(
                    f"{name}:{number}: no key {error.args[0]!r}, {nearest(error.args[0], row)}"
                ) from error


def json_object(line: str, where: str) -> dict[str, Any]:
    """A line of JSON, which is an object; InputError names ``where`` it is none."""
    try:
        row = json.loads(line)
        if "\\ud" in line.lower():
            json.dumps(row, ensure_ascii=False).encode()  # half of a surrogate pair could not be stored
    except UnicodeEncodeError as error:
        raise InputError(f"{where}: contains an unpaired surrogate; correct the row") from error
    except json.JSONDecodeError as error:
        what = f"not valid JSON ({error.msg}, column {error.colno})"
        raise InputError(f"{where}: {what}; write one object per line") from error
    except (ValueError, RecursionError) as error:  # a number of thousands of digits, as many brackets
        what = "numbers or brackets beyond all measure"
        raise InputError(f"{where}: not valid JSON ({what}); write one object per line") from error
    if not isinstance(row, dict):
        raise InputError(f"{where}: not a JSON object; write one object per line")
    return row
