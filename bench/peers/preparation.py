"""Preparing the data: d2l's data set class against trimtab's tokenising and one variant's inputs."""

import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from bench.peers.d2l import POOL, Rows, vocabulary
from bench.peers.race import spread
from bench.peers.work import TRUNCATION, Work, padded, segments
from trimtab.data.pairs import Pairs, make_pairs
from trimtab.data.tokens import tokenise
from trimtab.truncation import parse

LIMIT = 5.0  # times as fast as d2l


def preparation(work: Work, rounds: int) -> dict[str, Any]:
    """Pairs per second of both, in turns, their ratio and its limit. ValueError where the inputs differ."""
    theirs, ours, cutting = [], [], []
    for _ in range(rounds):
        seconds, rows = d2l_rows(work)
        theirs.append(len(work.pairs) / seconds)
        tokenising, variant, pairs = packed_rows(work)
        ours.append(len(work.pairs) / (tokenising + variant))
        cutting.append(len(work.pairs) / variant)
        if not same(work, rows, pairs):
            raise ValueError("d2l and trimtab made different inputs from the same texts")
    ratio = spread([a / b for a, b in zip(ours, theirs, strict=True)])
    return {
        "rows": len(work.pairs),
        "pool": POOL,
        "rates": {
            "d2l's data set class": spread(theirs),
            "trimtab, cold": spread(ours),
            "of these the variant's inputs": spread(cutting),
        },
        "ratio": ratio,
        "limit": LIMIT,
        "met": ratio["median"] >= LIMIT,
    }


def d2l_rows(work: Work) -> tuple[float, Rows]:
    """The seconds of d2l's whole preparation, given the vocabulary, and its result."""
    vocab, labels = vocabulary(work), work.examples.labels.tolist()
    sides = (work.examples.first, work.examples.second or [])
    began = time.perf_counter()
    rows = Rows(sides, labels, work.max_len, vocab)
    return time.perf_counter() - began, rows


def packed_rows(work: Work) -> tuple[float, float, Pairs]:
    """The seconds of tokenising into an empty cache, those of one variant's inputs, and these inputs."""
    with _empty_cache():
        began = time.perf_counter()
        tokens = tokenise(work.examples, work.tokenizer)
        between = time.perf_counter()
        pairs = make_pairs(tokens, parse(TRUNCATION), work.max_len, work.template)
        return between - began, time.perf_counter() - between, pairs


def same(work: Work, rows: Rows, pairs: Pairs) -> bool:
    """Whether d2l's padded rows hold exactly the packed ones, and padding."""
    ids = padded(pairs.tokens, work.max_len, work.pad_id)
    expected = segments(pairs, np.arange(len(pairs)), work.max_len)
    return bool((rows.ids.numpy() == ids).all() and (rows.segments.numpy() == expected).all())


@contextmanager
def _empty_cache() -> Iterator[None]:
    before = os.environ.get("TRIMTAB_CACHE")
    with tempfile.TemporaryDirectory() as folder:
        os.environ["TRIMTAB_CACHE"] = folder
        try:
            yield
        finally:
            del os.environ["TRIMTAB_CACHE"]
            if before is not None:
                os.environ["TRIMTAB_CACHE"] = before
