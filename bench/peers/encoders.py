"""Fine-tuning encoders that people deploy, at their usual batch size: transformers' Trainer and trimtab.

Pretrained weights on rows of SNLI and of BoolQ, whose passages are long: against the Trainer with random
batches and with batches grouped by length, each with the attention that transformers takes by itself.
"""

import argparse
from pathlib import Path
from typing import Any, NamedTuple

from bench.peers import page
from bench.peers.machine import has_amx, precisions, signed
from bench.peers.packed import Packed
from bench.peers.race import WARM, fastest, judged, race
from bench.peers.trainer import trainer_contestants
from bench.peers.work import Work, packed, some_rows
from trimtab.data import Examples, read
from trimtab.data.tokenizer import largest_id
from trimtab.model.initial_weights import initial_weights
from trimtab.model.loading import read as read_weights
from trimtab.training.recipe import Recipe

NAME = "encoders-cpu"  # of the files with the results
# Times the best setting of the Trainer, by whether the processor has AMX for bf16.
LIMITS = {True: 2.0, False: 1.0}
_SNLI = {
    "file": "snli/train_27k.tsv",
    "first": "sentence1",
    "second": "sentence2",
    "label": "gold_label",
    "labels": ["entailment", "contradiction", "neutral"],
}


class Case(NamedTuple):
    """A model on rows of a data set, cut to ``max_len``."""

    weights: str
    rows: str
    max_len: int


CASES = (Case("minilm", "SNLI", 128), Case("minilm", "BoolQ", 256), Case("mpnet", "SNLI", 128))


def run(asked: argparse.Namespace) -> None:
    """Measure the cases that are asked for; others stay in the files as they are."""
    chosen = [case for case in CASES if asked.weights in (None, case.weights)]
    kept = page.written(asked.out, NAME)
    found = {}
    for case in chosen:
        print(f"{case.weights} on {case.rows}", flush=True)
        work = load(case, asked.data, rows=asked.rows, batch=asked.batch)
        measured = measure(work, precisions(asked.bf16), asked.rounds, asked.steps)
        found[f"{case.weights} on {case.rows}"] = measured | {"signature": signed()}
    page.write(asked.out, NAME, kept | found, page.encoders)


def measure(work: Work, precisions: list[str], rounds: int, steps: int) -> dict[str, Any]:
    """Rates of all, and the ratios of trimtab's faster precision to each setting of the Trainer."""
    trainers = trainer_contestants(work, precisions)
    ours = [Packed(work, precision) for precision in precisions]
    records = race([*trainers, *ours], rounds, steps)
    peers, own = records[: len(trainers)], fastest(records[len(trainers) :])
    best = fastest(peers)
    limit = LIMITS[has_amx()]
    ratios = [judged(own, peer, limit if peer is best else None) for peer in peers]
    return {"work": work.describe(), "warm": WARM, "contestants": records, "ratios": ratios}


def load(case: Case, data: Path | None, *, rows: int | None, batch: int) -> Work:
    """The case's rows below ``data``, else TRIMTAB_DATA, read by the tokeniser of its weights.

    AdamW at 2e-5, constant, gradients not clipped. InputError where a file or the weights are missing.
    """
    weights, tokenizer = read_weights(case.weights, data)
    examples = some_rows(snli_or_boolq(case.rows, data), rows, batch)
    vocabulary = largest_id(tokenizer) + 1
    pad = next(word for word in ("[PAD]", "<pad>") if tokenizer.token_to_id(word) is not None)
    return Work(
        examples=examples,
        tokenizer=tokenizer,
        pairs=packed(examples, tokenizer, case.max_len),
        max_len=case.max_len,
        size=weights.parts.size,
        recipe=Recipe(batch_size=batch, learning_rate=2e-5, schedule="constant", warmup=0, clip=0),
        vocabulary=vocabulary,
        classes=tuple(examples.label_names),
        pad=pad,
        initial=initial_weights(weights, vocabulary),
    )


def snli_or_boolq(name: str, data: Path | None) -> Examples:
    """The rows of training of SNLI, and of validation of BoolQ."""
    return read("table", "train", data, **_SNLI) if name == "SNLI" else read("boolq", "validation", data)
