"""A study's data set: every split read, labels agreed on, tokenised with one vocabulary."""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import repeat
from pathlib import Path
from typing import Any

import numpy as np
from tokenizers import Tokenizer

from trimtab.config import InputError, nearest
from trimtab.data import tokenizer as tokenizers
from trimtab.data.examples import Examples
from trimtab.data.files import find
from trimtab.data.input_template import InputTemplate
from trimtab.data.quoted import quoted
from trimtab.data.readers import options_of, read
from trimtab.data.sampling import hold_out
from trimtab.data.table import read_texts
from trimtab.data.target import Target, as_words, outputs_of
from trimtab.data.tokens import Tokens, tokenise
from trimtab.data.unknown import unknown_share


@dataclass(frozen=True)
class SplitSource:
    """Where one split comes from: a reader, the reader's split, its options."""

    reader: str
    split: str
    options: dict[str, Any]


@dataclass(frozen=True)
class DataPlan:
    """The data of a study.

    validation: a source, or the share of train to hold out; validation_seed: of the draw of the held-out
    rows; tokenizer: for variants trained from scratch, a name, a file, or pretrained weights that come with
    one; target: what the labels of all splits are.
    """

    train: SplitSource
    validation: SplitSource | float
    tests: dict[str, SplitSource]
    tokenizer: str
    min_freq: int
    lowercase: bool
    validation_seed: int = 0
    target: Target = "classes"


@dataclass(frozen=True)
class Counts:
    """Rows of one split.

    dropped: rows left out because they have no gold label, are broken, or were to be dropped. repeated: rows
    whose texts also occur in train. queries: of relevance, how many there are; ranked: those of them with a
    relevant row, without which no ranking can be judged. quoted: texts with the quotes of a CSV around them.
    """

    split: str
    source: str
    rows: int
    dropped: int
    clusters: int
    repeated: int = 0
    queries: int = 0
    ranked: int = 0
    quoted: int = 0


@dataclass(frozen=True, eq=False)
class Dataset:
    """Every split tokenised alike. ``splits`` maps train, validation and each test set's name to Tokens.

    name: of the tokeniser, as in the study; template: where it puts its special tokens.
    """

    name: str
    splits: dict[str, Tokens]
    tests: tuple[str, ...]
    label_names: tuple[str, ...]
    tokenizer: Tokenizer
    template: InputTemplate
    counts: tuple[Counts, ...]

    @cached_property
    def unknown(self) -> dict[str, float]:
        """The share of each split's tokens that are unknown words."""
        return {name: unknown_share(tokens, self.tokenizer) for name, tokens in self.splits.items()}

    @property
    def target(self) -> Target:
        """What the labels of all splits are."""
        return self.splits["train"].target

    @property
    def outputs(self) -> int:
        """How many numbers a model gives for a row: one for each class, else one."""
        return outputs_of(self.target, self.label_names)

    @cached_property
    def vocabulary(self) -> int:
        """Rows of the token embedding: one more than the largest id."""
        return tokenizers.largest_id(self.tokenizer) + 1


@dataclass(frozen=True, eq=False)
class Texts:
    """One table of texts, tokenised; ``label_names`` is empty where its labels were not asked for.

    unknown: the share of tokens that are unknown words.
    """

    counts: Counts
    tokens: Tokens
    template: InputTemplate
    label_names: tuple[str, ...]
    unknown: float = 0.0


def tokenised(
    name: str, tokenizer: Tokenizer, examples: Mapping[str, Examples], root: Path | None
) -> Dataset:
    """The splits of ``read_splits`` tokenised by ``tokenizer``, whose name in the study is ``name``."""
    template = _template(name, tokenizer)
    trained = set(_rows_of_texts(examples["train"]))
    repeated = {
        key: sum(row in trained for row in _rows_of_texts(value)) if key != "train" else 0
        for key, value in examples.items()
    }
    return Dataset(
        name=name,
        splits={key: tokenise(readable(value, tokenizer), tokenizer) for key, value in examples.items()},
        tests=tuple(key for key in examples if key not in ("train", "validation")),
        label_names=examples["train"].label_names,
        tokenizer=tokenizer,
        template=template,
        counts=tuple(
            replace(_count(key, value, root), repeated=repeated[key]) for key, value in examples.items()
        ),
    )


def readable(examples: Examples, tokenizer: Tokenizer) -> Examples:
    """The same examples; without evidence, the position of a word, where ``tokenizer`` splits words."""
    return examples if tokenizers.keeps_words(tokenizer) else replace(examples, evidence=None)


def prepare_texts(
    file: str,
    root: Path | None,
    *,
    first: str | None,
    second: str | None = None,
    label: str | None = None,
    tokenizer: str = "words",
    reader: Tokenizer | None = None,
) -> Texts:
    """Read and tokenise columns of one table; a word-level vocabulary is counted on the table itself.

    reader: the tokeniser that ``tokenizer`` names, where it comes with weights, which are not read here.
    InputError where the file or a column is missing or wrong; if ``first`` is None, it lists the columns.
    """
    examples = read_texts(file, root, first, second, label)
    reader = reader or tokenizer_of(tokenizer, examples, root)
    template = _template(tokenizer, reader)
    tokens = tokenise(examples, reader)
    counts = _count(Path(file).name, examples, root)
    labels = examples.label_names if label else ()
    return Texts(counts, tokens, template, labels, unknown_share(tokens, reader))


def _template(name: str, tokenizer: Tokenizer) -> InputTemplate:
    try:
        return InputTemplate.of(tokenizer)
    except InputError as error:
        raise InputError(f"tokenizer {name!r}: {error}") from error


def build_tokenizer(plan: DataPlan, train: Examples, root: Path | None) -> Tokenizer:
    """The tokeniser that ``plan`` names, from its file or from the words of ``train``."""
    return tokenizer_of(plan.tokenizer, train, root, min_freq=plan.min_freq, lowercase=plan.lowercase)


def tokenizer_of(
    name: str, train: Examples, root: Path | None, *, min_freq: int = 1, lowercase: bool = True
) -> Tokenizer:
    """The tokeniser of that name, as ``tokenizer.build``; a file is looked for below the data folder."""
    if name not in tokenizers.WORD_TOKENIZERS:
        if not Path(name).suffix:  # rather a misspelt name than a file
            known = nearest(name, tokenizers.WORD_TOKENIZERS)
            known += "" if known.endswith("?") else "."
            raise InputError(f"tokenizer {name!r}: {known} Or name a vocab.txt, a tokenizer.json or weights")
        name = str(find(name, root))
    return tokenizers.build(name, _texts(train), min_freq=min_freq, lowercase=lowercase)


def read_splits(plan: DataPlan, root: Path | None) -> dict[str, Examples]:
    """The texts of every split that ``plan`` names: train, validation, then the test sets.

    root: the folder given by ``--data``. InputError where a file is missing or wrong, where labels or the
    number of texts disagree, and where a split is empty.
    """
    train = _read(plan.train, root)
    if isinstance(plan.validation, SplitSource):
        examples = {"train": train, "validation": _read(plan.validation, root, train.label_names)}
    else:
        held_out = hold_out(train, plan.validation, plan.validation_seed)
        examples = {
            "train": train.take(np.flatnonzero(~held_out)),
            # Rows dropped from the file are counted once.
            "validation": replace(train.take(np.flatnonzero(held_out)), dropped=0),
        }
    for name, source in plan.tests.items():
        examples[name] = _read(source, root, train.label_names)
    if len(set(train.labels.tolist())) == 1:
        only = as_words(float(train.labels[0]), train.label_names)
        raise InputError(
            f"{train.source}: every row has the label {only!r}; use a label column with at least two labels"
        )
    _check_spelling(train)
    _check_rankings(examples)
    for name, split in examples.items():
        if not len(split):
            mend = "name other rows"
            if name == "train":
                mend = "hold out a smaller share, or take a larger sample"
                if len(np.unique(train.clusters)) == 1:
                    mend = (
                        "all rows are of one cluster, which is held out whole; name another column, or leave "
                        "'cluster' out"
                    )
            raise InputError(f"data: split {name} is empty; {mend}")
        if name not in ("train", "validation") and split.target == "score" and np.ptp(split.labels) == 0:
            raise InputError(
                f"{split.source}: every score of {name} is {split.labels[0]:g}, with which nothing "
                "correlates; name rows whose scores differ"
            )
        if (split.second is None) != (train.second is None):
            raise InputError(f"data: train and {name} must both have a second text, or neither")
    return examples


def _check_rankings(examples: Mapping[str, Examples]) -> None:
    """InputError where a test set has nothing to rank: no query with a relevant row, or one query alone."""
    for name, split in examples.items():
        if split.queries is None or name in ("train", "validation") or not len(split):
            continue
        relevant = split.labels > 0
        if not relevant.any():
            raise InputError(
                f"{split.source}: no row of {name} is relevant to its query; name rows of which some have a "
                "relevance above 0"
            )
        if split.queries.max() == 0:
            raise InputError(
                f"{split.source}: all rows of {name} belong to one query, so that nothing can be said of "
                "others; name the column of queries with query = 'COLUMN', or rows of several"
            )
        judged = np.isin(split.queries, split.queries[relevant])
        if not (judged & ~relevant).any():
            raise InputError(
                f"{split.source}: every query of {name} with a relevant row has no other rows, so that any "
                "ranking is right; name the column of queries with query = 'COLUMN'"
            )
        for what, units in (("query with a relevant row", split.queries), ("cluster", split.clusters)):
            if len(np.unique(units[relevant])) == 1:
                raise InputError(
                    f"{split.source}: {name} has one {what}, so that nothing can be said of others; name "
                    "rows of several"
                )


def _check_spelling(train: Examples) -> None:
    """InputError where two labels differ in white space or case alone: they would be two classes."""
    known: dict[str, str] = {}
    for label in train.label_names:
        other = known.setdefault(" ".join(label.split()).casefold(), label)
        if other != label:
            raise InputError(
                f"{train.source}: the labels {other!r} and {label!r} differ in white space or case alone; "
                "write them alike, or give them names that differ"
            )


def _read(source: SplitSource, root: Path | None, labels: tuple[str, ...] | None = None) -> Examples:
    options = dict(source.options)
    # A reader that knows the labels can name the line with an unknown one.
    if labels and "labels" in options_of(source.reader):
        options.setdefault("labels", list(labels))
    examples = read(source.reader, source.split, root, **options)
    return examples.relabel(labels) if labels else examples


def _texts(examples: Examples) -> Iterator[str]:
    yield from examples.first
    yield from examples.second or ()


def _rows_of_texts(examples: Examples) -> Iterator[tuple[str, str]]:
    return zip(examples.first, examples.second or repeat(""), strict=False)


def _count(split: str, examples: Examples, root: Path | None) -> Counts:
    clusters = int(examples.clusters.max()) + 1
    source = examples.source
    if root or os.environ.get("TRIMTAB_DATA"):
        # Relative to the data folder, so that reports do not depend on where that is.
        source = source.removeprefix(f"{root or os.environ['TRIMTAB_DATA']}/")
    queries = ranked = 0
    if examples.queries is not None:
        queries = int(examples.queries.max()) + 1
        ranked = len(np.unique(examples.queries[examples.labels > 0]))
    return Counts(
        split,
        source,
        len(examples),
        examples.dropped,
        clusters,
        queries=queries,
        ranked=ranked,
        quoted=quoted(_texts(examples)),
    )
