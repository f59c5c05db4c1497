"""What benchmarks work on: rows with SNLI's lengths, made here, so that they are alike on every machine."""

from pathlib import Path

import numpy as np

from trimtab.data.examples import Examples
from trimtab.data.input_template import bert_template
from trimtab.data.readers import read
from trimtab.data.tokenizer import SpecialTokens
from trimtab.data.tokens import Tokens
from trimtab.ragged import Ragged, offsets_of

VOCABULARY = 8_000
CLASSES = 3
SPECIAL = SpecialTokens(3, 4)
TEMPLATE = bert_template(SPECIAL)
HYPOTHESES = 3  # to a premise


def snli_like(rows: int) -> Tokens:
    """Pairs of about 15 + 8 random tokens, whose frequency falls with their rank, as in a text."""
    random = np.random.default_rng(0)

    def side(mean: int) -> Ragged:
        offsets = offsets_of(random.poisson(mean, rows))
        ranks = (random.pareto(1.0, offsets[-1]) * 20).clip(max=VOCABULARY - 6)
        return Ragged(ranks.astype(np.int32) + 5, offsets)

    return Tokens(side(15), side(8), random.integers(0, CLASSES, rows), np.arange(rows), None, Path())


def full_rows(rows: int, length: int) -> Tokens:
    """Pairs of random tokens that have ``length`` tokens or more, so that a cut to it leaves each as long."""
    random = np.random.default_rng(0)
    values = random.integers(5, VOCABULARY, rows * length, dtype=np.int32)
    side = Ragged(values, offsets_of(np.full(rows, length)))
    return Tokens(side, side, random.integers(0, CLASSES, rows), np.arange(rows), None, Path())


def snli_like_texts(rows: int) -> Examples:
    """Pairs of texts of 8 to 22 and 4 to 12 words, each first text in three of them."""
    made = read("probe", "train", train=rows, first_length=[8, 22], second_length=[4, 12])
    first = [made.first[row - row % HYPOTHESES] for row in range(rows)]
    clusters = np.arange(rows) // HYPOTHESES
    return Examples(first, made.second, made.labels, made.label_names, clusters)
