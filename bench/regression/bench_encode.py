"""The encoder's forward pass: a representation of every token of a packed batch."""

from typing import Any

import numpy as np
import pytest
import torch

from bench.regression.workload import TEMPLATE, VOCABULARY, full_rows
from trimtab.data.batches import make_batch
from trimtab.data.pairs import Pairs, make_pairs
from trimtab.model.encoder import Encoder
from trimtab.model.initialise import initialise
from trimtab.model.sizes import architecture
from trimtab.truncation import parse

ROWS = {"tiny": 512, "small": 512, "medium": 64, "base": 16, "large": 8, "minilm": 64}
LONG_ROWS = 64
CPU = torch.device("cpu")


@pytest.mark.parametrize("size", ROWS)
def bench_encode(benchmark: Any, pairs: Pairs, size: str) -> None:
    """Rows of SNLI's lengths."""
    _encode(benchmark, pairs, size, ROWS[size])


def bench_encode_long(benchmark: Any) -> None:
    """64 rows of 128 tokens each, through `small`: attention weighs more there."""
    pairs = make_pairs(full_rows(LONG_ROWS, 128), parse("longest_first"), 128, TEMPLATE)
    _encode(benchmark, pairs, "small", LONG_ROWS)


def _encode(benchmark: Any, pairs: Pairs, size: str, rows: int) -> None:
    asked = architecture(size)
    encoder = Encoder(asked, VOCABULARY)
    initialise(encoder, 0, asked.initial_deviation)
    encoder.eval()
    batch = make_batch(pairs, np.arange(rows), CPU)

    def forward() -> torch.Tensor:
        with torch.no_grad():
            return encoder(batch)

    found = benchmark.pedantic(forward, rounds=6, warmup_rounds=1)
    assert found.shape == (len(batch.tokens), asked.hidden)
    benchmark.extra_info["tokens_per_second"] = round(len(batch.tokens) / benchmark.stats.stats.median)
