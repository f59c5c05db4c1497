"""How an engine is chosen, and what becomes of a job's files on their way; clusters have their own files."""

import importlib.util
import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest

from trimtab.config import InputError
from trimtab.machine import available_cores
from trimtab.run.carrying import inputs_of, moved, packed, take_back, unpack_once
from trimtab.run.ended import Ended
from trimtab.run.engines import ENGINES, chosen
from trimtab.run.outcome import failure_of, retries


@pytest.mark.parametrize(
    ("engine", "options", "sentence"),
    [
        (
            "dask",
            (),
            "--engine dask: there is no such engine; choose local, ray[=ADDRESS] or slurm",
        ),
        ("local=here", (), "--engine local=here: local takes no such address; say --engine local"),
        ("ray=", (), "--engine ray=: ray takes no such address; say ray=ADDRESS"),
        (
            "local",
            ("partition=main",),
            "--slurm-option: is for --engine slurm; leave it out, or add --engine slurm",
        ),
        ("slurm", ("=main",), "--slurm-option =main: is not KEY=VALUE, such as partition=main"),
        (
            "slurm",
            ("array=0-9",),
            "--slurm-option array: trimtab sets it itself; leave it out; the number of jobs is --jobs",
        ),
    ],
)
def test_wrong_words(engine, options, sentence, monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda name: f"/usr/bin/{name}")
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: name)
    with pytest.raises(InputError) as caught:
        chosen(engine, options)
    assert str(caught.value) == sentence


@pytest.mark.parametrize(("engine", "package"), [("ray", "Ray"), ("slurm", "submitit")])
def test_a_package_is_missing(engine, package, monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(InputError) as caught:
        chosen(engine)
    mend = f"pip install 'trimtab[{engine}]'"
    assert str(caught.value) == f"--engine {engine}: needs {package}, which is not installed; {mend}"


def test_a_machine_that_submits_no_jobs(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: name)
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(InputError, match="--engine slurm: there is no sbatch here; run this where jobs"):
        chosen("slurm")


def test_what_is_chosen(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: name)
    monkeypatch.setattr(shutil, "which", lambda name: f"/usr/bin/{name}")
    place = chosen("slurm", ["cpus-per-task=4", "--time=10", "exclusive="])
    assert place.parts.options == {"cpus_per_task": "4", "time": "10", "exclusive": ""}
    assert place.parts is not None
    assert chosen("ray=ray://there:10001").engine.address == "ray://there:10001"
    assert chosen("local").parts is None
    assert list(ENGINES) == ["local", "ray", "slurm"]


@pytest.mark.parametrize("name", ["SLURM_CPUS_PER_TASK", "TRIMTAB_CORES"])
def test_cores_of_a_job(name, monkeypatch):
    """Some clusters count a job's cores without binding it to them."""
    monkeypatch.delenv("SLURM_CPUS_PER_TASK", raising=False)
    monkeypatch.delenv("TRIMTAB_CORES", raising=False)
    here = available_cores()
    monkeypatch.setenv(name, "1")
    assert available_cores() == 1
    monkeypatch.setenv(name, str(here + 5))
    assert available_cores() == here


def test_a_job_whose_machine_was_lost():
    ended = Ended(lost="its node went away")
    assert failure_of(ended, "") == "its node went away"
    assert retries(ended) > 0
    assert retries(Ended(lost="its job was cancelled", may_pass=False)) == 0


@dataclass(frozen=True)
class Inner:
    folders: dict[str, Path]
    words: tuple[str, ...]


@dataclass(frozen=True)
class Outer:
    folder: Path
    inputs: tuple[tuple[Inner, int], ...]
    weights: Path | None = None


def test_a_job_moves_to_another_machine(tmp_path):
    one, two, own = tmp_path / "one", tmp_path / "two", tmp_path / "own"
    inner = Inner({"train": one, "test": two}, ("a",))
    job = Outer(own, ((inner, 1), (Inner({"train": one}, ()), 2)), tmp_path / "weights.bin")
    assert inputs_of(job) == [one, two, tmp_path / "weights.bin"]
    there = moved(job, {one: Path("/1"), own: Path("/own")})
    assert (there.folder, there.weights) == (Path("/own"), job.weights)
    assert there.inputs[0][0].folders == {"train": Path("/1"), "test": two}
    assert there.inputs[0][0].words is inner.words
    assert moved(job, {}) is job


def test_files_there_and_back(tmp_path):
    """Folders and files arrive whole and once; a trial's folder becomes what was made of it elsewhere."""
    here = tmp_path / "here"
    (here / "sub").mkdir(parents=True)
    (here / "sub" / "a").write_bytes(b"1")
    (here / "checkpoint.pt").write_bytes(b"2")
    (here / ".writing-b").write_bytes(b"3")
    files = packed(here)
    assert files == {"checkpoint.pt": b"2", "sub/a": b"1"}
    unpack_once(files, tmp_path / "there" / "it")
    unpack_once({}, tmp_path / "there" / "it")
    assert packed(tmp_path / "there" / "it") == files
    unpack_once(packed(here / "sub" / "a"), tmp_path / "there" / "file")
    assert (tmp_path / "there" / "file").read_bytes() == b"1"
    take_back({"sub/a": b"1", "result.json": b"{}"}, here)
    assert packed(here) == {"result.json": b"{}", "sub/a": b"1"}
    assert packed(tmp_path / "nothing") == {}
