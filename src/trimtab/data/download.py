"""Fetching a published file once, checked by its SHA-1."""

import hashlib
import sys
from http.client import HTTPException
from pathlib import Path
from typing import IO
from urllib.request import urlopen

from filelock import FileLock
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TimeRemainingColumn, TransferSpeedColumn

from trimtab.atomic import atomic_write
from trimtab.config import InputError

_BLOCK = 1 << 18


def fetch(url: str, sha1: str, folder: Path) -> Path:
    """The file at ``url`` in ``folder``, named as in the URL and fetched if it is missing.

    An existing file whose SHA-1 is not ``sha1`` (40 hexadecimal digits) is deleted and fetched again, once.
    Written atomically and under a lock, so that processes started together fetch it once. Shows a progress
    bar on stderr if that is a terminal. Raises InputError where the file cannot be fetched, or is not the
    expected one.
    """
    target = folder / url.rpartition("/")[2]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with FileLock(f"{target}.lock"):
            if not target.is_file() or sha1_of(target) != sha1:
                target.unlink(missing_ok=True)
                _replace(target, url, sha1)
    except OSError as error:
        mend = "name another folder in TRIMTAB_CACHE"
        raise InputError(f"{folder}: cannot be written ({error.strerror}); {mend}") from error
    return target


def sha1_of(path: Path) -> str:
    """The SHA-1 of a file, as 40 hexadecimal digits."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha1").hexdigest()


def _replace(target: Path, url: str, sha1: str) -> None:
    mend = f"put {target.name} into a folder and name that folder with --data"
    try:
        with atomic_write(target) as temporary:
            with temporary.open("wb") as stream:
                found = _transfer(url, stream)
            if found != sha1:
                what = f"{url} sent a file with SHA-1 {found} instead of {sha1}, altered or truncated"
                raise InputError(f"{what}; {mend}")
    except (OSError, HTTPException) as error:
        reason = getattr(error, "reason", None) or error
        raise InputError(f"{url} could not be downloaded ({reason}); {mend}") from error


def _transfer(url: str, stream: IO[bytes]) -> str:
    digest = hashlib.sha1(usedforsecurity=False)
    columns = (BarColumn(), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn())
    bar = Progress(
        "{task.description}", *columns, console=Console(stderr=True), disable=not sys.stderr.isatty()
    )
    with urlopen(url, timeout=30) as answer, bar:
        size = answer.headers.get("Content-Length")
        task = bar.add_task(url.rpartition("/")[2], total=int(size) if size else None)
        while block := answer.read(_BLOCK):
            stream.write(block)
            digest.update(block)
            bar.advance(task, len(block))
    return digest.hexdigest()
