"""Folders of weights, on disk or inside a zip, and the archives that d2l has published."""

import io
import json
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from torch import Tensor

from trimtab.config import InputError
from trimtab.data import files
from trimtab.data.download import fetch, sha1_of
from trimtab.model.weights_files import read_pickle, read_pickled

Location = Path | zipfile.Path
_SINGLE_FILES = (".safetensors", ".bin", ".pt", ".pth", ".ckpt", ".params")


class Published(NamedTuple):
    """A published archive: its address and its SHA-1."""

    url: str
    sha1: str

    @property
    def name(self) -> str:
        """The file's name."""
        return self.url.rpartition("/")[2]


_ADDRESS = "http://d2l-data.s3-accelerate.amazonaws.com/"
PUBLISHED = {
    "bert.small": Published(f"{_ADDRESS}bert.small.torch.zip", "c72329e68a732bef0452e4b96a1c341c8910f81f"),
    "bert.base": Published(f"{_ADDRESS}bert.base.torch.zip", "225d66f04cae318b841a13d32af3acc165f253ac"),
}


def find(published: Published, root: Path | None) -> Path:
    """The published zip, or its unpacked folder, in the user's data or downloaded into the cache.

    It is looked for in ``root``, else TRIMTAB_DATA, and in their subfolders. InputError where it cannot be
    downloaded.
    """
    folder = files.data_root(root)
    if folder is not None:
        for name in (published.name, published.name.removesuffix(".zip")):
            for path in (folder / name, *sorted(folder.glob(f"*/{name}"))):
                if path.exists():
                    return path
    return fetch(published.url, published.sha1, files.cache_root() / "downloads")


@contextmanager
def opened(path: Path, file: str) -> Iterator[Location]:
    """The folder that holds ``file``: ``path``, or a folder in it where it is a zip, which is not unpacked.

    A zip with a published name must be the published one. InputError where it is not, is corrupt, or holds a
    path that leaves it.
    """
    if path.is_dir():
        yield path
        return
    if path.suffix in _SINGLE_FILES:
        raise InputError(f"{path}: is one file of a model; name its folder, which has the tokeniser, too")
    for published in PUBLISHED.values():
        if path.name == published.name:
            _verify(path, published)
    try:
        with files.open_binary(path) as stream, zipfile.ZipFile(stream) as archive:
            yield zipfile.Path(archive, _inner(path, archive.namelist(), file))
    except (zipfile.BadZipFile, zlib.error) as error:
        what = f"cannot be read as a zip ({error})"
        raise InputError(f"{path}: {what}; it is truncated or corrupt: download it again") from error


def _verify(path: Path, published: Published) -> None:
    with files.open_binary(path):  # for its error
        found = sha1_of(path)
    if found != published.sha1:
        what = f"is truncated or altered (its SHA-1 is {found}, the published one's {published.sha1})"
        raise InputError(
            f"{path}: {what}; download it again from {published.url}, or rename it if it is your own"
        )


def _inner(path: Path, names: list[str], file: str) -> str:
    """The prefix of file names in a zip: nothing, or a folder and a slash."""
    for name in names:
        parts = name.replace("\\", "/").split("/")
        if ".." in parts or not parts[0] or ":" in parts[0]:
            raise InputError(f"{path}: holds {name!r}, which lies outside its folder; use another archive")
    found = [name for name in names if name.rpartition("/")[2] == file and name.count("/") < 2]
    if len(found) != 1:
        what = f"holds {len(found) or 'no'} {file} at its top or in a folder there"
        raise InputError(f"{path}: {what}; it is incomplete, or no archive of weights")
    return found[0].removesuffix(file)


def content(file: Location) -> bytes:
    """The bytes of a file; InputError where it is missing or cannot be read."""
    if isinstance(file, Path):
        with files.open_binary(file) as stream:
            return stream.read()
    if not file.is_file():
        raise InputError(f"{file}: is missing; put it beside the other files of the weights")
    try:
        return file.read_bytes()
    except (OSError, EOFError, ValueError) as error:  # places in the archive that are beyond its end
        raise InputError(f"{file}: is truncated or corrupt ({error}); copy it again") from error
    except RuntimeError as error:  # a password, or a compression that zipfile does not know
        raise InputError(f"{file}: cannot be read ({error}); zip it again") from error


def pickled(file: Location) -> dict[str, Tensor]:
    """The tensors of a file that torch.save wrote."""
    if isinstance(file, Path):
        return read_pickle(file)
    return read_pickled(io.BytesIO(content(file)), file)


def parsed(file: Location) -> Any:
    """The value of a JSON file; InputError where it is not valid JSON."""
    text = content(file)
    try:
        return json.loads(text)
    except RecursionError as error:
        raise InputError(f"{file}: is not valid JSON (too many brackets); write it again") from error
    except ValueError as error:
        raise InputError(f"{file}: is not valid JSON ({error}); write it again") from error


def json_object(file: Location, mend: str) -> dict[str, Any]:
    """The object in a JSON file, empty where there is no file; InputError, which ends in ``mend``, else."""
    said = parsed(file) if file.is_file() else {}
    if not isinstance(said, dict):
        raise InputError(f"{file}: is not a JSON object; {mend}")
    return said
