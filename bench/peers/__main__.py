"""trimtab against d2l and transformers on a CPU: all do the same work, in turns, in one process.

    python -m bench.peers snli [--data DIR] [--training] [--preparation] [--loss-curve]
    python -m bench.peers encoders [--data DIR] [--weights minilm|mpnet]
    python -m bench.peers cola [--data DIR]
    python -m bench.peers pretraining [--data DIR] [--study FILE]
    python -m bench.peers scoring [--data DIR]

snli: steps of fine-tuning, and preparing the data, of which the named parts are measured (without a name
training and preparation); encoders: steps of fine-tuning pretrained weights at a batch of 32;
cola: an epoch at two max_len, padded and packed; pretraining: steps on WikiText-2; scoring: pairs judged by a
cross-encoder, for which sentence-transformers alone has to be installed.
Each writes a JSON file and a page into results/bench. Exit code 2 where the input is wrong.
"""

import argparse
import importlib
import os
import sys
from pathlib import Path

import torch

from bench import RESULTS
from bench.peers.machine import require_peers
from trimtab.config import InputError
from trimtab.machine import available_cores
from trimtab.training.memory import keep_freed_memory

STUDY = RESULTS.parents[1] / "studies" / "wikitext2.toml"


def main(words: list[str] | None = None) -> int:
    """Run one comparison; 0 when done, 2 where the input is wrong."""
    asked = _parser().parse_args(words)
    set_up_process()
    try:
        require_peers(("sentence_transformers",) if asked.comparison == "scoring" else None)
        importlib.import_module(f"bench.peers.{asked.comparison}").run(asked)
    except InputError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


def set_up_process() -> None:
    """Use all cores, and memory as a study's trials do, which is as good for the peers."""
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "true")  # else it warns when d2l's pool forks
    torch.set_num_threads(available_cores())
    keep_freed_memory()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench.peers", description=__doc__.splitlines()[0])
    comparisons = parser.add_subparsers(dest="comparison", required=True)
    snli = _comparison(comparisons.add_parser("snli", help="fine-tuning on SNLI"), steps=3)
    snli.add_argument("--training", action="store_true", help="examples per second of a training step")
    snli.add_argument("--preparation", action="store_true", help="pairs per second of preparing the data")
    snli.add_argument("--loss-curve", action="store_true", help="packed losses beside padded ones")
    snli.add_argument("--curve-steps", type=int, default=50, help="steps of the loss curve")
    snli.add_argument("--curve-batch", type=int, default=128, help="rows per step of the loss curve")
    snli.add_argument("--vocabulary", type=int, default=60_005, help="rows of the token table")
    _shape(snli, batch=512, size="small")
    encoders = _comparison(comparisons.add_parser("encoders", help="fine-tuning deployed encoders"), steps=20)
    encoders.add_argument("--weights", help="of one model only: minilm or mpnet [both]")
    encoders.add_argument("--rows", type=int, default=6_400, help="rows to read")
    encoders.add_argument("--batch", type=int, default=32, help="rows per step")
    cola = _comparison(comparisons.add_parser("cola", help="what max_len costs on CoLA"), steps=12)
    _shape(cola, batch=32, size="6x384/1536/12")  # the tutorial's batch; the size of minilm
    pretraining = _comparison(
        comparisons.add_parser("pretraining", help="pretraining on WikiText-2"), steps=4
    )
    pretraining.add_argument("--study", type=Path, default=STUDY, help="the model and its training")
    scoring = _comparison(comparisons.add_parser("scoring", help="pairs scored by a cross-encoder"), steps=1)
    scoring.add_argument("--rows", type=int, default=300, help="pairs of BoolQ, and a quarter of SNLI's")
    scoring.add_argument("--threads", type=int, help="of both [all cores]")
    return parser


def _comparison(parser: argparse.ArgumentParser, steps: int) -> argparse.ArgumentParser:
    parser.add_argument("--data", type=Path, help="folder of the data sets [TRIMTAB_DATA]")
    parser.add_argument("--out", type=Path, default=RESULTS, help="folder of the results")
    parser.add_argument("--rounds", type=int, default=3, help="turns of each contestant")
    parser.add_argument("--steps", type=int, default=steps, help="counted steps per turn, at least")
    parser.add_argument(
        "--bf16", choices=("yes", "no", "auto"), default="auto", help="auto: if the processor has it"
    )
    return parser


def _shape(parser: argparse.ArgumentParser, batch: int, size: str) -> None:
    parser.add_argument("--rows", type=int, help="rows to read [all]")
    parser.add_argument("--batch", type=int, default=batch, help="rows per step")
    parser.add_argument("--size", default=size, help="size of the encoder")


if __name__ == "__main__":
    sys.exit(main())
