"""Empty environments with the wheel in them, away from the checkout, for what a release must pass."""

import os
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

STUDY = """\
question = "Does an installed trimtab work?"
[data]
reader = "probe"
train = 300
test = 100
first_length = [8, 16]
second_length = [4, 6]
[base]
size = "2x32/64/2"
precision = "fp32"
epochs = 1
batch_size = 32
[grid]
truncation = ["longest_first", "ratio"]
max_len = [12]
seeds = 2
"""
PAIRS = """\
question,passage,answer
is it so,it is so because it has always been so,yes
is it not,nobody has ever said that it is,no
"""


class SmokeError(Exception):
    """A command of the installed package did not do what it should."""


@dataclass(frozen=True)
class Environment:
    """A virtual environment, and the folder beside it in which its commands run; both begin empty."""

    folder: Path

    @classmethod
    def made(cls, folder: Path, python: str, packages: Sequence[str]) -> "Environment":
        """A new one below `folder`, of the interpreter `python`, with `packages` as pip takes them."""
        made = cls(folder)
        made.here.mkdir(parents=True)
        subprocess.run([python, "-m", "venv", folder / "venv"], check=True)
        # What is not imported need not be compiled.
        pip = [str(made.python), "-m", "pip", "install", "--quiet", "--no-compile", *packages]
        done = subprocess.run(pip, capture_output=True, text=True, check=False, env=_without_python())
        if done.returncode:
            raise SmokeError(f"pip install {' '.join(packages)}: {done.stderr.strip()[-1000:]}")
        (made.here / "short.toml").write_text(STUDY)
        (made.here / "pairs.csv").write_text(PAIRS)
        return made

    @property
    def here(self) -> Path:
        """Where its commands run."""
        return self.folder / "work"

    @property
    def python(self) -> Path:
        """Its interpreter."""
        return self.folder / "venv" / "bin" / "python"

    @property
    def megabytes(self) -> int:
        """What its packages take on the disk."""
        files = (self.folder / "venv").rglob("*")
        return round(sum(file.lstat().st_size for file in files if not file.is_symlink()) / 1e6)

    def run(self, *words: str, code: int = 0, says: str = "") -> str:
        """What a command prints, on both streams; SmokeError where exit code or words are others."""
        program = self.python.parent / words[0]
        # An empty home, so that no cache or setting of this machine helps; and nothing is fetched.
        (self.folder / "home").mkdir(exist_ok=True)
        others = {"HOME": str(self.folder / "home"), "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"}
        done = subprocess.run(
            [program, *words[1:]],
            cwd=self.here,
            env=_without_python() | others,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        if done.returncode != code or says not in done.stdout:
            wanted = f"expected {code} and {says!r}"
            raise SmokeError(f"{' '.join(words)}: exit code {done.returncode}, {wanted}:\n{done.stdout}")
        return done.stdout

    def evaluate(self, program: str, code: int = 0, says: str = "") -> str:
        """The same of a Python program."""
        return self.run("python", "-c", program, code=code, says=says)

    def has(self, *names: str) -> None:
        """Each names a file with something in it, below ``here``."""
        for name in names:
            if not (self.here / name).is_file() or not (self.here / name).stat().st_size:
                raise SmokeError(f"{self.here / name} is not there, or empty")


def _without_python() -> dict[str, str]:
    """This environment without what would lead an interpreter back to the checkout, or to its settings."""
    mine = ("PYTHON", "TRIMTAB", "VIRTUAL_ENV", "XDG_")
    return {name: value for name, value in os.environ.items() if not name.startswith(mine)}
