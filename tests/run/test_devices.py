"""Workers on the GPUs of a machine: which one each of them sees, and how many there are by default."""

import json
import multiprocessing
import shutil
from types import SimpleNamespace

import pytest
import torch

import pool_jobs
from trial_records import unsealed
from trimtab.ledger.ledger import Ledger
from trimtab.ledger.records import RuntimeRecord
from trimtab.machine import GPU_SHARERS
from trimtab.model.sizes import architecture
from trimtab.plan.plan import make_plan
from trimtab.plan.prepare import prepare
from trimtab.run import devices, gpu_jobs
from trimtab.run.devices import environment_of, jobs_each, least_loaded, named
from trimtab.run.engine import Place
from trimtab.run.engines import chosen
from trimtab.run.pool import run_jobs
from trimtab.run.runtime import begin, default_jobs
from trimtab.training import backend
from trimtab.training.backend import Backend

pytestmark = pytest.mark.integration

GIB = 1 << 30
CUDA = RuntimeRecord(threads=1, device="cuda")


@pytest.mark.parametrize(
    ("variable", "count", "found"),
    [
        (None, 3, ("0", "1", "2")),
        ("2,3", 2, ("2", "3")),
        ("GPU-8932f937, GPU-7a2b", 2, ("GPU-8932f937", "GPU-7a2b")),
        ("1,-1,2", 1, ("1",)),  # CUDA stops at the first that is none
        ("", 0, ()),
    ],
)
def test_gpus_are_named_as_the_user_named_them(variable, count, found):
    assert named(variable, count) == found


def test_a_worker_gets_the_gpu_that_the_fewest_have():
    taken = []
    for _ in range(5):
        taken.append(least_loaded(("2", "3"), taken))
    assert taken == ["2", "3", "2", "3", "2"]
    taken.remove("3")
    assert least_loaded(("2", "3"), taken) == "3"
    assert environment_of("3", ("2", "3"), 5) == {"CUDA_VISIBLE_DEVICES": "3", "TRIMTAB_GPU_SHARERS": "3"}


def test_each_worker_sees_a_gpu_of_its_own():
    """In real processes; a variable needs no GPU."""
    found = {}
    run_jobs(
        [pool_jobs.Devices(), pool_jobs.Devices()],
        2,
        1,
        lambda number, news: None,
        lambda number, ended: found.update({number: ended.value}),
        devices=("4", "GPU-7a2b"),
    )
    assert not multiprocessing.active_children()
    assert found == {0: ("4", "1"), 1: ("GPU-7a2b", "1")}


@pytest.mark.parametrize(
    ("memory", "trial", "cores", "jobs"),
    [
        (80 * GIB, 1 * GIB, 8, 4),
        (80 * GIB, 1 * GIB, 2, 2),
        (8 * GIB, 2 * GIB, 8, 1),
        (8 * GIB, 1 * GIB, 8, 2),
        (8 * GIB, 9 * GIB, 8, 1),
        (80 * GIB, None, 8, 1),
        (80 * GIB, 1 * GIB, 0, 1),
    ],
)
def test_as_many_workers_as_memory_and_cores_allow(memory, trial, cores, jobs):
    assert jobs_each(memory, trial, cores) == jobs


@pytest.fixture
def two_gpus(monkeypatch):
    """A machine with two GPUs of 8 GiB and eight cores, as far as torch says."""
    monkeypatch.delenv(devices.VARIABLE, raising=False)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    properties = SimpleNamespace(total_memory=8 * GIB)
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda device: properties)
    monkeypatch.setattr(gpu_jobs, "available_cores", lambda: 8)


def test_jobs_by_default_are_those_that_all_gpus_hold(two_gpus, ran, tmp_path, monkeypatch):
    study, outcome = ran
    plan, ledger = make_plan(prepare(study)), Ledger(outcome.folder)
    assert default_jobs(CUDA) == 2
    assert default_jobs(CUDA, plan, Ledger(tmp_path)) == 8
    assert default_jobs(CUDA, plan, ledger) == 8  # its trials ran on a CPU, whose memory says nothing
    monkeypatch.setattr(backend, "SMALL", 1)  # now its models are large
    assert default_jobs(CUDA, plan, ledger) == 2


def test_a_finished_trial_says_how_much_memory_another_takes(two_gpus, ran, tmp_path):
    study, outcome = ran
    plan, folder = make_plan(prepare(study)), tmp_path / "on a GPU"
    shutil.copytree(outcome.folder, folder)
    ledger = Ledger(folder)
    ledger.write_runtime(ledger.runtime.model_copy(update={"device": "cuda"}))
    for peak, jobs in ((GIB, 2 * 2), (GIB // 4, 2 * 4), (4 * GIB, 2)):
        for path in folder.glob("trials/*/result.json"):
            path.write_text(json.dumps(unsealed(path) | {"peak_bytes": peak}))
        assert default_jobs(CUDA, plan, Ledger(folder)) == jobs


def test_an_engine_shares_out_the_gpus_and_none_where_a_cpu_trains(two_gpus):
    def engine(*arguments, **options):
        return options

    place = Place(engine, begin, default_jobs, devices=devices.visible_devices)
    assert place.engine_on("cuda")() == {"devices": ("0", "1")}
    assert place.engine_on("cpu") is engine
    assert chosen("local").devices is devices.visible_devices


def test_workers_that_share_a_gpu_share_its_memory(two_gpus, monkeypatch):
    size, on_gpu = architecture("small"), Backend(torch.device("cuda"), "bf16")
    alone = on_gpu.training_tokens(size, 10**6)
    monkeypatch.setenv(GPU_SHARERS, "4")
    assert on_gpu.training_tokens(size, 10**6) == pytest.approx(alone / 4, rel=0.02)
