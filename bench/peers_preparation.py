"""Preparing the data: d2l's data set class against trimtab's tokenising and a variant's inputs."""

import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from peers_d2l import POOL, Rows, vocabulary
from peers_race import spread
from peers_work import MAX_LEN, TRUNCATION, Work, padded
from trimtab.data.pairs import Pairs, make_pairs
from trimtab.data.tokens import tokenise
from trimtab.truncation import parse


def prepare(work: Work, rounds: int) -> dict[str, Any]:
    """Pairs a second of both, in turns, and their ratio. ValueError where they made different inputs."""
    theirs, ours, cutting = [], [], []
    for _ in range(rounds):
        seconds, rows = d2l_rows(work)
        theirs.append(len(work.pairs) / seconds)
        tokenising, variant, pairs = packed_rows(work)
        ours.append(len(work.pairs) / (tokenising + variant))
        cutting.append(len(work.pairs) / variant)
        if not same(work, rows, pairs):
            raise ValueError("d2l and trimtab made different inputs of the same texts")
    return {
        "rows": len(work.pairs),
        "pool": POOL,
        "rates": {
            "d2l's data set class": spread(theirs),
            "trimtab, cold": spread(ours),
            "of these the variant's inputs": spread(cutting),
        },
        "ratio": spread([a / b for a, b in zip(ours, theirs, strict=True)]),
    }


def d2l_rows(work: Work) -> tuple[float, Rows]:
    """The seconds of d2l's whole preparation, and what it made. The vocabulary is given."""
    vocab, labels = vocabulary(work), work.examples.labels.tolist()
    sides = (work.examples.first, work.examples.second or [])
    began = time.perf_counter()
    rows = Rows(sides, labels, MAX_LEN, vocab)
    return time.perf_counter() - began, rows


def packed_rows(work: Work) -> tuple[float, float, Pairs]:
    """The seconds of tokenising into an empty cache and of a variant's inputs, and these. Same vocabulary."""
    with _empty_cache():
        began = time.perf_counter()
        tokens = tokenise(work.examples, work.tokenizer)
        between = time.perf_counter()
        pairs = make_pairs(tokens, parse(TRUNCATION), MAX_LEN, work.special)
        return between - began, time.perf_counter() - between, pairs


def same(work: Work, rows: Rows, pairs: Pairs) -> bool:
    """Whether d2l's padded rows hold exactly the packed ones, and padding."""
    ids = padded(pairs.tokens, MAX_LEN, work.pad)
    place = np.arange(MAX_LEN)
    segments = (place >= pairs.first_lengths[:, None]) & (place < pairs.tokens.lengths[:, None])
    return bool((rows.ids.numpy() == ids).all() and (rows.segments.numpy() == segments).all())


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
