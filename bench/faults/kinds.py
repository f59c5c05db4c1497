"""The kinds of fault: those that come while trials run, and those that a run finds when it begins."""

import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.faults.places import Place, end


@dataclass
class Scene:
    """A ledger with two of four trials finished. damaged: keys of finished trials that a fault hits."""

    place: Place
    study: Path
    out: Path
    cache: Path
    finished: tuple[str, ...]
    mains: Sequence[subprocess.Popen] = ()
    damaged: tuple[str, ...] = ()

    @property
    def first(self) -> Path:
        """The folder of a finished trial."""
        return self.out / "trials" / self.finished[0]

    def checkpoints(self) -> list[Path]:
        """Of trials that are under way."""
        return sorted(self.out.glob("trials/*/checkpoint.pt"))

    def workers(self) -> list[int]:
        """The processes in which trials run now."""
        return self.place.workers(self.mains, self.cache)


@dataclass(frozen=True)
class Fault:
    """A fault by its name. live: whether it comes while trials run; not_at: why it makes no sense in a place.

    damages: whether it takes a finished trial's results, which must then be trained again. anew: whether it
    takes the checkpoints, so that trials under way begin again.
    """

    name: str
    do: Callable[[Scene], None]
    live: bool = False
    damages: bool = False
    anew: bool = False
    not_at: dict[str, str] | None = None


def _signal(number: signal.Signals) -> Callable[[Scene], None]:
    return lambda scene: end([scene.mains[0].pid], number)


def _kill_workers(scene: Scene) -> None:
    end(scene.workers()[:1])


def _kill_both(scene: Scene) -> None:
    workers = scene.workers()
    end([*(main.pid for main in scene.mains), *workers])


def _stand_still(scene: Scene) -> None:
    processes = [*(main.pid for main in scene.mains), *scene.workers()]
    end(processes, signal.SIGSTOP)
    time.sleep(3)
    end(processes, signal.SIGCONT)


def _lose_a_node(scene: Scene) -> None:
    scene.place.lose_a_node()


def _remove_cache(scene: Scene) -> None:
    shutil.rmtree(scene.cache)


def _fill_disk(scene: Scene) -> None:
    """Until the runs have ended, and then there is room again; the folder is a file system of its own."""
    filler = scene.out / "filler"
    try:
        with filler.open("wb") as file:
            while True:
                file.write(bytes(1 << 12))
                file.flush()
    except OSError:
        pass
    for main in scene.mains:
        main.wait(timeout=300)
    filler.unlink()


def _flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def _cut(path: Path) -> None:
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])


def _hit(name: str, how: Callable[[Path], None]) -> Callable[[Scene], None]:
    """Damage a file of a finished trial."""

    def do(scene: Scene) -> None:
        how(scene.first / name)
        if name in ("result.json", "predictions.npz"):
            scene.damaged = scene.finished[:1]

    return do


def _root(name: str, how: Callable[[Path], None]) -> Callable[[Scene], None]:
    return lambda scene: how(scene.out / name)


def _forget_everything(scene: Scene) -> None:
    for name in ("ledger.json", "study.json"):
        (scene.out / name).unlink()


def _claim(host: str, pid: int, ahead: float) -> Callable[[Scene], None]:
    """A claim on a trial that is missing, an hour old by the clock of the file system."""

    def do(scene: Scene) -> None:
        wanted = json.loads((scene.out / "study.json").read_text())["variants"]
        keys = [key for variant in wanted for key in variant["trials"].values()]
        missing = next(key for key in keys if key not in scene.finished)
        claims = scene.out / "claims"
        claims.mkdir()
        path = claims / f"{missing}.json"
        record = {"run": "gone", "host": host, "pid": pid, "process": None, "since": time.time() + ahead}
        path.write_text(json.dumps(record))
        os.utime(path, (time.time() - 3600,) * 2)

    return do


def _leave_temporary_files(scene: Scene) -> None:
    for folder in (scene.out, scene.first):
        (folder / ".writing-left.npz").write_bytes(b"half")


def _damage_checkpoint(scene: Scene) -> None:
    """Of a trial that was under way when everything was killed."""
    end([*(main.pid for main in scene.mains), *scene.workers()])
    for main in scene.mains:
        main.wait(timeout=60)
    for path in scene.checkpoints():
        _cut(path)


def _damage_cache(scene: Scene) -> None:
    for path in scene.cache.rglob("*.npy"):
        _cut(path)


def _edit_the_study(scene: Scene) -> None:
    """The file changes while a run goes on, which has read it; it is put back before the next one."""
    text = scene.study.read_text()
    scene.study.write_text(text.replace("seeds = 2", "seeds = 3"))
    for main in scene.mains:
        main.wait(timeout=300)
    scene.study.write_text(text)


NO_NODE = {"one run": "there is no node to lose", "two runs": "there is no node to lose"}

FAULTS = (
    Fault("kill -9 of the command", _signal(signal.SIGKILL), live=True),
    Fault("kill -9 of a worker", _kill_workers, live=True),
    Fault("kill -9 of both", _kill_both, live=True),
    Fault("SIGTERM", _signal(signal.SIGTERM), live=True),
    Fault("SIGINT", _signal(signal.SIGINT), live=True),
    Fault("SIGHUP", _signal(signal.SIGHUP), live=True),
    Fault("all processes stopped for three seconds", _stand_still, live=True),
    Fault("the disk full until the runs have ended", _fill_disk, live=True),
    Fault("the token cache removed while trials run", _remove_cache, live=True),
    Fault("the study file edited while trials run", _edit_the_study, live=True),
    Fault("kill -9 of both, and checkpoints cut in half", _damage_checkpoint, live=True, anew=True),
    Fault("a node lost", _lose_a_node, live=True, not_at=NO_NODE),
    Fault("the token cache cut in half", _damage_cache),
    Fault("result.json cut in half", _hit("result.json", _cut), damages=True),
    Fault("a bit of predictions.npz flipped", _hit("predictions.npz", _flip), damages=True),
    Fault("config.json cut in half", _hit("config.json", _cut)),
    Fault("evaluated.npz cut in half", _root("evaluated.npz", _cut)),
    Fault("ledger.json and study.json gone", _forget_everything),
    Fault("the claim of a dead process", _claim(os.uname().nodename, 2**22 - 1, 0.0)),
    Fault("an old claim of another machine, whose clock is an hour ahead", _claim("elsewhere", 1, 3600.0)),
    Fault("temporary files of a killed process", _leave_temporary_files),
)
