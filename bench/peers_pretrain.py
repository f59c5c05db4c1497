"""d2l's pretraining step against trimtab's on WikiText-2, in turns, on a CPU.

    python bench/peers_pretrain.py [--data DIR]

Writes pretrain-cpu.json and pretrain-cpu.md.
"""

import argparse
import sys
import time
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import torch
from tabulate import tabulate
from torch import nn

import trimtab
from peers_machine import has_bf16, signed
from peers_race import WARM, Contestant, Step, quickest, race, ratio
from trimtab.atomic import atomic_write, write_json
from trimtab.config import InputError
from trimtab.data.masking import masking_of
from trimtab.data.paragraphs import Paragraphs, read
from trimtab.data.rows import Rows
from trimtab.machine import available_cores
from trimtab.run.pretraining import Prepared, prepare
from trimtab.study.pretraining_definition import Pretraining, load
from trimtab.training.backend import Backend
from trimtab.training.memory import keep_freed_memory
from trimtab.training.pretraining import Pretrainer, Task

ROOT = Path(__file__).resolve().parents[1]
STUDY, OUT = ROOT / "studies" / "wikitext2.toml", ROOT / "results" / "bench"
LEAST, GOAL = 5.0, 10.0  # times as many sentence pairs a second as d2l
HEAD = """# Pretraining on WikiText-2: d2l and trimtab on a CPU

`bench/peers_pretrain.py`: the tutorial's model and step, in one process, in turns (A B, A B), with dropout.
d2l reads, pairs, masks and pads the text by its own code, and its step is the chapter's; stacking a batch of
its rows is not counted, while trimtab's time includes gathering and masking one. A rate is that of a turn's
counted steps, its first {warm} left out; given are the median over turns and the range."""


class D2l:
    """d2l's own step: its data set, its model, its loss, Adam."""

    precision, batches, name = "fp32", "random", "d2l 1.0.3"

    def __init__(self, text: Paragraphs, study: Pretraining, seed: int) -> None:
        from peers_d2l import d2l

        self.d2l, size = d2l, study.size
        torch.manual_seed(seed)
        began = time.perf_counter()
        edges = zip(text.offsets[:-1], text.offsets[1:], strict=True)
        self.data = d2l._WikiTextDataset([text.sentences[a:b] for a, b in edges], study.max_len)
        self.prepared = time.perf_counter() - began
        self.words = len(self.data.vocab)
        self.net = d2l.BERTModel(
            self.words, size.hidden, size.intermediate, size.heads, size.layers, size.dropout
        )
        one = torch.zeros((1, 2), dtype=torch.long)
        self.net(one, one, torch.tensor([2]), one)  # lazy layers take their shapes from a first input
        self.optimizer = torch.optim.Adam(self.net.parameters(), lr=study.recipe.learning_rate)
        self.loss, self.batch = nn.CrossEntropyLoss(), study.recipe.batch_size

    def run(self, steps: int, seed: int) -> list[Step]:
        """``steps`` steps of the chapter's loop, each with its time."""
        rng = np.random.default_rng(seed)
        return [self._step(rng.choice(len(self.data), self.batch, replace=False)) for _ in range(steps)]

    def _step(self, index: np.ndarray) -> Step:
        rows = zip(*(self.data[int(row)] for row in index), strict=True)
        tokens, segments, lengths, places, weights, words, follows = (torch.stack(each) for each in rows)
        began = time.perf_counter()
        self.optimizer.zero_grad()
        parts = (tokens, segments, lengths, places, weights, words, follows)
        _, _, loss = self.d2l._get_batch_loss_bert(self.net, self.loss, self.words, *parts)
        loss.backward()
        self.optimizer.step()
        float(loss.detach())
        return Step(time.perf_counter() - began, len(index), int(lengths.sum()))


class Ours:
    """trimtab's step; gathering and masking a batch is counted."""

    batches, name = "random", f"trimtab {trimtab.__version__}"

    def __init__(self, prepared: Prepared, study: Pretraining, precision: str) -> None:
        self.precision, cpu = precision, torch.device("cpu")
        vocabulary = prepared.tokenizer.get_vocab_size()
        task = Task(study.size, vocabulary, masking_of(prepared.tokenizer), study.max_len)
        self.trainer = Pretrainer(task, study.recipe, 0, 1_000_000, Backend(cpu, precision))
        self.rows, self.batch = Rows(prepared.training.pairs(0, 1), cpu), study.recipe.batch_size

    def run(self, steps: int, seed: int) -> list[Step]:
        """``steps`` steps, each with its time."""
        rng = np.random.default_rng(seed)
        return [self._step(rng, seed) for _ in range(steps)]

    def _step(self, rng: np.random.Generator, seed: int) -> Step:
        pairs = self.rows.pairs
        index = rng.choice(len(pairs), self.batch, replace=False)
        began = time.perf_counter()
        self.trainer.step(self.rows, index, rng).means()
        return Step(time.perf_counter() - began, len(index), int(pairs.tokens.lengths[index].sum()))


def compare(study: Pretraining, data: Path | None, rounds: int, steps: int, bf16: bool) -> dict[str, Any]:
    """Rates of all, the ratio of trimtab's each precision to d2l, and what both took to prepare the text."""
    text = read(study.training.reader, "train", data, **study.training.options)
    d2l = D2l(text, study, 0)
    began = time.perf_counter()
    prepared = prepare(study, data)
    pairs = prepared.training.count(0, 1)
    seconds = {"d2l": d2l.prepared, "trimtab": time.perf_counter() - began}
    ours = [Ours(prepared, study, precision) for precision in (["fp32", "bf16"] if bf16 else ["fp32"])]
    records = race([d2l, *ours], rounds, steps, _say)
    ratios = [{"precision": each["precision"], "ratio": ratio(each, records[0])} for each in records[1:]]
    best = ratio(quickest(records[1:]), records[0])["median"]
    return {
        "work": {
            "size": str(study.size),
            "max_len": study.max_len,
            "batch": study.recipe.batch_size,
            "pairs": {"d2l": len(d2l.data), "trimtab": pairs},
            "vocabulary": {"d2l": d2l.words, "trimtab": prepared.tokenizer.get_vocab_size()},
        },
        "prepared_seconds": seconds,
        "contestants": records,
        "ratios": ratios,
        "least": LEAST,
        "goal": GOAL,
        "met": best >= LEAST,
        "goal_met": best >= GOAL,
        "signature": signed(),
    }


def page(found: dict[str, Any]) -> str:
    """What came out, as Markdown."""
    rates = [
        [each["name"], each["precision"], _spread(each["examples_per_second"], ",.0f")]
        for each in found["contestants"]
    ]
    ratios = [[each["precision"], _spread(each["ratio"], ".2f")] for each in found["ratios"]]
    seconds = found["prepared_seconds"]
    words = (
        f"At least {found['least']:g} times: {_met(found['met'])}; the goal of {found['goal']:g} times: "
        f"{_met(found['goal_met'])}. Reading, counting words and tokenising: d2l {seconds['d2l']:.1f} s with "
        f"its masks and padding, trimtab {seconds['trimtab']:.1f} s with both splits (tokens from the cache "
        "where it has them)."
    )
    work = ", ".join(f"{name} {value}" for name, value in found["work"].items())
    made = ", ".join(f"{name} {value}" for name, value in found["signature"].items())
    return (
        "\n\n".join(
            [
                HEAD.format(warm=WARM),
                _table(rates, ["who", "precision", "sentence pairs/s"]),
                _table(ratios, ["trimtab's precision", "times as fast as d2l"]),
                words,
                f"The work: {work}.",
                f"Made with {made}.",
            ]
        )
        + "\n"
    )


def _table(rows: list[list[str]], head: list[str]) -> str:
    return tabulate(rows, head, tablefmt="github", disable_numparse=True)


def _spread(value: dict[str, Any], form: str) -> str:
    low, high = (format(value[end], form) for end in ("lowest", "highest"))
    return f"{value['median']:{form}} ({low} to {high})"


def _met(met: bool) -> str:
    return "met" if met else "not met"


def _say(contestant: Contestant, rates: dict[str, float]) -> None:
    print(
        f"{contestant.name} {contestant.precision}: {rates['examples_per_second']:,.0f} pairs/s", flush=True
    )


def main(words: list[str] | None = None) -> int:
    """Measure and write; 0 when done, 2 where the input is wrong."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, help="folder that holds wikitext-2 [TRIMTAB_DATA]")
    parser.add_argument("--out", type=Path, default=OUT, help="folder of the results")
    parser.add_argument("--study", type=Path, default=STUDY, help="the model and step")
    parser.add_argument("--rounds", type=int, default=3, help="turns of each")
    parser.add_argument("--steps", type=int, default=4, help="counted steps a turn")
    parser.add_argument("--bf16", choices=("yes", "no", "auto"), default="auto", help="auto: if it has it")
    asked = parser.parse_args(words)
    torch.set_num_threads(available_cores())
    keep_freed_memory()
    try:
        if find_spec("d2l") is None:
            raise InputError("d2l: not installed; run `make .venv/peers`")
        bf16 = has_bf16() if asked.bf16 == "auto" else asked.bf16 == "yes"
        found = compare(load(asked.study), asked.data, asked.rounds, asked.steps, bf16)
    except InputError as error:
        print(error, file=sys.stderr)
        return 2
    asked.out.mkdir(parents=True, exist_ok=True)
    write_json(asked.out / "pretrain-cpu.json", found)
    with atomic_write(asked.out / "pretrain-cpu.md") as aside:
        aside.write_text(page(found), encoding="utf-8")
    print("\n" + page(found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
