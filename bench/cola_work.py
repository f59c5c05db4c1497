"""The work of CoLA's epoch: the third tutorial's rows, tokens, recipe and padded inputs."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from trimtab.config import InputError
from trimtab.data import files, read
from trimtab.data.pairs import Pairs, make_pairs
from trimtab.data.tokenizer import build, special_tokens
from trimtab.data.tokens import Tokens, encode
from trimtab.model.sizes import Architecture, architecture
from trimtab.training.recipe import Recipe
from trimtab.truncation import parse

LENGTHS = (64, 128)
CLASSES = 2
TRAINED = 0.9  # of the training rows; the tutorial holds the rest out
VOCABULARY_FILE = "bert-vocab/vocab.txt"


@dataclass(frozen=True, eq=False)
class Work:
    """What every contestant is given.

    pairs: the packed inputs by max_len, of all rows; size; vocabulary: rows of the token table; pad: the id
    that a padded row is filled with; batch: rows a step.
    """

    pairs: dict[int, Pairs]
    size: Architecture
    vocabulary: int
    pad: int
    batch: int

    @property
    def rows(self) -> int:
        """Rows that there are, of which batches are drawn."""
        return len(self.pairs[LENGTHS[0]])

    @property
    def epoch_rows(self) -> int:
        """Rows of one epoch: those that are trained on."""
        return int(TRAINED * self.rows)

    @property
    def recipe(self) -> Recipe:
        """The tutorial's: AdamW at 2e-5, linear to 0 over four epochs without warm-up, clipped at 1.0."""
        return Recipe(epochs=4, batch_size=self.batch, learning_rate=2e-5, warmup=0)

    def batches(self, steps: int, seed: int) -> list[NDArray[np.int64]]:
        """``steps`` batches of rows drawn at random, no row twice in one; the seed fixes them."""
        rng = np.random.default_rng(seed)
        return [rng.choice(self.rows, self.batch, replace=False) for _ in range(steps)]

    def tokens(self, index: NDArray[np.int64], max_len: int) -> int:
        """Real tokens of the rows ``index``, special tokens included."""
        return int(self.pairs[max_len].tokens.lengths[index].sum())

    def padded(self, max_len: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Every row filled up to ``max_len``, and 1 where it is real: both (rows, max_len)."""
        rows = self.pairs[max_len].tokens
        real = np.arange(max_len) < rows.lengths[:, None]
        ids = np.full(real.shape, self.pad, np.int64)
        ids[real] = rows.values
        return ids, real.astype(np.int64)

    def describe(self) -> dict[str, object]:
        """The numbers that say what was done, for the record."""
        lengths = self.pairs[LENGTHS[-1]].tokens.lengths
        return {
            "size": str(self.size),
            "vocabulary": self.vocabulary,
            "dropout": self.size.dropout,
            "rows an epoch": self.epoch_rows,
            "batch": self.batch,
            "optimiser": "AdamW, 2e-5, linear, clipped at 1",
            "tokens a row": round(float(lengths.mean()), 2),
            "longest row": int(lengths.max()),
        }


def load(data: Path | None, *, rows: int | None, size: str, batch: int) -> Work:
    """Read ``rows`` (None: all) of CoLA's training sentences below ``data``, else TRIMTAB_DATA, as WordPiece.

    InputError where a file is missing or wrong, or the rows are fewer than the batch.
    """
    examples = read("cola", "train", data)
    if rows is not None:
        examples = examples.take(np.arange(min(rows, len(examples))))
    tokenizer = build(str(files.find(VOCABULARY_FILE, data)), [], min_freq=1)
    return make_work(examples.first, examples.labels, tokenizer, size=size, batch=batch)


def make_work(
    texts: list[str], labels: NDArray[np.int64], tokenizer: Tokenizer, *, size: str, batch: int
) -> Work:
    """The work on some sentences; InputError where they are fewer than the batch."""
    if len(texts) < batch:
        raise InputError(f"--batch: {batch} rows of {len(texts)}; take a smaller batch, or more rows")
    tokens = Tokens(encode(texts, tokenizer), None, labels, np.arange(len(texts)), None, Path())
    special, cut = special_tokens(tokenizer), parse("longest_first")
    pairs = {max_len: make_pairs(tokens, cut, max_len, special) for max_len in LENGTHS}
    words = tokenizer.get_vocab()
    return Work(pairs, architecture(size), len(words), words["[PAD]"], batch)
