"""One cell of the matrix: a fault in a place, what it cost, and whether the undisturbed tables came out."""

import contextlib
import shutil
import subprocess
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from bench.faults.kinds import Fault, Scene
from bench.faults.places import Place
from trimtab.ledger.ledger import Ledger

# Four trials of a few seconds, of which two are finished before the fault comes.
STUDY = """\
question = "What do faults do?"
checkpoint_seconds = 1
[data]
reader = "probe"
train = 320
test = 60
first_length = [8, 14]
second_length = [4, 6]
min_freq = 1
[base]
size = "2x32/64/2"
epochs = 20
batch_size = 32
learning_rate = 1e-3
precision = "fp32"
[grid]
truncation = ["longest_first", "ratio"]
max_len = [12]
seeds = 2
"""
_PATIENCE = 300  # seconds, on a machine that others use
_AGAIN = 3  # the same command is given so often at most
TABLES = ("accuracy-test.csv", "contrasts-test.csv", "epochs-by-trial.csv")
_OF_CLOCK = ("seconds", "validation_seconds")  # columns that no two runs have alike


@dataclass(frozen=True)
class Cell:
    """What came of a fault in a place.

    exits: exit codes of each command, in their order. lost: finished trials that were not there at the end;
    again: those that were trained anew, though nothing had hit them; damaged: those that the fault hit.
    resumed, anew: of trials under way, those that had a checkpoint and those that had none. equal: whether
    predictions are the same to the bit and tables the same in each figure but seconds; reason: why the cell
    was left out.
    """

    fault: str
    place: str
    exits: tuple[tuple[int, ...], ...] = ()
    finished: int = 0
    damaged: int = 0
    lost: int = 0
    again: int = 0
    resumed: int = 0
    seconds: float = 0.0
    equal: bool = False
    reason: str = ""

    def record(self) -> dict[str, Any]:
        """As JSON has it."""
        return asdict(self)


def tables_of(out: Path) -> dict[str, list[str]]:
    """The report's tables that tell what came out, without what a clock says; ``run`` has written them."""
    found = {}
    for name in TABLES:
        head, *rows = [line.split(",") for line in (out / "tables" / name).read_text().splitlines()]
        kept = [place for place, title in enumerate(head) if title not in _OF_CLOCK]
        # Names have commas, in quotes, at the front: columns are counted from the end.
        kept = [place - len(head) for place in kept if place]
        found[name] = [",".join(row[place] for place in kept) for row in rows]
    return found


def predictions_of(out: Path) -> dict[str, bytes]:
    """The predictions of each trial."""
    return {path.parent.name: path.read_bytes() for path in out.glob("trials/*/predictions.npz")}


def played(fault: Fault, place: Place, undisturbed: Path, study: Path, folder: Path) -> Cell:
    """Let the fault come to a ledger that is half done, give the command until it ends well, and compare."""
    if place.name in (fault.not_at or {}):
        return Cell(fault.name, place.name, reason=(fault.not_at or {})[place.name])
    began, out = time.monotonic(), folder / "out"
    folder.mkdir(parents=True)
    own = Path(shutil.copy(study, folder / "study.toml"))
    with _disk(out, small="disk full" in fault.name):
        finished = _half(undisturbed, out)
        scene = Scene(place, own, out, folder / "cache", finished)
        shutil.copytree(undisturbed.parent / "cache", scene.cache)
        results = {key: _run_of(out, key) for key in finished}
        exits, resumed = _until_it_ends_well(fault, scene, folder / "said.txt")
        ledger = Ledger(out)
        runs = {key: _run_of(out, key) for key in finished}
        same = predictions_of(out) == predictions_of(undisturbed)
        return Cell(
            fault=fault.name,
            place=place.name,
            exits=exits,
            finished=len(finished),
            damaged=len(scene.damaged),
            lost=sum(not ledger.trial(key).is_complete for key in finished),
            again=sum(runs[key] != results[key] for key in finished if key not in scene.damaged),
            resumed=resumed,
            seconds=round(time.monotonic() - began, 1),
            equal=same and tables_of(out) == tables_of(undisturbed),
        )


def _until_it_ends_well(fault: Fault, scene: Scene, said: Path) -> tuple[tuple[tuple[int, ...], ...], int]:
    """Exit codes of each command, and how many trials had a checkpoint to resume from."""
    exits: list[tuple[int, ...]] = []
    resumed = 0
    if not fault.live:
        fault.do(scene)
    for attempt in range(_AGAIN):
        scene.mains = scene.place.start(scene.study, scene.out, scene.cache, said)
        if fault.live and attempt == 0:
            _wait_for(lambda: bool(scene.checkpoints()) and bool(scene.workers()), scene.mains)
            fault.do(scene)
        exits.append(tuple(main.wait(timeout=_PATIENCE) for main in scene.mains))
        resumed = resumed or len(scene.checkpoints())
        trials = Ledger(scene.out)
        with contextlib.suppress(Exception):
            if not any(exits[-1]) and all(trials.trial(key).is_complete for key in trials.study.wanted):
                break
    return tuple(exits), resumed


def _half(undisturbed: Path, out: Path) -> tuple[str, ...]:
    """A copy of the ledger without the trials of the second seed; the keys that it has."""
    shutil.copytree(undisturbed, out, dirs_exist_ok=True)
    variants = Ledger(out).study.variants
    for variant in variants:
        shutil.rmtree(out / "trials" / variant.trials[1])
    return tuple(variant.trials[0] for variant in variants)


def _run_of(out: Path, key: str) -> str:
    result = Ledger(out).trial(key).result if Ledger(out).trial(key).is_complete else None
    return result.run if result else ""


@contextlib.contextmanager
def _disk(out: Path, small: bool) -> Iterator[None]:
    """The folder of results, on a file system of 16 MiB of its own where it is to be filled."""
    out.mkdir()
    if not small:
        yield
        return
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", str(out)], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(out)], check=True)


def _wait_for(condition: Any, mains: list[subprocess.Popen] | Any) -> None:
    deadline = time.monotonic() + _PATIENCE
    while not condition() and time.monotonic() < deadline:
        if all(main.poll() is not None for main in mains):
            return
        time.sleep(0.02)
