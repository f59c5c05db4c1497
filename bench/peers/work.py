"""The work that all contestants do: rows, the size of the encoder, the recipe, and how batches are drawn."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer
from torch import Tensor

from trimtab.config import InputError
from trimtab.data.examples import Examples
from trimtab.data.pairs import Pairs, make_pairs
from trimtab.data.tokenizer import SpecialTokens, special_tokens
from trimtab.data.tokens import Tokens, encode
from trimtab.model.architecture import Architecture
from trimtab.ragged import Ragged
from trimtab.training.recipe import Recipe
from trimtab.truncation import parse

TRUNCATION = "longest_first"


@dataclass(frozen=True, eq=False)
class Batches:
    """Random batches of ``batch`` rows. lengths (rows,): the real tokens of each, special ones included."""

    lengths: NDArray[np.integer]
    batch: int

    def draw(self, steps: int, seed: int) -> list[NDArray[np.int64]]:
        """``steps`` batches of row numbers, no row twice in one; the seed determines them."""
        rng = np.random.default_rng(seed)
        return [rng.choice(len(self.lengths), self.batch, replace=False) for _ in range(steps)]

    def tokens(self, index: NDArray[np.int64]) -> int:
        """Real tokens of the rows ``index``."""
        return int(self.lengths[index].sum())


@dataclass(frozen=True, eq=False, kw_only=True)
class Work:
    """The classification of texts that every contestant is given.

    examples: the texts; tokenizer; pairs: the packed inputs, truncated to ``max_len``; size; recipe;
    vocabulary: rows of the token table; classes: names of the labels; pad: the token that peers pad with;
    initial: pretrained tensors that trimtab starts from, as the time of a step may depend on the numbers.
    """

    examples: Examples
    tokenizer: Tokenizer
    pairs: Pairs
    max_len: int
    size: Architecture
    recipe: Recipe
    vocabulary: int
    classes: tuple[str, ...]
    pad: str
    initial: Mapping[str, Tensor] | None = None

    @property
    def rows(self) -> Batches:
        """The rows, of which batches are drawn."""
        return Batches(self.pairs.tokens.lengths, self.recipe.batch_size)

    @property
    def pad_id(self) -> int:
        """The id of ``pad``."""
        return self.tokenizer.get_vocab()[self.pad]

    @property
    def special(self) -> SpecialTokens:
        """The tokens around a pair."""
        return special_tokens(self.tokenizer)

    def describe(self) -> dict[str, object]:
        """What stands in the record about the work."""
        lengths = self.pairs.tokens.lengths
        return {
            "size": str(self.size),
            "activation": self.size.activation,
            "dropout": self.size.dropout,
            "vocabulary": self.vocabulary,
            "words in use": self.tokenizer.get_vocab_size(),
            "classes": len(self.classes),
            "max_len": self.max_len,
            "batch": self.recipe.batch_size,
            "optimiser": _optimiser(self.recipe),
            "rows": len(self.pairs),
            "tokens per row": round(float(lengths.mean()), 2),
            "longest row": int(lengths.max()),
        }


def _optimiser(recipe: Recipe) -> str:
    name = {"adam": "Adam", "adamw": "AdamW"}[recipe.optimizer]
    clip = f"clipped at {recipe.clip:g}" if recipe.clip else "not clipped"
    return f"{name}, {recipe.learning_rate:g}, {recipe.schedule}, {clip}"


def packed(examples: Examples, tokenizer: Tokenizer, max_len: int) -> Pairs:
    """The packed inputs of ``examples``, without the cache on disk."""
    first = encode(examples.first, tokenizer)
    second = None if examples.second is None else encode(examples.second, tokenizer)
    tokens = Tokens(first, second, examples.labels, examples.clusters, None, Path())
    return make_pairs(tokens, parse(TRUNCATION), max_len, special_tokens(tokenizer))


def some_rows(examples: Examples, rows: int | None, batch: int) -> Examples:
    """The first ``rows`` (None: all); InputError where these are fewer than a batch."""
    found = examples if rows is None else examples.take(np.arange(min(rows, len(examples))))
    if len(found) < batch:
        raise InputError(
            f"--batch: {batch} rows per batch, but only {len(found)} rows; take a smaller batch, or more rows"
        )
    return found


def padded(rows: Ragged, length: int, fill: int) -> NDArray[np.int64]:
    """``rows`` as a matrix (rows, length), each filled up at its end."""
    matrix = np.full((len(rows), length), fill, np.int64)
    matrix[np.arange(length) < rows.lengths[:, None]] = rows.values
    return matrix


def segments(pairs: Pairs, index: NDArray[np.integer], length: int) -> NDArray[np.int64]:
    """Segment ids (rows, length) of the rows ``index``: 1 for tokens of the second text, else 0."""
    place = np.arange(length)
    first, whole = pairs.first_lengths[index][:, None], pairs.tokens.lengths[index][:, None]
    return ((place >= first) & (place < whole)).astype(np.int64)
