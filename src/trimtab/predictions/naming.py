"""How files of predictions are named on a command line: FILE, VARIANT=FILE or VARIANT@SEED=FILE."""

import re
from pathlib import Path

from trimtab.config import InputError
from trimtab.predictions.source import Place

_SEED = re.compile(r"(?P<variant>.+)@(?P<seed>\d{1,18})", re.DOTALL)


def place_named(named: str) -> Place:
    """A file as it is named; what exists as a whole is a path, also with a = in it."""
    variant, equals, path = named.partition("=")
    if not equals or Path(named).exists():
        return Place(Path(named))
    if not variant or not path:
        raise InputError(f"{named!r}: name a file of predictions as VARIANT=FILE, or VARIANT@SEED=FILE")
    found = _SEED.fullmatch(variant)
    if found is None:
        return Place(Path(path), variant)
    return Place(Path(path), found["variant"], int(found["seed"]))
