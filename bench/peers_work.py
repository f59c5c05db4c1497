"""The work that trimtab and its peers do alike: the same rows of SNLI, the same encoder, the same step."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer
from tokenizers.pre_tokenizers import BertPreTokenizer

from trimtab.config import InputError
from trimtab.data import read
from trimtab.data.examples import Examples
from trimtab.data.pairs import Pairs, make_pairs
from trimtab.data.tokenizer import SpecialTokens, build, special_tokens
from trimtab.data.tokens import Tokens, encode
from trimtab.model.sizes import Architecture, architecture
from trimtab.ragged import Ragged
from trimtab.training.recipe import Recipe
from trimtab.truncation import parse

LABELS = ["entailment", "contradiction", "neutral"]
MAX_LEN = 128
VOCABULARY = 60_005  # of d2l's bert.small
TRUNCATION = "longest_first"


@dataclass(frozen=True, eq=False)
class Work:
    """What every contestant is given.

    examples: the texts, words apart by blanks; tokenizer, special: trimtab's for these; first, second: ids of
    either side; pairs: the packed inputs at MAX_LEN; size; vocabulary: rows of the token table; batch: rows
    a step.
    """

    examples: Examples
    tokenizer: Tokenizer
    special: SpecialTokens
    pairs: Pairs
    size: Architecture
    vocabulary: int
    batch: int

    @property
    def recipe(self) -> Recipe:
        """Adam at the tutorial's constant 1e-4; gradients are not clipped."""
        return Recipe(
            batch_size=self.batch,
            optimizer="adam",
            learning_rate=1e-4,
            schedule="constant",
            warmup=0,
            clip=0,
        )

    def batches(self, steps: int, seed: int) -> list[NDArray[np.int64]]:
        """``steps`` batches of rows drawn at random, no row twice in one; the seed fixes them."""
        rng = np.random.default_rng(seed)
        return [rng.choice(len(self.pairs), self.batch, replace=False) for _ in range(steps)]

    def tokens(self, index: NDArray[np.int64]) -> int:
        """Real tokens of the rows ``index``, special tokens included."""
        return int(self.pairs.tokens.lengths[index].sum())

    def segments(self, row: int) -> list[int]:
        """Segment ids of one row, as long as it is."""
        first, whole = int(self.pairs.first_lengths[row]), int(self.pairs.tokens.lengths[row])
        return [0] * first + [1] * (whole - first)

    @property
    def pad(self) -> int:
        """The id that peers pad with."""
        return self.tokenizer.get_vocab()["<pad>"]

    def describe(self) -> dict[str, object]:
        """The numbers that say what was done, for the record."""
        lengths = self.pairs.tokens.lengths
        return {
            "size": str(self.size),
            "activation": self.size.activation,
            "dropout": self.size.dropout,
            "vocabulary": self.vocabulary,
            "words in use": self.tokenizer.get_vocab_size(),
            "classes": len(LABELS),
            "max_len": MAX_LEN,
            "batch": self.batch,
            "optimiser": "Adam, 1e-4, not clipped",
            "rows": len(self.pairs),
            "tokens a row": round(float(lengths.mean()), 2),
            "longest row": int(lengths.max()),
        }


def load(data: Path | None, *, rows: int | None, size: str, vocabulary: int, batch: int) -> Work:
    """Read ``rows`` (None: all) of snli/train_27k.tsv below ``data``, else TRIMTAB_DATA, and tokenise them.

    The texts are split into words first, as SNLI's parses that d2l reads are, so that all do the same work.
    Every word is in the vocabulary. ``size`` is taken in d2l's flavour. Raises InputError where the file is
    missing or wrong, the rows are fewer than the batch or the words more than ``vocabulary``.
    """
    examples = read("table", "train", data, file="snli/train_27k.tsv", **_COLUMNS, labels=LABELS)
    if rows is not None:
        examples = examples.take(np.arange(min(rows, len(examples))))
    if len(examples) < batch:
        raise InputError(f"--batch: {batch} rows of {len(examples)}; take a smaller batch, or more rows")
    examples = _split(examples)
    tokenizer = build("whitespace", [*examples.first, *(examples.second or [])], min_freq=1)
    if tokenizer.get_vocab_size() > vocabulary:
        words = tokenizer.get_vocab_size()
        raise InputError(f"--vocabulary: {vocabulary} is under the {words} words in use; take more")
    flavour = architecture(size, activation="relu", embedding_norm=False, epsilon=1e-5)
    special = special_tokens(tokenizer)
    return Work(
        examples, tokenizer, special, _pairs(examples, tokenizer, special), flavour, vocabulary, batch
    )


_COLUMNS = {"first": "sentence1", "second": "sentence2", "label": "gold_label"}


def _split(examples: Examples) -> Examples:
    splitter = BertPreTokenizer()

    def words(texts: list[str]) -> list[str]:
        return [" ".join(word for word, _ in splitter.pre_tokenize_str(text)) for text in texts]

    return replace(examples, first=words(examples.first), second=words(examples.second or []))


def _pairs(examples: Examples, tokenizer: Tokenizer, special: SpecialTokens) -> Pairs:
    first, second = encode(examples.first, tokenizer), encode(examples.second or [], tokenizer)
    tokens = Tokens(first, second, examples.labels, examples.clusters, None, Path())
    return make_pairs(tokens, parse(TRUNCATION), MAX_LEN, special)


def padded(rows: Ragged, length: int, fill: int) -> NDArray[np.int64]:
    """``rows`` as a matrix (rows, length), each filled up at its end."""
    matrix = np.full((len(rows), length), fill, np.int64)
    matrix[np.arange(length) < rows.lengths[:, None]] = rows.values
    return matrix
