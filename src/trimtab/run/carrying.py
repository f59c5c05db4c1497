"""A job's files on their way to a machine that shares no file system with this one, and back."""

import os
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

from trimtab.atomic import TEMPORARY, atomic_write
from trimtab.ledger.trial import RESULT

Files = Mapping[str, bytes]  # contents by path within a folder; of a single file, by the empty path
Value = TypeVar("Value")


def inputs_of(job: Any) -> list[Path]:
    """The files and folders that a job reads, each once; not its own folder, which it also writes."""
    own = getattr(job, "folder", None)
    return [path for path in dict.fromkeys(_paths(job)) if path != own]


def moved(value: Value, places: Mapping[Path, Path]) -> Value:
    """The same job, or a part of one, with its paths replaced as ``places`` says."""
    made: Any = value
    if isinstance(value, Path):
        made = places.get(value, value)
    elif is_dataclass(value) and not isinstance(value, type):
        now = {each.name: getattr(value, each.name) for each in fields(value) if each.init}
        then = {name: moved(each, places) for name, each in now.items()}
        changes = {name: each for name, each in then.items() if each is not now[name]}
        made = replace(value, **changes) if changes else value
    elif isinstance(value, dict):
        made = {key: moved(each, places) for key, each in value.items()}
        made = value if all(made[key] is each for key, each in value.items()) else made
    elif isinstance(value, tuple) and type(value) is tuple:
        made = tuple(moved(each, places) for each in value)
        made = value if all(new is old for new, old in zip(made, value, strict=True)) else made
    return made


def packed(path: Path) -> dict[str, bytes]:
    """A file, or all files below a folder, as bytes; empty where there is nothing."""
    if path.is_file():
        return {"": path.read_bytes()}
    return {
        str(each.relative_to(path)): each.read_bytes()
        for each in sorted(path.rglob("*"))
        if each.is_file() and not each.name.startswith(TEMPORARY)
    }


def unpack_once(files: Files, path: Path) -> None:
    """Write what was packed to ``path``; of several processes that do so, one comes first."""
    if path.exists():
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=TEMPORARY) as folder:
        made = Path(folder) / "made"
        for name, content in files.items():
            place = made / name if name else made
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(content)
        try:
            os.replace(made, path)
        except OSError:  # another was faster
            if not path.exists():
                raise


def take_back(files: Files, folder: Path) -> None:
    """Make ``folder`` hold what a job left in its own; what says that a trial is complete comes last."""
    for name in sorted(files, key=lambda name: (Path(name).name == RESULT, name)):
        path = folder / name
        if not path.exists() or path.read_bytes() != files[name]:
            path.parent.mkdir(parents=True, exist_ok=True)
            with atomic_write(path) as temporary:
                temporary.write_bytes(files[name])
    for name in packed(folder).keys() - files.keys():
        (folder / name).unlink(missing_ok=True)


def _paths(value: Any) -> Iterator[Path]:
    if isinstance(value, Path):
        yield value
    elif is_dataclass(value) and not isinstance(value, type):
        for each in fields(value):
            yield from _paths(getattr(value, each.name))
    elif isinstance(value, dict):
        for each in value.values():
            yield from _paths(each)
    elif isinstance(value, tuple):
        for each in value:
            yield from _paths(each)
