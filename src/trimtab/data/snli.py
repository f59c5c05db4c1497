"""The Stanford Natural Language Inference corpus (Bowman et al., 2015), as published, read as d2l does."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Literal
from zipfile import ZipFile

from pydantic import Field

from trimtab.config import InputError, StrictModel
from trimtab.data import files
from trimtab.data.download import fetch, sha1_of
from trimtab.data.examples import Examples, Gathering
from trimtab.data.reader import Facts, Reader

LABELS = ("entailment", "contradiction", "neutral")  # d2l's ids 0, 1, 2
SPLITS = {"train": "train", "validation": "dev", "test": "test"}
_COLUMNS = {"parse": "sentence{}_binary_parse", "sentence": "sentence{}"}
_WITHOUT_GOLD = "-"  # the annotators reached no majority


class Options(StrictModel):
    """Options of reader ``snli``."""

    text: Literal["parse", "sentence"] = Field(
        "parse", description="the words of the binary parse, or the raw sentence"
    )
    file: str | None = Field(
        None, description="a file in the official format to read instead of the split's own"
    )


@dataclass(frozen=True)
class Archive:
    """The published zip: its address and its SHA-1."""

    url: str = "https://nlp.stanford.edu/projects/snli/snli_1.0.zip"
    sha1: str = "9fcde07509c7e87ec61c640c1b2753d9041758e4"

    @property
    def name(self) -> str:
        """The file's name."""
        return self.url.rpartition("/")[2]


OFFICIAL = Archive()


def read(split: str, root: Path | None, options: Options, archive: Archive = OFFICIAL) -> Examples:
    """Premises, hypotheses and gold labels of one split; rows without a gold label are dropped and counted.

    Looks below ``root``, else TRIMTAB_DATA, for a folder snli_1.0 (that folder, its parent or its
    grand-parent) with the official .txt or .jsonl, or for the official zip; with neither ``root`` nor
    TRIMTAB_DATA the zip is fetched into the cache. The cluster of a row is its premise.
    Raises InputError, as FILE:LINE if a line is wrong.
    """
    with _opened(split, root, options.file, archive) as (name, stream):
        return _gathered(stream, name, options.text)


def _gathered(stream: BinaryIO, name: str, text: str) -> Examples:
    columns = ["gold_label", *(_COLUMNS[text].format(side) for side in (1, 2))]
    if name.endswith(".jsonl"):
        rows = files.json_rows(stream, name, columns)
    else:  # the columns that may be missing at a row's end are single annotators' labels
        rows = files.tab_rows(stream, name, columns, ragged=True)
    gathering = Gathering(name, LABELS, f"a row without a gold label has {_WITHOUT_GOLD!r} there")
    for number, values in rows:
        if not all(isinstance(value, str) for value in values):
            raise InputError(f"{name}:{number}: {', '.join(columns)} must be text; correct the row")
        label, premise, hypothesis = values
        if label == _WITHOUT_GOLD:
            gathering.dropped += 1
            continue
        if text == "parse":
            premise, hypothesis = words_of(premise), words_of(hypothesis)
        gathering.add(number, label, premise, hypothesis, premise)
    return gathering.examples()


_SPACES = re.compile(r"\s{2,}")


def words_of(parse: str) -> str:
    """The words of a binary parse, as in d2l's read_snli: without brackets, runs of spaces collapsed."""
    bare = parse.replace("(", "").replace(")", "")
    if bare.isprintable():  # then all white space is blanks, and this gives the same in half the time
        return " ".join(bare.split())
    return _SPACES.sub(" ", bare).strip()


@contextmanager
def _opened(
    split: str, root: Path | None, file: str | None, archive: Archive
) -> Iterator[tuple[str, BinaryIO]]:
    path = files.find(file, root) if file else _official(SPLITS[split], root, archive)
    if path.name != archive.name:
        with files.open_binary(path) as stream:
            yield str(path), stream
        return
    member = f"snli_1.0/snli_1.0_{SPLITS[split]}.txt"
    _verify(path, archive)
    with ZipFile(path) as folder, folder.open(member) as stream:
        yield f"{path}/{member}", stream  # type: ignore[misc]  # an IO[bytes] that is read only


def _official(part: str, root: Path | None, archive: Archive) -> Path:
    folder = files.data_root(root)
    if folder is None:
        return fetch(archive.url, archive.sha1, files.cache_root() / "downloads")
    for place in (folder, *sorted(folder.glob("snli_1.0")), *sorted(folder.glob("*/snli_1.0"))):
        for ending in ("txt", "jsonl"):
            path = place / f"snli_1.0_{part}.{ending}"
            if path.is_file():
                return path
    for path in (folder / archive.name, *sorted(folder.glob(f"*/{archive.name}"))):
        if path.is_file():
            return path
    wanted = f"snli_1.0_{part}.txt or .jsonl in a folder snli_1.0, nor {archive.name}"
    mend = f"fetch {archive.url} into it, or leave out --data and TRIMTAB_DATA to have it fetched"
    raise InputError(f"{folder}: holds no {wanted}; {mend}")


def _verify(path: Path, archive: Archive) -> None:
    with files.open_binary(path):  # for its error
        found = sha1_of(path)
    if found != archive.sha1:
        what = f"is altered or truncated (its SHA-1 is {found}, the published {archive.sha1})"
        raise InputError(f"{path}: {what}; fetch it again from {archive.url}, or delete it")


READER = Reader(
    read=read,
    options=Options,
    text_forms=("parse", "sentence"),
    facts={
        "snli": Facts(
            what="Stanford Natural Language Inference: does a sentence follow from a picture's caption?",
            columns="first: sentence1, second: sentence2, label: gold_label ('-' for none)",
            labels=", ".join(LABELS),
            metric="accuracy",
            clusters="the premise",
            rows="train 549,367, validation 9,842, test 9,824",
            licence="CC BY-SA 4.0",
            origin=OFFICIAL.url,
        )
    },
)
