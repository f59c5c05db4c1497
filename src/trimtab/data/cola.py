"""The Corpus of Linguistic Acceptability (Warstadt, Singh and Bowman, 2018), version 1.1, as published."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Literal
from zipfile import BadZipFile, ZipFile
from zlib import error as ZlibError  # noqa: N812

from pydantic import Field

from trimtab.config import InputError, StrictModel
from trimtab.data import files
from trimtab.data.examples import Examples, Gathering, renamed
from trimtab.data.places import locate
from trimtab.data.reader import Facts, Reader

LABELS = {"0": "unacceptable", "1": "acceptable"}
ORIGIN = "https://nyu-mll.github.io/CoLA/cola_public_1.1.zip"
_PARTS = {
    "train": "in_domain_train",
    "validation": "in_domain_dev",
    "test": "out_of_domain_dev",
    "in_domain_dev": "in_domain_dev",
    "out_of_domain_dev": "out_of_domain_dev",
}
SPLITS = tuple(_PARTS)
# What zipfile raises where an archive is cut short, altered, encrypted or packed in another way.
_DAMAGE = (BadZipFile, EOFError, ZlibError, RuntimeError)
_HEADER = ("code", "label", "mark", "text")  # the files have no header


class Options(StrictModel):
    """Options of reader ``cola``."""

    text: Literal["sentence", "parse"] = Field(
        "sentence", description="the raw sentence, or the published lower-case words"
    )
    file: str | None = Field(
        None, description="a file in the official format to read instead of the split's own"
    )


def read(split: str, root: Path | None, options: Options) -> Examples:
    """The sentences of one part and whether they are acceptable; the cluster of a row is its sentence.

    Looks below ``root``, else TRIMTAB_DATA, for the folder cola_public or its zip.
    Raises InputError, as FILE:LINE if a line is wrong.
    """
    with _opened(split, root, options) as (source, stream):
        gathering = Gathering(source, tuple(LABELS.values()))
        for number, (label, text) in files.tab_rows(stream, source, ("label", "text"), header=_HEADER):
            where = f"{source}:{number}"
            sentence = files.filled(text, where, "text")
            gathering.add(number, renamed(label, LABELS, where), sentence, cluster=sentence)
    return gathering.examples()


@contextmanager
def _opened(split: str, root: Path | None, options: Options) -> Iterator[tuple[str, BinaryIO]]:
    folder = "raw" if options.text == "sentence" else "tokenized"
    member = f"cola_public/{folder}/{_PARTS[split]}.tsv"
    path = (
        files.find(options.file, root) if options.file else locate(root, (member, "cola_public*.zip"), ORIGIN)
    )
    if path.suffix != ".zip":
        with files.open_binary(path) as stream:
            yield str(path), stream
        return
    files.open_binary(path).close()  # for its error
    try:
        with ZipFile(path) as archive, archive.open(member) as stream:
            yield f"{path}/{member}", stream  # type: ignore[misc]  # an IO[bytes] that is read only
    except KeyError as error:
        raise InputError(f"{path}: holds no {member}; download it again from {ORIGIN}") from error
    except _DAMAGE as error:
        raise InputError(
            f"{path}: is truncated or corrupt ({error}); download it again from {ORIGIN}"
        ) from error


READER = Reader(
    read=read,
    options=Options,
    text_forms=("sentence", "parse"),
    splits=SPLITS,
    own_validation=False,
    facts={
        "cola": Facts(
            what="Corpus of Linguistic Acceptability 1.1: is a sentence grammatical? A single text",
            columns="first: column 4, label: column 2 (0, 1); no header",
            labels=", ".join(LABELS.values()),
            metric="Matthews correlation",
            clusters="the sentence, as a few occur twice",
            rows="train 8,551, in_domain_dev = validation 527, out_of_domain_dev = test 516",
            licence="none stated",
            origin=ORIGIN,
        )
    },
)
