"""Texts for pretraining: paragraphs of sentences, from WikiText or any plain text."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, Field, ValidationError

from trimtab.config import InputError, StrictModel, explain, nearest
from trimtab.data.examples import Examples
from trimtab.data.files import find, lines, open_binary

SPLITS = {"train": "train", "validation": "valid", "test": "test"}  # and WikiText's names for them
_BETWEEN = " . "
_END = re.compile(r"""(?<=[.!?])\s+|(?<=[.!?]["')\]])\s+""")


@dataclass(frozen=True, eq=False)
class Paragraphs:
    """The sentences of a text, and where its paragraphs begin.

    sentences: texts, paragraph after paragraph. offsets: (paragraphs + 1,) int64 into them. source: the file.
    """

    sentences: list[str]
    offsets: NDArray[np.int64]
    source: str

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def examples(self) -> Examples:
        """Each sentence as a single text, its paragraph being its cluster; the labels say nothing."""
        clusters = np.repeat(np.arange(len(self)), np.diff(self.offsets))
        labels = np.zeros(len(self.sentences), np.int64)
        return Examples(self.sentences, None, labels, ("",), clusters, source=self.source)


class WikiText(StrictModel):
    """The options of reader ``wikitext``."""

    folder: Annotated[
        str,
        Field(
            min_length=1,
            description="the folder of wiki.train.tokens, wiki.valid.tokens and wiki.test.tokens",
        ),
    ] = "wikitext-2"


class PlainText(StrictModel):
    """The options of reader ``text``."""

    file: Annotated[str, Field(min_length=1, description="a text in UTF-8, blank lines between paragraphs")]


@dataclass(frozen=True)
class Corpus:
    """A kind of text: ``read(file)`` gives its paragraphs, each a list of sentences.

    ``file(split, options)``: its file below the data folder; ``options``: its options; ``splits``: whether it
    has a validation split of its own; ``unknown``: how it writes a word that was removed. ``what`` and
    ``licence`` are descriptions.
    """

    read: Callable[[Iterator[str]], Iterator[list[str]]]
    file: Callable[[str, Any], str]
    options: type[BaseModel]
    what: str
    licence: str
    splits: bool = False
    unknown: str | None = None


def wikitext_paragraphs(text: Iterator[str]) -> Iterator[list[str]]:
    """The paragraphs of WikiText: lines that contain " . ", split there, as in d2l.

    So headings are left out, and a line of one sentence that ends in a full stop is a paragraph of one.
    """
    for line in text:
        if _BETWEEN in line:
            yield line.strip().split(_BETWEEN)


def plain_paragraphs(text: Iterator[str]) -> Iterator[list[str]]:
    """The paragraphs of a plain text: lines up to a blank one, split after ``.``, ``!`` and ``?``."""
    gathered: list[str] = []
    for line in text:
        if stripped := line.strip():
            gathered.append(stripped)
        elif gathered:
            yield _END.split(" ".join(gathered))
            gathered = []
    if gathered:
        yield _END.split(" ".join(gathered))


CORPORA = {
    "wikitext": Corpus(
        wikitext_paragraphs,
        lambda split, options: f"{options.folder}/wiki.{SPLITS[split]}.tokens",
        WikiText,
        "WikiText-2 or WikiText-103 by words, rare ones as <unk> (Merity et al. 2016)",
        "CC BY-SA 3.0",
        splits=True,
        unknown="<unk>",
    ),
    "text": Corpus(
        plain_paragraphs,
        lambda split, options: options.file,
        PlainText,
        "your own plain text, blank lines between paragraphs",
        "yours",
    ),
}


def check(reader: str, **options: Any) -> Any:
    """The validated options of ``reader``; InputError where the reader is unknown or an option is wrong."""
    found = corpus_of(reader).options
    try:
        return found.model_validate(options)
    except ValidationError as error:
        raise InputError(f"reader {reader!r}: {explain(error, found.model_fields)}") from error


def read(
    reader: str, split: str, root: Path | None = None, *, lowercase: bool = True, **options: Any
) -> Paragraphs:
    """The paragraphs of a split: ``reader`` names one of CORPORA, ``options`` are its own.

    split: train, validation or test; a plain text has no splits, and is read whole. root: the folder that
    holds the data, else TRIMTAB_DATA. lowercase: as Python's lower(), which is d2l's.
    Raises InputError where a file is missing or not UTF-8, and where no paragraph has two sentences.
    """
    corpus = corpus_of(reader)
    path = find(corpus.file(split, check(reader, **options)), root)
    sentences: list[str] = []
    lengths = []
    with open_binary(path) as stream:
        for paragraph in corpus.read(lines(stream, str(path))):
            sentences += paragraph
            lengths.append(len(paragraph))
    if max(lengths, default=0) < 2:
        raise InputError(f"{path}: no paragraph of two sentences; name a text that has some")
    if lowercase:
        sentences = [sentence.lower() for sentence in sentences]
    return Paragraphs(sentences, np.concatenate([[0], np.cumsum(lengths)]), str(path))


def describe() -> list[dict[str, str]]:
    """One row per reader of paragraphs."""
    return [{"name": name, "what": each.what, "licence": each.licence} for name, each in CORPORA.items()]


def corpus_of(reader: str) -> Corpus:
    """The kind of text that ``reader`` names; InputError where there is none."""
    if reader not in CORPORA:
        raise InputError(f"no reader {reader!r} of paragraphs, {nearest(reader, CORPORA)}")
    return CORPORA[reader]
