"""What max_len costs: an epoch of CoLA at 64 and at 128 tokens, padded as in a tutorial, and packed."""

import argparse
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer

from bench.peers import page
from bench.peers.machine import precisions, signed
from bench.peers.packed import NAME as TRIMTAB
from bench.peers.packed import Packed
from bench.peers.race import WARM, race, spread
from bench.peers.tutorial import Padded
from bench.peers.work import Work, packed, some_rows
from trimtab.data import Examples, files, read
from trimtab.data.tokenizer import build
from trimtab.model.sizes import architecture
from trimtab.training.recipe import Recipe

NAME = "cola-lengths"  # of the files with the results
LENGTHS = (64, 128)
TRAINED = 0.9  # share of the training rows in an epoch; the tutorial holds the others out
VOCABULARY_FILE = "bert-vocab/vocab.txt"
Found = dict[str, Any]


def run(asked: argparse.Namespace) -> None:
    """Measure and write."""
    works = load(asked.data, rows=asked.rows, size=asked.size, batch=asked.batch)
    found = measure(works, precisions(asked.bf16), asked.rounds, asked.steps)
    page.write(asked.out, NAME, found | {"signature": signed()}, page.cola)


def measure(works: list[Work], precisions: list[str], rounds: int, steps: int) -> Found:
    """Seconds per epoch by max_len, padding and precision, and the ratios between them."""
    epoch = int(TRAINED * len(works[0].pairs))
    ways = [
        (work, is_packed, precision)
        for precision in precisions
        for work in works
        for is_packed in (False, True)
    ]
    records = race([_contestant(*way, epoch) for way in ways], rounds, steps)
    made = [
        record | {"max_len": work.max_len, "packed": is_packed, "epoch_seconds": _epochs(record, epoch)}
        for (work, is_packed, _), record in zip(ways, records, strict=True)
    ]
    about = works[-1].describe() | {"max_len": list(LENGTHS), "rows per epoch": epoch}
    return {
        "work": about,
        "warm": WARM,
        "steps": steps,
        "rounds": rounds,
        "contestants": made,
        "ratios": _ratios(made),
    }


def _contestant(work: Work, is_packed: bool, precision: str, epoch: int) -> Packed | Padded:
    if is_packed:
        return Packed(work, precision, name=f"{TRIMTAB}, packed")
    return Padded(work, precision, steps=work.recipe.steps(epoch))


def _epochs(record: Found, rows: int) -> Found:
    return spread([rows / rate for rate in record["examples_per_second"]["by_round"]])


def _ratios(records: list[Found]) -> list[Found]:
    """What padding and max_len cost, round by round: seconds of the one over seconds of the other."""
    by = {(each["packed"], each["max_len"], each["precision"]): each for each in records}
    short, long = LENGTHS
    asked = []
    for precision in dict.fromkeys(each["precision"] for each in records):
        for length in LENGTHS:
            what = f"padded to {length} against packed, {precision}"
            asked.append((what, (False, length, precision), (True, length, precision)))
        for is_packed in (False, True):
            what = f"{'packed' if is_packed else 'padded'}, max_len {long} against {short}, {precision}"
            asked.append((what, (is_packed, long, precision), (is_packed, short, precision)))
    return [{"what": what, "ratio": _ratio(by[one], by[other])} for what, one, other in asked]


def _ratio(one: Found, other: Found) -> Found:
    seconds = (each["epoch_seconds"]["by_round"] for each in (one, other))
    return spread([a / b for a, b in zip(*seconds, strict=True)])


def load(data: Path | None, *, rows: int | None, size: str, batch: int) -> list[Work]:
    """``rows`` (None: all) of CoLA's training sentences below ``data``, else TRIMTAB_DATA, for each max_len.

    InputError where a file is missing or wrong, or the rows are fewer than the batch.
    """
    examples = some_rows(read("cola", "train", data), rows, batch)
    tokenizer = build(str(files.find(VOCABULARY_FILE, data)), [], min_freq=1)
    return [make_work(examples, tokenizer, max_len, size=size, batch=batch) for max_len in LENGTHS]


def make_work(examples: Examples, tokenizer: Tokenizer, max_len: int, *, size: str, batch: int) -> Work:
    """The work at one max_len: AdamW at 2e-5, linear to 0 over four epochs without warm-up, clipped at 1."""
    return Work(
        examples=examples,
        tokenizer=tokenizer,
        pairs=packed(examples, tokenizer, max_len),
        max_len=max_len,
        size=architecture(size),
        recipe=Recipe(epochs=4, batch_size=batch, learning_rate=2e-5, warmup=0),
        vocabulary=tokenizer.get_vocab_size(),
        classes=tuple(examples.label_names),
        pad="[PAD]",
    )
