"""Where trials run: the one place that chooses, by name."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from trimtab.config import InputError
from trimtab.run.devices import visible_devices
from trimtab.run.engine import Place
from trimtab.run.pool import prepare_workers, run_jobs
from trimtab.run.ray_engine import ray_place
from trimtab.run.runtime import begin, default_jobs
from trimtab.run.slurm import slurm_place

DEFAULT_ENGINE = "local"


def _local(address: str, options: Mapping[str, str]) -> Place:
    return Place(run_jobs, begin, default_jobs, devices=visible_devices, prepare=_prepare)


def _prepare(device: str) -> None:
    """Load torch for workers on a CPU, which are copies of one process; those on GPUs load it themselves."""
    if device == "cpu" or (device == "auto" and not Path("/proc/driver/nvidia").exists()):
        prepare_workers()


# A new engine is written beside pool.py and named here: what it makes of an address and of options.
ENGINES: dict[str, Callable[[str, Mapping[str, str]], Place]] = {
    "local": _local,
    "ray": ray_place,
    "slurm": slurm_place,
}
_WITH_ADDRESS = ("ray",)


def chosen(engine: str, slurm_options: Sequence[str] = ()) -> Place:
    """The place that ``--engine NAME`` or ``NAME=ADDRESS`` names; InputError where there is no such one.

    slurm_options: of ``--slurm-option``, such as ``partition=main``.
    """
    name, equals, address = engine.partition("=")
    if name not in ENGINES:
        raise InputError(f"--engine {engine}: there is no such engine; choose {_words()}")
    if equals and (name not in _WITH_ADDRESS or not address):
        mend = "say ray=ADDRESS" if name in _WITH_ADDRESS else f"say --engine {name}"
        raise InputError(f"--engine {engine}: {name} takes no such address; {mend}")
    if slurm_options and name != "slurm":
        raise InputError("--slurm-option: is for --engine slurm; leave it out, or add --engine slurm")
    options: dict[str, str] = {}
    for option in slurm_options:
        key, equals, value = option.partition("=")
        if not equals or not key:
            raise InputError(f"--slurm-option {option}: is not KEY=VALUE, such as partition=main")
        options[key.lstrip("-").replace("-", "_")] = value
    return ENGINES[name](address, options)


def _words() -> str:
    names = [f"{name}[=ADDRESS]" if name in _WITH_ADDRESS else name for name in ENGINES]
    return f"{', '.join(names[:-1])} or {names[-1]}"
