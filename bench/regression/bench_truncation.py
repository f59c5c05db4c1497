"""Cutting: splits of lengths, and inputs of a whole variant; bench_truncation_guards.py guards both."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from trimtab.data.input_template import bert_template
from trimtab.data.pairs import make_pairs
from trimtab.data.tokenizer import SpecialTokens
from trimtab.data.tokens import Tokens, load
from trimtab.truncation import parse

LENGTH_PAIRS = 10_000_000
PAIRS = 500_000
BUDGET = 17
TEMPLATE = bert_template(SpecialTokens(3, 4))
SPLITS = [
    "longest_first",
    "longest_first(tie=hf_fast)",
    "longest_first(tie=tf_text)",
    "ratio",
    "only_first(otherwise=longest_first)",
    "only_second(otherwise=longest_first)",
    "first_priority",
    "second_priority",
    "fixed",
]
SELECTIONS = ["head", "tail", "middle", "head_tail", "random", "salient"]


@pytest.fixture(scope="module")
def lengths() -> NDArray[np.int64]:
    """Lengths of both sides, (2, pairs): most pairs are cut."""
    return np.random.default_rng(0).poisson([[15], [8]], (2, LENGTH_PAIRS))


@pytest.fixture(scope="module")
def tokens(tmp_path_factory: pytest.TempPathFactory) -> Tokens:
    """Random pairs of SNLI's mean lengths, mapped from disk as a study finds them in its cache."""
    folder: Path = tmp_path_factory.mktemp("tokens")
    generator = np.random.default_rng(0)
    for side, mean in (("first", 15), ("second", 8)):
        offsets = np.concatenate([[0], np.cumsum(generator.poisson(mean, PAIRS))])
        # As in a text, a token's frequency falls with its rank.
        values = (generator.pareto(1.0, offsets[-1]) * 20).clip(max=8_000).astype(np.int16) + 5
        np.save(folder / f"{side}_values.npy", values)  # two bytes, as such a vocabulary needs
        np.save(folder / f"{side}_offsets.npy", offsets)
    np.save(folder / "labels.npy", generator.integers(0, 3, PAIRS))
    np.save(folder / "clusters.npy", np.arange(PAIRS))
    return load(folder)


@pytest.mark.parametrize("spec", SPLITS)
def bench_split(benchmark: Any, lengths: NDArray[np.int64], spec: str) -> None:
    """Ten million pairs of lengths."""
    truncation = parse(spec)
    benchmark.pedantic(truncation.split, (*lengths, BUDGET), rounds=5, warmup_rounds=1)
    _note_rate(benchmark, LENGTH_PAIRS)


@pytest.mark.parametrize("selection", SELECTIONS)
def bench_variant(benchmark: Any, tokens: Tokens, selection: str) -> None:
    """Half a million pairs from cached tokens to packed inputs."""
    assert tokens.second is not None
    truncation = parse(f"longest_first+{selection}").fit(tokens.first, tokens.second)
    benchmark.pedantic(make_pairs, (tokens, truncation, BUDGET + 3, TEMPLATE), rounds=5, warmup_rounds=1)
    _note_rate(benchmark, PAIRS)


def _note_rate(benchmark: Any, rows: int) -> None:
    benchmark.extra_info["pairs_per_second"] = round(rows / benchmark.stats.stats.median)
