"""trimtab against d2l and transformers' Trainer, on the same rows of SNLI, in turns, on a CPU.

    python bench/peers.py [--data DIR] [--training] [--preparation] [--loss-curve]

Without a part named it does training and preparation. Writes peers-cpu.json and peers-cpu.md; parts that
are not done now stay there as they are.
"""

import argparse
import json
import os
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch

from peers_machine import PEERS, has_bf16, signed
from peers_page import page
from peers_work import VOCABULARY, Work, load
from trimtab.atomic import atomic_write, write_json
from trimtab.config import InputError
from trimtab.machine import available_cores

OUT = Path(__file__).resolve().parents[1] / "results" / "bench"


def main(words: list[str] | None = None) -> int:
    """Do the parts that are asked for; 0 when done, 2 where the input is wrong."""
    asked = _parser().parse_args(words)
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "true")  # else it warns when d2l's pool forks
    torch.set_num_threads(available_cores())
    try:
        work = load(
            asked.data, rows=asked.rows, size=asked.size, vocabulary=asked.vocabulary, batch=asked.batch
        )
        found = _parts(work, asked)
    except InputError as error:
        print(error, file=sys.stderr)
        return 2
    _write(asked.out, found)
    print("\n" + page(found))
    return 0


def _parts(work: Work, asked: argparse.Namespace) -> dict[str, Any]:
    missing = [name for name in PEERS if find_spec(name) is None]
    if missing:
        raise InputError(f"{', '.join(missing)}: not installed; run `make .venv/peers`")
    import peers_parts

    both = not (asked.training or asked.preparation or asked.loss_curve)
    found: dict[str, Any] = {}
    if asked.preparation or both:  # before training: the pool's processes are forked from a small one
        found["preparation"] = peers_parts.preparation(work, asked.rounds)
    if asked.training or both:
        bf16 = has_bf16() if asked.bf16 == "auto" else asked.bf16 == "yes"
        found["training"] = peers_parts.training(work, asked.rounds, asked.steps, bf16)
    if asked.loss_curve:
        found["loss_curve"] = peers_parts.loss_curve(work, asked.curve_steps, asked.curve_batch)
    return {name: part | {"signature": signed()} for name, part in found.items()}


def _write(folder: Path, found: dict[str, Any]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "peers-cpu.json"
    whole = (json.loads(path.read_text()) if path.exists() else {}) | found
    write_json(path, whole)
    with atomic_write(path.with_suffix(".md")) as aside:
        aside.write_text(page(whole), encoding="utf-8")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--training", action="store_true", help="examples a second of a training step")
    parser.add_argument("--preparation", action="store_true", help="pairs a second of preparing the data")
    parser.add_argument("--loss-curve", action="store_true", help="packed losses beside padded ones")
    parser.add_argument("--data", type=Path, help="folder that holds snli/train_27k.tsv [TRIMTAB_DATA]")
    parser.add_argument("--out", type=Path, default=OUT, help="folder of the results")
    parser.add_argument("--rounds", type=int, default=3, help="turns of each")
    parser.add_argument("--steps", type=int, default=3, help="counted steps a turn, at least")
    parser.add_argument("--bf16", choices=("yes", "no", "auto"), default="auto", help="auto: if it has it")
    parser.add_argument("--rows", type=int, help="rows to read [all]")
    parser.add_argument("--batch", type=int, default=512, help="rows a step")
    parser.add_argument("--size", default="small", help="a size, taken in d2l's flavour")
    parser.add_argument("--vocabulary", type=int, default=VOCABULARY, help="rows of the token table")
    parser.add_argument("--curve-steps", type=int, default=50, help="steps of the loss curve")
    parser.add_argument("--curve-batch", type=int, default=128, help="rows a step of the loss curve")
    return parser


if __name__ == "__main__":
    sys.exit(main())
