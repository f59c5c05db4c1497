"""Tokenising: counting words, encoding texts, and a split from the cache; the guard is one text at a time."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tokenizers import Tokenizer

from bench.regression.workload import snli_like_texts
from trimtab.data.encoding import encode
from trimtab.data.examples import Examples
from trimtab.data.tokenizer import SPECIAL_TOKENS, build
from trimtab.data.tokens import tokenise

PAIRS = 30_000
GUARDED = 6_000  # texts of each side: a fraction of a second for the oracle


@pytest.fixture(scope="module")
def texts() -> Examples:
    """Pairs of which three share a first text."""
    return snli_like_texts(PAIRS)


@pytest.fixture(scope="module", params=["whitespace", "wordpiece"])
def tokenizer(request: pytest.FixtureRequest, texts: Examples, tmp_path_factory: Any) -> Tokenizer:
    """Words that are split already, or pieces of them: every word's first four letters, then single ones."""
    if request.param == "whitespace":
        return build("whitespace", _all(texts), min_freq=1)
    letters = [chr(code) for code in range(ord("a"), ord("z") + 1)]
    starts = sorted({word[:4] for text in texts.first for word in text.split()})
    path: Path = tmp_path_factory.mktemp("vocabulary") / "vocab.txt"
    ids = ["[UNK]", "[CLS]", "[SEP]", *letters, *(f"##{letter}" for letter in letters), *starts]
    path.write_text("\n".join(dict.fromkeys(ids)) + "\n")
    return build(str(path), (), min_freq=1)


def bench_vocabulary(benchmark: Any, texts: Examples) -> None:
    """Counting the words of 60,000 texts."""
    found = benchmark.pedantic(
        lambda: build("whitespace", _all(texts), min_freq=1), rounds=5, warmup_rounds=1
    )
    assert found.get_vocab_size() > len(SPECIAL_TOKENS)


def bench_tokenise_cold(benchmark: Any, texts: Examples, tokenizer: Tokenizer, own_cache: Path) -> None:
    """30,000 pairs encoded, written to an empty cache and mapped."""

    def empty() -> None:
        shutil.rmtree(own_cache / "tokens", ignore_errors=True)

    benchmark.pedantic(tokenise, (texts, tokenizer), setup=empty, rounds=5)
    benchmark.extra_info["pairs_per_second"] = round(PAIRS / benchmark.stats.stats.median)


def bench_tokenise_warm(benchmark: Any, texts: Examples, tokenizer: Tokenizer) -> None:
    """The same from the cache: its key, its sums, the mapping."""
    benchmark.pedantic(tokenise, (texts, tokenizer), rounds=5, warmup_rounds=1)


@pytest.mark.parametrize(
    "tokenizer",
    [
        pytest.param("whitespace", marks=pytest.mark.guard(2)),  # measured: 5.1 (a throttled machine) to 8.7
        pytest.param("wordpiece", marks=pytest.mark.guard(4)),  # measured: 9.9 (a throttled machine) to 18
    ],
    indirect=True,
)
def bench_encode_guard(guard: Callable[..., None], texts: Examples, tokenizer: Tokenizer) -> None:
    """Both sides of 6,000 pairs against encoding each text by itself.

    On one thread, batches save little: most of the ratio is that a repeated word or text is encoded once.
    """
    assert texts.second is not None
    sides = texts.first[:GUARDED], texts.second[:GUARDED]

    def one_at_a_time() -> list[np.ndarray]:
        return [
            np.concatenate([np.array(_ids(tokenizer, text), np.int32) for text in side]) for side in sides
        ]

    assert all(
        (encode(side, tokenizer).values == alone).all()
        for side, alone in zip(sides, one_at_a_time(), strict=True)
    )
    guard(lambda: [encode(side, tokenizer) for side in sides], one_at_a_time)


def _ids(tokenizer: Tokenizer, text: str) -> list[int]:
    ids: list[int] = tokenizer.encode(text, add_special_tokens=False).ids
    return ids


def _all(texts: Examples) -> Iterator[str]:
    yield from texts.first
    yield from texts.second or ()
