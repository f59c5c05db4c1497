"""Where results come from: machine, versions and commit, without torch."""

import os
import platform
import subprocess
from importlib.metadata import version
from pathlib import Path

import trimtab


def available_cores() -> int:
    """Processor cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def available_memory() -> int | None:
    """Bytes that programs can still take, by the system's own estimate; None where it gives none."""
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
    except OSError:
        return None
    found = next((line for line in lines if line.startswith("MemAvailable:")), None)
    return int(found.split()[1]) * 1024 if found else None


def signature(*beside: Path) -> dict[str, str]:
    """What stands under every table: versions, system and, from a checkout, the commit.

    beside: folders of the checkout whose code made the table together with this package's.
    """
    packages = ("torch", "numpy", "scipy", "tokenizers")
    return {
        "trimtab": trimtab.__version__,
        "commit": _commit(*beside),
        "python": platform.python_version(),
        **{name: version(name) for name in packages},
        "system": f"{platform.system()} {platform.machine()}",
        "cores": str(available_cores()),
    }


def _commit(*beside: Path) -> str:
    """The commit of the checkout that this package runs from, ``+`` where it is changed; else 'installed'."""
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
