"""The wheel in an empty environment of each Python: ``python tests/release/smoke.py WHEEL PYTHON...``.

Its commands run outside the checkout, with an empty home. Without ``--train`` there is no torch, and what
needs it must say so; with it a tiny study is trained as well. ``make smoke`` builds the wheel first.
"""

import argparse
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from environments import ROOT, Environment, SmokeError

RESULTS = ROOT / "results" / "aa"
NEEDS_TORCH = "needs torch, which is not installed; pip install 'trimtab[train]'"
NOTEBOOK = """
import trimtab
first, second = (trimtab.Ragged.from_rows([range(length)]) for length in (9, 3))
cut = trimtab.parse("ratio").apply(first, second, 4)
print([len(side[0]) for side in cut], len(trimtab.Ledger("aa").contrasts().frame()))
"""


def reads(there: Environment, version: str) -> None:
    """What works without torch."""
    there.run("trimtab", "--version", says=f"trimtab {version}\n")
    there.run("trimtab", "--help", says="audit")
    asked = ["pairs.csv", "--first", "question", "--second", "passage", "--label", "answer", "--max-len", "8"]
    there.run("trimtab", "audit", *asked, "--out", "audit", says="longest_first")
    there.has("audit/figures/audit.png")
    there.run("trimtab", "show", "short.toml", "--row", "7", says="ratio")
    there.run("trimtab", "strategies", says="head_tail")
    (there.here / "aa").mkdir()
    for name in ("ledger.json", "ledger.zip"):
        shutil.copy(RESULTS / name, there.here / "aa")
    there.run("trimtab", "report", "aa")
    there.has("aa/report.html", "aa/report.md", "aa/tables/paper-test.tex")
    if (there.here / "aa" / "report.md").read_text() != (RESULTS / "report.md").read_text():
        raise SmokeError(f"{there.here}/aa/report.md differs from {RESULTS}/report.md")
    there.evaluate(NOTEBOOK, says="[3, 1] 9")


def trains(there: Environment) -> None:
    """What torch adds: a tiny study, which is then done."""
    there.run("trimtab", "plan", "short.toml", "--no-time", says="ratio")
    there.run("trimtab", "run", "short.toml")
    there.has("results/short/report.html")
    there.run("trimtab", "run", "short.toml", says="0 trials done now, 4 before")
    shutil.copy(ROOT / "tests" / "typed" / "consumer.py", there.here)
    there.run("python", "consumer.py", "aa", says="not a fast tokeniser")


def main() -> int:
    """What the command line asks for; exit code 1 where a Python fails."""
    parser = argparse.ArgumentParser(description="Install a wheel into empty environments, and try it.")
    parser.add_argument("wheel", type=Path)
    parser.add_argument("pythons", nargs="+", metavar="python")
    parser.add_argument("--train", action="store_true", help="with the extra train, and a tiny study")
    parser.add_argument(
        "--pin", action="append", default=[], help="another requirement, such as torch==2.13.0"
    )
    given = parser.parse_args()
    wheel = given.wheel.resolve()
    version, failed = wheel.name.split("-")[1], 0
    for python in given.pythons:
        name = subprocess.run(
            [python, "--version"], capture_output=True, text=True, check=True
        ).stdout.strip()
        with tempfile.TemporaryDirectory() as folder:
            try:
                wanted = f"{wheel}[train]" if given.train else str(wheel)
                there = Environment.made(Path(folder), python, [wanted, *given.pin])
                reads(there, version)
                if given.train:
                    trains(there)
                else:
                    there.run("trimtab", "run", "short.toml", code=2, says=NEEDS_TORCH)
                print(f"{name}: passed, {there.megabytes:,} MB, {'with' if given.train else 'without'} torch")
            except SmokeError as error:
                failed += 1
                print(f"{name}: {error}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
