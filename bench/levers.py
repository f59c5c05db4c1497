"""What each lever of the trainer is worth: a step with and without it, turn by turn, on SNLI's real rows.

python bench/levers.py --data DIR. Every way of training lives in a process of its own and has its turn,
a few steps long, in each round; one computes while the others wait. Written to results/bench/levers.*.
"""

import argparse
import json
import multiprocessing
import os
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np
import torch
from tabulate import tabulate

import levers_without
from peers_machine import has_bf16, signed
from peers_work import LABELS, VOCABULARY, Work, load
from trimtab.machine import available_cores
from trimtab.training.backend import Backend
from trimtab.training.memory import keep_freed_memory
from trimtab.training.trainer import Trainer

WARM = 8  # steps before the first turn that is counted: in bf16 the kernels of a few sizes are compiled
PRECISION = "bf16" if has_bf16() else "fp32"  # elsewhere bf16 is some twenty times as slow


@dataclass(frozen=True)
class Way:
    """A way of training: what it does otherwise than trimtab, and how it is put in place."""

    what: str
    change: Callable[[], None] | None = None
    precision: str = PRECISION
    keeps_memory: bool = True
    environment: dict[str, str] = field(default_factory=dict)


AS_IT_IS = Way("trimtab as it is")
USED = [
    Way("all tokens in the last layer, not the first of each row", levers_without.whole_last_layer),
    Way("a key and a value of every token in the last layer", levers_without.key_and_value_of_every_token),
    Way("the batch as one part, not in parts that caches hold", levers_without.whole_batches),
    Way("all threads in each operation, not a part of the batch to each", levers_without.one_lane),
    Way("every row of the token table, not those in use", levers_without.whole_table),
    Way("the table's gradient by autograd, part by part", levers_without.table_gradient_by_autograd),
    Way("attention's gradient by autograd", levers_without.attention_by_autograd),
    Way("scaled_dot_product_attention", levers_without.library_attention),
    Way("Bernoulli masks in dropout", levers_without.bernoulli_masks),
    Way("the words of masks from PyTorch's generator, not NumPy's SFC64", levers_without.pytorch_words),
    Way("freed memory given back at once", keeps_memory=False),
    *(
        [
            Way("batches of any number of tokens, not of a few", levers_without.any_size),
            Way("query, key and value in fp32 before they are copied", levers_without.mixed_to_fp32_first),
            Way("fp32", precision="fp32"),
        ]
        if PRECISION == "bf16"
        else []
    ),
]
TRIED = [
    Way("parts of 4,096 tokens, not of 8,192", levers_without.smaller_parts),
    *(
        [Way("residual sums and norms in bf16", levers_without.residuals_in_bf16)]
        if PRECISION == "bf16"
        else []
    ),
    Way("groups of like length with a little padding", levers_without.little_padding),
    Way("torch.compile of what follows attention", levers_without.compiled_layers),
    Way("transparent huge pages", environment={"THP_MEM_ALLOC_ENABLE": "1"}),
]


def main() -> None:
    """Measure every way and write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--steps", type=int, default=4, help="steps of a turn")
    parser.add_argument("--rows", type=int, help="of the data set; all by default")
    parser.add_argument("--batch", type=int, default=512)
    parser.add_argument("--size", default="small")
    parser.add_argument("--out", type=Path, default=Path("results/bench"))
    options = parser.parse_args()
    torch.set_num_threads(available_cores())
    work = load(
        options.data, rows=options.rows, size=options.size, vocabulary=VOCABULARY, batch=options.batch
    )
    ways = [AS_IT_IS, *USED, *TRIED]
    rates = measure(ways, options)
    write(options.out, ways, rates, work, options)
    print((options.out / "levers.md").read_text())


def measure(ways: list[Way], options: argparse.Namespace) -> list[list[float]]:
    """Examples/s of each way in each round, those of the quickest step."""
    context = multiprocessing.get_context("spawn")
    pipes, processes = [], []
    for way in ways:
        ours, theirs = context.Pipe()
        os.environ.update(way.environment)
        process = context.Process(target=_train, args=(theirs, ways.index(way), options), daemon=True)
        process.start()
        theirs.close()  # so that a process that fails is noticed
        for name in way.environment:
            del os.environ[name]
        ours.recv()  # one at a time: those that wait take nothing
        pipes.append(ours)
        processes.append(process)
    rates: list[list[float]] = [[] for _ in ways]
    for round_number in range(options.rounds):
        # In another order each time, so that no way always follows the same one.
        for number in np.random.default_rng(round_number).permutation(len(ways)):
            pipes[number].send(round_number)
            rates[number].append(pipes[number].recv())
        print(f"round {round_number + 1}: " + " ".join(f"{found[-1]:.0f}" for found in rates), flush=True)
    for pipe, process in zip(pipes, processes, strict=True):
        pipe.send(None)
        process.join()
    return rates


def _train(pipe: Connection, number: int, options: argparse.Namespace) -> None:
    """A way's process: a turn of steps whenever it is asked for one."""
    way = [AS_IT_IS, *USED, *TRIED][number]
    torch.set_num_threads(available_cores())
    torch.set_flush_denormal(True)
    if way.keeps_memory:
        keep_freed_memory()
    if way.change:
        way.change()
    work = load(
        options.data, rows=options.rows, size=options.size, vocabulary=VOCABULARY, batch=options.batch
    )
    backend = Backend(torch.device("cpu"), way.precision)
    shape: dict[str, Any] = {"vocabulary": work.vocabulary, "classes": len(LABELS)}
    trainer = Trainer(work.size, work.recipe, 0, backend, **shape, training=work.pairs)
    for index in work.batches(WARM, 1_000):
        trainer.step(index)
    pipe.send("ready")
    while (round_number := pipe.recv()) is not None:
        pipe.send(_turn(trainer, work.batches(options.steps, round_number)))


def _turn(trainer: Trainer, batches: list[np.ndarray]) -> float:
    """Examples/s of the quickest step: noise of the machine only ever slows one down."""
    rates = []
    for index in batches:
        began = time.perf_counter()
        float(trainer.step(index)[0])
        rates.append(len(index) / (time.perf_counter() - began))
    return max(rates)


def write(
    out: Path, ways: list[Way], rates: list[list[float]], work: Work, options: argparse.Namespace
) -> None:
    """levers.json with every rate, and levers.md with the tables."""
    out.mkdir(parents=True, exist_ok=True)
    record = {
        "machine": signed(),
        "work": work.describe(),
        "steps of a turn": options.steps,
        "examples_per_second": {way.what: found for way, found in zip(ways, rates, strict=True)},
    }
    (out / "levers.json").write_text(json.dumps(record, indent=1) + "\n")
    rows = [_row(way, found, rates[0]) for way, found in zip(ways, rates, strict=True)]
    head = ["", "examples/s", "of trimtab's as it is", "lowest to highest of the rounds"]
    used, tried = rows[: 1 + len(USED)], rows[1 + len(USED) :]
    (out / "levers.md").write_text(
        f"# The trainer's levers, each taken away\n\n{_about(record)}\n\n"
        f"{tabulate(used, head, tablefmt='github')}\n\n"
        "## Tried, and not taken\n\n"
        f"{tabulate(tried, head, tablefmt='github')}\n"
    )


def _row(way: Way, found: list[float], base: list[float]) -> list[str]:
    ratios = [one / other for one, other in zip(found, base, strict=True)]
    spread = f"{min(ratios):.2f} to {max(ratios):.2f}" if way is not AS_IT_IS else ""
    return [way.what, f"{statistics.median(found):,.0f}", f"{statistics.median(ratios):.2f}", spread]


def _about(record: dict) -> str:
    machine, work = record["machine"], record["work"]
    words = ", ".join(f"{name} {value}" for name, value in {**work, **machine}.items())
    return (
        f"{words}. Training steps on randomly composed batches of SNLI's real rows, dropout included; each "
        f"way in a process of its own, {record['steps of a turn']} steps a turn of which the quickest "
        f"counts, all ways once a round, in {PRECISION} where nothing else is said; "
        "medians over the rounds. Where the range holds 1, this run shows no difference."
    )


if __name__ == "__main__":
    main()
