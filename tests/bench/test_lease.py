"""What the GPU machine must have: only packages that it has, or that travel there as wheels."""

import importlib.metadata
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

# Packages on that machine that ours may import; what else is installed here is not there.
THERE = """
accelerate annotated-doc attrs certifi charset-normalizer click cloudpickle contourpy cycler execnet filelock
fonttools formulaic fsspec h11 hf-xet httpcore httpx huggingface-hub hypothesis idna iniconfig interface-meta
jinja2 joblib kiwisolver markdown markdown-it-py markupsafe matplotlib mdurl mpmath narwhals networkx numpy
packaging pandas patsy pillow pip pluggy protobuf psutil py-cpuinfo pyarrow pygments pyparsing pytest
pytest-benchmark pytest-xdist python-dateutil pyyaml regex requests rich safetensors scikit-learn scipy
seaborn setuptools shellingham six sortedcontainers statsmodels sympy tabulate tensorboard tokenizers torch
tqdm transformers triton typer urllib3 wheel wrapt zipp anyio
"""

IMPORTS = """
import importlib, importlib.abc, pkgutil, sys

class Missing(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name.partition(".")[0] in MISSING:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Missing())
import torch
asked = ("is_available", "device_count", "current_device", "_lazy_init", "get_device_properties")
kept = {name: getattr(torch.cuda, name) for name in asked}
def touched(*arguments):
    raise SystemExit("what workers are forked from asked for a GPU, and no GPU survives a fork")
for name in asked:
    setattr(torch.cuda, name, touched)
import trimtab.run.preload
for name in asked:
    setattr(torch.cuda, name, kept[name])
for module in pkgutil.walk_packages(trimtab.__path__, "trimtab."):
    if not module.name.endswith(("__main__", ".ray_tasks")):  # what a worker of Ray's imports, there
        importlib.import_module(module.name)
for name in ("__main__", "probes", "against_trainer"):
    importlib.import_module(f"bench.gpu.{name}")
"""


def plain(name):
    return re.sub(r"[-_.]+", "-", name).lower()


def carried():
    lines = (ROOT / "bench" / "lease.txt").read_text().splitlines()
    return {plain(line.partition("==")[0]) for line in lines if line and not line.startswith("#")}


@pytest.mark.slow
def test_nothing_is_imported_that_the_gpu_machine_lacks_and_no_gpu_is_touched_too_early():
    has = {plain(name) for name in THERE.split()} | carried() | {"trimtab"}
    installed = importlib.metadata.packages_distributions()
    missing = {name for name, owners in installed.items() if not has & set(map(plain, owners))}
    assert missing  # this machine has some that that one lacks
    program = f"MISSING = {missing!r}\n{IMPORTS}"
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_wheels_have_the_versions_that_are_tested():
    pinned = (ROOT / "constraints.txt").read_text().splitlines()
    lines = [line for line in (ROOT / "bench" / "lease.txt").read_text().splitlines() if line[:1] != "#"]
    assert lines
    assert set(lines) <= set(pinned)
