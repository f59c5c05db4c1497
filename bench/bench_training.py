"""The hot paths of training: a batch, a step. Run with ``make bench``."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from trimtab.data.batches import make_batch
from trimtab.data.pairs import Pairs, make_pairs
from trimtab.data.tokenizer import SpecialTokens
from trimtab.data.tokens import Tokens
from trimtab.model.dropout import seed_dropout
from trimtab.model.encoder import Classifier
from trimtab.model.initialise import generator_of, initialise
from trimtab.model.sizes import architecture
from trimtab.ragged import Ragged, offsets_of
from trimtab.training.loop import Machinery, training_step
from trimtab.training.optimizer import make_optimizer
from trimtab.training.recipe import Recipe
from trimtab.truncation import parse

PAIRS = 200_000
ROWS = 250
SPECIAL = SpecialTokens(3, 4)


@pytest.fixture(scope="module")
def tokens() -> Tokens:
    """Random pairs with SNLI's mean lengths, about 15 + 8 tokens."""
    generator = np.random.default_rng(0)

    def side(mean: int) -> Ragged:
        lengths = generator.poisson(mean, PAIRS)
        return Ragged(generator.integers(5, 8_000, lengths.sum(), dtype=np.int32), offsets_of(lengths))

    labels = generator.integers(0, 3, PAIRS)
    return Tokens(side(15), side(8), labels, np.arange(PAIRS), None, Path())


@pytest.fixture(scope="module")
def pairs(tokens: Tokens) -> Pairs:
    """The same, uncut."""
    return make_pairs(tokens, parse("longest_first"), 128, SPECIAL)


def bench_batch(benchmark: Any, pairs: Pairs) -> None:
    """Gather 512 random rows into a packed batch."""
    index = np.random.default_rng(1).permutation(len(pairs))[:512]
    benchmark(make_batch, pairs, index, torch.device("cpu"))


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def bench_training_step(benchmark: Any, pairs: Pairs, precision: str) -> None:
    """A step of `small` on 250 random rows, dropout included."""
    size = architecture("small")
    recipe = Recipe(batch_size=ROWS)
    model = Classifier(size, 8_000, 3)
    initialise(model, 0, size.initial_deviation)
    seed_dropout(model, generator_of(0, "dropout"))
    optimizer = make_optimizer(model, recipe)
    rows = iter(np.random.default_rng(2).permutation(len(pairs)).reshape(-1, ROWS))
    machinery = Machinery(torch.device("cpu"), precision)
    benchmark.pedantic(
        lambda: training_step(model, pairs, next(rows), recipe, optimizer, machinery),
        rounds=8,
        warmup_rounds=2,
    )
    benchmark.extra_info["examples_per_second"] = round(ROWS / benchmark.stats.stats.median)
