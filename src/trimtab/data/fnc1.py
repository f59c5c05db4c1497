"""The Fake News Challenge, stage 1: a headline, an article's body, and the stance of the body."""

from pathlib import Path

from trimtab.config import InputError, StrictModel
from trimtab.data import files
from trimtab.data.examples import Examples, Gathering
from trimtab.data.places import locate
from trimtab.data.reader import Facts, Reader

LABELS = ("agree", "disagree", "discuss", "unrelated")
ORIGIN = "https://github.com/FakeNewsChallenge/fnc-1"
_PREFIX = {"train": "train", "test": "competition_test"}
SPLITS = tuple(_PREFIX)
_NAMED = 3  # how many faults are named


class Options(StrictModel):
    """Options of reader ``fnc1``: none."""


def read(split: str, root: Path | None, options: Options) -> Examples:
    """Headlines (first) and bodies (second), joined on Body ID, with their stances; the cluster is the body.

    Some bodies occur under two IDs, so clusters are told apart by the text.

    Looks below ``root``, else TRIMTAB_DATA, for train_stances.csv or competition_test_stances.csv, and
    beside it for the bodies. Raises InputError, as FILE:LINE if a row is wrong; repeated body IDs and stances
    without a body are counted and named.
    """
    stances = locate(root, (f"{_PREFIX[split]}_stances.csv",), ORIGIN)
    bodies = _bodies(stances.with_name(f"{_PREFIX[split]}_bodies.csv"))
    gathering = Gathering(str(stances), LABELS)
    missing: list[str] = []
    with files.open_binary(stances) as stream:
        for number, cells in files.csv_rows(stream, str(stances), ("Headline", "Body ID", "Stance")):
            where = f"{stances}:{number}"
            headline, identity, stance = files.filled(cells[0], where, "Headline"), *cells[1:]
            if identity in bodies:
                gathering.add(number, stance, headline, bodies[identity], cluster=bodies[identity])
            else:
                missing.append(f"{identity!r} on line {number}")
    if missing:
        what = f"{_counted(len(missing), 'stance')} without a body beside it"
        raise InputError(
            f"{stances}: {what}: Body ID {_listed(missing)}; add the bodies, or take the rows out"
        )
    return gathering.examples()


def _bodies(path: Path) -> dict[str, str]:
    if not path.is_file():
        raise InputError(f"there is no file {path} beside the stances; get it from {ORIGIN}")
    bodies: dict[str, str] = {}
    twice: list[str] = []
    with files.open_binary(path) as stream:
        for number, (identity, body) in files.csv_rows(stream, str(path), ("Body ID", "articleBody")):
            text = files.filled(body, f"{path}:{number}", "articleBody")
            if identity in bodies:
                twice.append(f"{identity!r} on line {number}")
            bodies[identity] = text
    if twice:
        what = f"{_counted(len(twice), 'body', 'bodies')} with a Body ID that occurs before"
        raise InputError(f"{path}: {what}: {_listed(twice)}; keep one body for each")
    return bodies


def _counted(number: int, one: str, several: str | None = None) -> str:
    return f"{number:,} {one if number == 1 else several or f'{one}s'}"


def _listed(faults: list[str]) -> str:
    more = len(faults) - _NAMED
    return ", ".join(faults[:_NAMED]) + (f" and {more:,} more" if more > 0 else "")


READER = Reader(
    read=read,
    options=Options,
    text_forms=("sentence",),
    splits=SPLITS,
    own_validation=False,
    facts={
        "fnc1": Facts(
            what="Fake News Challenge, stage 1: what stance does a headline take on an article's body?",
            columns="first: Headline, second: articleBody, joined on Body ID, label: Stance",
            labels=", ".join(LABELS),
            metric="weighted score (fnc1), macro F1",
            clusters="the body, by its text; headlines recur over bodies",
            rows="train 49,972 on 1,683 bodies (1,669 texts), test 25,413 on 904 (900); 10 texts in both",
            licence="none stated",
            origin=ORIGIN,
        )
    },
)
