"""Scoring pairs with a cross-encoder: sentence-transformers' CrossEncoder.predict and trimtab's predict.

The body of minilm, as the usual small rerankers have it, under a random head with one output, on pairs of
SNLI and of BoolQ, from texts to scores, in fp32. CrossEncoder sorts by length and takes batches of 32, its
default.
"""

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from bench.peers import page
from bench.peers.encoders import snli_or_boolq
from bench.peers.machine import signed
from bench.peers.race import ratio, spread
from bench.peers.work import some_rows
from trimtab.data import Examples
from trimtab.data.tokenizer import largest_id
from trimtab.deploy.exported import read
from trimtab.deploy.prediction import predict
from trimtab.model import weights_hf
from trimtab.model.building import begun
from trimtab.model.initial_weights import initial_weights
from trimtab.model.loading import read as read_weights
from trimtab.model.weights import weights_of

NAME = "scoring-cpu"  # of the files with the results
PEER = "sentence_transformers"
LEAST = 1.5  # times as many pairs a second, on either
WARM = 64  # pairs that each scores before the first round
ROWS = {"SNLI": 4, "BoolQ": 1}  # of a turn, in units of the rows that are asked for

Scorer = Callable[[list[str], list[str]], NDArray[Any]]


def run(asked: argparse.Namespace) -> None:
    """Measure on SNLI and on BoolQ."""
    found = {}
    if asked.threads:
        torch.set_num_threads(asked.threads)
    with tempfile.TemporaryDirectory() as folder:
        write_model(Path(folder), asked.data)
        contestants = {"sentence-transformers": theirs(folder), "trimtab": ours(Path(folder))}
        for name, times in ROWS.items():
            examples = some_rows(snli_or_boolq(name, asked.data), times * asked.rows, 1)
            found[name] = measure(contestants, examples, asked.rounds) | {"signature": signed((PEER,))}
    page.write(asked.out, NAME, found, page.scoring)


def write_model(folder: Path, data: Path | None) -> None:
    """A cross-encoder with minilm's body and a random head, as transformers would save it."""
    weights, tokenizer = read_weights("minilm", data)
    size, vocabulary = weights.parts.size, largest_id(tokenizer) + 1
    model = begun(size, vocabulary, 1, 0, initial_weights(weights, vocabulary), 0)
    weights_hf.write(folder, weights_of(model, size, ("LABEL_0",)), tokenizer)


def theirs(folder: str) -> Scorer:
    """CrossEncoder's predict with its defaults."""
    from sentence_transformers import CrossEncoder

    model = CrossEncoder(folder, device="cpu")
    return lambda first, second: model.predict(list(zip(first, second, strict=True)), show_progress_bar=False)


def ours(folder: Path) -> Scorer:
    """trimtab's predict."""
    classifier = read(folder)
    return lambda first, second: predict(classifier, first, second).scores


def measure(contestants: dict[str, Scorer], examples: Examples, rounds: int) -> dict[str, Any]:
    """Pairs a second of each, in turns, and the largest difference of their scores.

    Seconds of the clock, and of the processor, which other processes on the machine do not lengthen: by these
    the limit is judged.
    """
    first, second = examples.first, examples.second or []
    for score in contestants.values():
        score(first[:WARM], second[:WARM])
    rates: dict[str, list[float]] = {name: [] for name in contestants}
    works: dict[str, list[float]] = {name: [] for name in contestants}
    scores: dict[str, NDArray[Any]] = {}
    for _ in range(rounds):
        for name, score in contestants.items():
            began, worked = time.perf_counter(), time.process_time()
            scores[name] = score(first, second)
            rates[name].append(len(first) / (time.perf_counter() - began))
            works[name].append(len(first) / (time.process_time() - worked))
            print(f"{name}: {rates[name][-1]:,.1f} pairs/s, {works[name][-1]:,.1f} of processor", flush=True)
    peer, own = scores.values()
    records = [
        {"name": name, "examples_per_second": spread(rates[name]), "per_cpu_second": spread(works[name])}
        for name in contestants
    ]
    by_clock, found = (
        ratio(*({"examples_per_second": each[key]} for each in reversed(records)))
        for key in ("examples_per_second", "per_cpu_second")
    )
    return {
        "work": {
            "pairs": len(first),
            "words per pair": round(
                float(np.mean([len(f"{a} {b}".split()) for a, b in zip(first, second, strict=True)])), 1
            ),
            "threads": torch.get_num_threads(),
        },
        "contestants": records,
        "ratio by the clock": by_clock,
        "ratio": found,
        "limit": LEAST,
        "met": found["median"] >= LEAST,
        "scores apart by at most": float(np.abs(peer - own).max()),
    }
