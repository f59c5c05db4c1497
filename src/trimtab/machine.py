"""Where results come from: machine, versions and commit. Does not import torch."""

import os
import platform
import subprocess
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import trimtab

GPU_SHARERS = (
    "TRIMTAB_GPU_SHARERS"  # the variable that tells a worker how many share its GPU, itself included
)


def available_cores() -> int:
    """Processor cores that this process may use: no more than those of its job of Slurm, or TRIMTAB_CORES.

    Some clusters grant a job cores but let it see all that its machine has.
    """
    bound = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else None
    granted = [os.environ.get(name, "") for name in ("SLURM_CPUS_PER_TASK", "TRIMTAB_CORES")]
    cores = [bound or os.cpu_count() or 1, *(int(each) for each in granted if each.isdecimal())]
    return max(1, min(cores))


def available_memory() -> int | None:
    """Bytes of memory still available, by the system's own estimate; None where it gives none."""
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
    except OSError:
        return None
    found = next((line for line in lines if line.startswith("MemAvailable:")), None)
    return int(found.split()[1]) * 1024 if found else None


@dataclass(frozen=True)
class Signature:
    """Where a result comes from: versions, system and, from a checkout, the commit."""

    trimtab: str
    commit: str
    python: str
    torch: str
    numpy: str
    scipy: str
    tokenizers: str
    system: str
    cores: str

    def __str__(self) -> str:
        return ", ".join(f"{name} {value}" for name, value in asdict(self).items())


def signature(*beside: Path) -> Signature:
    """The signature under every table.

    beside: further folders of the checkout whose code took part in making the table.
    """
    return Signature(
        trimtab=trimtab.__version__,
        commit=_commit(*beside),
        python=platform.python_version(),
        torch=_version("torch"),
        numpy=version("numpy"),
        scipy=version("scipy"),
        tokenizers=version("tokenizers"),
        system=f"{platform.system()} {platform.machine()}",
        cores=str(available_cores()),
    )


def _version(package: str) -> str:
    """The version of a package that reading results does without."""
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"


def _commit(*beside: Path) -> str:
    """The commit of the checkout that this package runs from, with ``+`` if modified; else 'installed'."""
    source = Path(trimtab.__file__).parent
    try:
        commit = _git(source, "rev-parse", "--short=12", "HEAD")
        tracked = _git(source, "ls-files", "__init__.py")
        changed = _git(source, "status", "--porcelain", "--untracked-files=no", ".", *map(str, beside))
    except (OSError, subprocess.CalledProcessError):
        return "installed"
    return (commit + "+" * bool(changed)) if tracked else "installed"


def _git(folder: Path, *words: str) -> str:
    command = ["git", "-C", str(folder), *words]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
