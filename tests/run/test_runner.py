"""The runner, with real training in worker processes: what is done once stays done, whatever happens."""

import csv
import multiprocessing
import os
import pickle
import random
import subprocess
import sys
import time

import numpy as np
import pytest

from command_line import PATIENCE, kill_at
from page_text import page_text
from trimtab import report
from trimtab.cli import main
from trimtab.config import InputError
from trimtab.ledger import Ledger
from trimtab.ledger.trial import Trial
from trimtab.machine import signature
from trimtab.plan.identity import trial_config
from trimtab.plan.plan import make_plan
from trimtab.plan.prepare import prepare
from trimtab.run.ended import Ended
from trimtab.run.engine import Place
from trimtab.run.engines import ENGINES
from trimtab.run.input_spec import input_spec
from trimtab.run.jobs import TrialJob
from trimtab.run.outcome import JobOutcome
from trimtab.run.pool import run_jobs
from trimtab.run.runner import ProgressCallback, run
from trimtab.run.runtime import begin, default_jobs
from trimtab.training.epoch import Epoch

pytestmark = pytest.mark.integration

TABLES = ("accuracy-test.csv", "contrasts-test.csv")


def results(folder):
    """The time at which each finished trial of a ledger was marked complete."""
    return {path.parent.name: path.stat().st_mtime_ns for path in folder.glob("trials/*/result.json")}


def predictions(folder):
    arrays = {}
    for path in folder.glob("trials/*/predictions.npz"):
        with np.load(path) as loaded:
            arrays[path.parent.name] = dict(loaded)
    return arrays


def assert_same_predictions(folder, other, keys=None):
    """Of all trials, or of those with ``keys``, which are all that ``folder`` holds."""
    one, two = predictions(folder), predictions(other)
    assert one.keys() == (two.keys() if keys is None else set(keys))
    for key, arrays in one.items():
        for name, array in arrays.items():
            assert array.tobytes() == two[key][name].tobytes(), (key, name)


def tables(folder):
    report.write(folder)
    return {name: (folder / "tables" / name).read_bytes() for name in TABLES}


def test_a_study_end_to_end(ran):
    study, outcome = ran
    assert (outcome.done_now, outcome.done_before, outcome.failures) == (6, 0, ())
    frame = Ledger(outcome.folder).frame()
    assert len(frame) == 8  # of four variants and two seeds, two of which share their trials
    assert set(frame["status"]) == {"done"}
    assert frame["key"].nunique() == 6
    assert frame["tests.test.accuracy"].between(0, 1).all()
    assert (frame["examples_per_second"] > 0).all()
    assert (frame["recipe.precision"] == "fp32").all()
    for key in frame["key"]:
        trial = Ledger(outcome.folder).trial(key)
        assert trial.predictions("test").shape == (60, 3)
        assert [record.epoch for record in trial.epochs()] == [1, 2]
        assert not (trial.folder / "weights.safetensors").exists()
    assert study.name == Ledger(outcome.folder).study.name
    assert not list(outcome.folder.rglob(".writing-*"))


def test_a_second_run_does_nothing(ran):
    study, outcome = ran
    before = results(outcome.folder)
    again = run(study, out=outcome.folder, device="cpu")
    assert (again.done_now, again.done_before) == (0, 6)
    assert results(outcome.folder) == before


@pytest.mark.slow
def test_a_study_that_grows_trains_what_is_new_and_comes_to_the_same_bytes(tmp_path, ran, tiny, study_at):
    out, finished = tmp_path / "out", {}
    steps = (
        (('["longest_first", "ratio"]', '["longest_first"]', "seeds = 2", "seeds = 1"), 2, 0),
        (('["longest_first", "ratio"]', '["longest_first"]'), 2, 2),  # a seed more
        ((), 2, 4),  # a strategy more, which shares what it does not cut
    )
    for replacements, now, before in steps:
        outcome = run(study_at(tmp_path, tiny(*replacements)), out=out, device="cpu", jobs=1)
        assert (outcome.done_now, outcome.done_before) == (now, before)
        assert results(out).items() >= finished.items()
        finished = results(out)
    assert_same_predictions(out, ran[1].folder)


def test_another_device_than_the_ledger_was_begun_on(ran):
    study, outcome = ran
    with pytest.raises(InputError) as caught:
        run(study, out=outcome.folder, device="cuda")
    assert str(caught.value) == (
        f"--device cuda: {outcome.folder} was begun on cpu; leave --device out, or choose another folder "
        "with --out DIR"
    )


def test_an_engine_of_another_name_runs_the_trials(tmp_path, ran, tiny, study_at, monkeypatch):
    """Where trials run is chosen by name, and what comes out does not depend on it."""
    begun = []

    def in_turn(jobs, processes, threads, on_news, on_end, *, on_start=None, **how):
        def place(number):
            return len(jobs) - 1 - number

        turned = list(reversed(jobs))
        begun.extend(job.folder.name for job in turned)
        run_jobs(
            turned,
            1,
            threads,
            lambda number, news: on_news(place(number), news),
            lambda number, ended: on_end(place(number), ended),
            on_start=(lambda number: on_start(place(number))) if on_start else (lambda number: True),
        )

    monkeypatch.setitem(ENGINES, "backwards", lambda address, options: Place(in_turn, begin, default_jobs))
    study = study_at(tmp_path, tiny("[12, 40]", "[12]", "seeds = 2", "seeds = 1"))
    done = run(study, out=tmp_path / "out", device="cpu", jobs=1, engine="backwards")
    assert (done.done_now, done.failures) == (2, ())
    assert len(begun) == 2
    assert_same_predictions(tmp_path / "out", ran[1].folder, begun)


def test_a_trial_that_lost_its_gpu_is_tried_once_more_without_captured_steps(
    tmp_path, tiny, study_at, monkeypatch
):
    jobs, lost = [], Ended(traceback="...\nRuntimeError: CUDA error: misaligned address", lost_device=True)

    def engine(given, processes, threads, on_news, on_end, *, on_start, more):
        assert on_start(0)
        jobs.append(given[0])
        while jobs[-1] is not None:
            jobs.append(on_end(0, lost))

    monkeypatch.setitem(ENGINES, "spoilt", lambda address, options: Place(engine, begin, default_jobs))
    text = tiny('["longest_first", "ratio"]', '["ratio"]', "[12, 40]", "[12]", "seeds = 2", "seeds = 1")
    done = run(study_at(tmp_path, text), out=tmp_path / "out", device="cpu", engine="spoilt")
    assert [job and job.graphs for job in jobs] == [None, False, None]
    assert len(jobs[1].failed_before) == 1
    (failure,) = done.failures
    assert failure.reason.startswith("an error of the GPU, which ended its process: RuntimeError: CUDA error")


# Killing.


def assert_survives(study, out, moments, uninterrupted):
    """Kill a run at each moment and let it end at last: what was finished stays, and it comes to the same."""
    before, killed = {}, 0
    for moment in moments:
        killed += kill_at(moment, study.path, out)
        assert results(out).items() >= before.items()
        before = results(out)
    assert run(study, out=out, device="cpu", jobs=1).failures == ()
    assert results(out).items() >= before.items()
    assert_same_predictions(out, uninterrupted)
    return killed


def begun(number):
    """When the ``number``-th trial has an epoch behind it."""
    return lambda out: len(list(out.glob("trials/*/metrics.jsonl"))) >= number


def after(seconds):
    """So many seconds from when it is first asked."""
    since = []

    def due(out):
        since[:] = since or [time.monotonic()]
        return time.monotonic() - since[0] > seconds

    return due


on_linux = pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")


@on_linux
def test_killed_it_comes_to_the_same(tmp_path, ran):
    study, outcome = ran
    assert assert_survives(study, tmp_path / "out", [begun(2)], outcome.folder) == 1


@pytest.mark.slow
@on_linux
@pytest.mark.parametrize("seed", range(2))
def test_killed_at_five_random_moments_it_comes_to_the_same_tables(tmp_path, tiny, study_at, seed):
    study = study_at(tmp_path, tiny("epochs = 2", "epochs = 30"))
    run(study, out=tmp_path / "uninterrupted", device="cpu", jobs=1)
    # From before the folder exists, over the worker's start, into one trial or another.
    chance = random.Random(seed)
    moments = [after(chance.uniform(0, 8)) for _ in range(5)]
    assert assert_survives(study, tmp_path / "out", moments, tmp_path / "uninterrupted") >= 2
    assert tables(tmp_path / "out") == tables(tmp_path / "uninterrupted")


# Failing.


class KillTheWorker(ProgressCallback):
    """Kills the worker at an epoch, as a system short of memory would, so many times."""

    def __init__(self, most):
        self.kills, self.most = 0, most

    def news(self, label, news):
        if isinstance(news, Epoch) and self.kills < self.most:
            self.kills += 1
            for process in multiprocessing.active_children():
                process.kill()


@pytest.mark.parametrize(("kills", "rows"), [(1, None), (2, 16)])
def test_a_killed_worker_is_replaced(tmp_path, tiny, study_at, kills, rows):
    """Once may be chance, and the trial comes to the same; killed again it takes smaller micro-batches."""
    small = ("[12, 40]", "[12]", '["longest_first", "ratio"]', '["ratio"]', "seeds = 2", "seeds = 1")
    killer = KillTheWorker(kills)
    study = study_at(tmp_path, tiny(*small, "epochs = 2", "epochs = 8"))
    outcome = run(study, out=tmp_path / "out", device="cpu", jobs=1, progress=killer)
    assert killer.kills == kills
    assert (outcome.done_now, outcome.failures) == (1, ())
    assert Ledger(outcome.folder).frame()["recipe.micro_batch"].tolist() == [rows]


class AskTheWorker(ProgressCallback):
    """Asks the worker to stop at its first epoch, as somebody may who mistakes it for the run."""

    def __init__(self):
        self.asked = 0

    def news(self, label, news):
        if isinstance(news, Epoch) and not self.asked:
            self.asked += 1
            for process in multiprocessing.active_children():
                process.terminate()


def test_a_worker_that_is_asked_to_stop_costs_no_trial(tmp_path, ran, tiny, study_at):
    """It stops at a checkpoint, and the run, which was not asked, goes on from there."""
    small = ("[12, 40]", "[12]", '["longest_first", "ratio"]', '["ratio"]', "seeds = 2", "seeds = 1")
    asker = AskTheWorker()
    study = study_at(tmp_path, tiny(*small))
    outcome = run(study, out=tmp_path / "out", device="cpu", jobs=1, progress=asker)
    assert asker.asked == 1
    assert (outcome.done_now, outcome.done_by_others, outcome.failures) == (1, 0, ())
    [key] = results(tmp_path / "out")
    assert_same_predictions(tmp_path / "out", ran[1].folder, [key])


OUT_OF_MEMORY = """
import pickle, resource, sys
from pathlib import Path
import torch
torch.set_num_threads(1)
jobs = [pickle.loads(Path(path).read_bytes()) for path in sys.argv[2:]]
used = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmSize"))
limit = int(used.split()[1]) * 1024 + int(sys.argv[1]) * 2**20
resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
for job in jobs:
    print(job.run(lambda news: None))
"""


def job_of(tmp_path, tiny, study_at, size):
    """The job of a trial of that size, all of whose rows are one batch."""
    many = ("train = 320", "train = 512", "batch_size = 32", "batch_size = 512", "epochs = 2", "epochs = 1")
    plan = make_plan(prepare(study_at(tmp_path, tiny(*many, "2x32/64/2", size))))
    config = trial_config(plan.variants[0], 0)
    return TrialJob(
        folder=tmp_path / size.replace("/", "-"),
        config=config,
        recipe=config.recipe,
        input_spec=input_spec(plan.variants[0]),
        device="cpu",
        keep_weights=False,
        signature=signature(),
    )


# The feed-forward layer of 4,096 tokens takes 134 MB and its gradients as much, more than is allowed; that of
# few rows, little. There are two layers, as the last one sees one token of a row alone. A layer whose weights
# alone do not fit cannot be helped.
@on_linux
def test_out_of_memory_is_met_with_smaller_micro_batches(tmp_path, tiny, study_at):
    jobs = [job_of(tmp_path, tiny, study_at, size) for size in ("1x32/8000000/2", "2x32/8192/2")]
    paths = [tmp_path / f"job{number}" for number in range(2)]
    for job, path in zip(jobs, paths, strict=True):
        path.write_bytes(pickle.dumps(job))
    command = [sys.executable, "-c", OUT_OF_MEMORY, "360", *map(str, paths)]
    # What is limited is addresses, not memory: each thread that meets another in malloc would reserve 64 MiB
    # of them, and a heap keeps those of large blocks when it has given their memory back.
    environment = os.environ | {"MALLOC_ARENA_MAX": "1", "MALLOC_MMAP_THRESHOLD_": "131072"}
    run = subprocess.run(
        command, env=environment, capture_output=True, text=True, check=False, timeout=PATIENCE
    )
    assert run.returncode == 0, run.stderr
    hopeless, helped = run.stdout.splitlines()
    assert 'failure="out of memory, with 1 rows at a time: ' in hopeless
    assert Trial(jobs[0].folder).result is None
    assert helped == repr(JobOutcome())
    recipe = Trial(jobs[1].folder).result.recipe
    assert recipe.micro_batch in (128, 64, 32, 16, 8)
    assert recipe.batch_size == 512


@pytest.mark.usefixtures("unsaved_figures")
def test_a_diverged_trial_fails_and_the_study_goes_on(tmp_path, tiny, study_at, capsys):
    rates = ("learning_rate = 1e-3", "clip = 0", "[grid]", "[grid]\nlearning_rate = [1e-3, 1e6]")
    small = ('truncation = ["longest_first", "ratio"]\n', "", "[12, 40]", "[12]", "seeds = 2", "seeds = 1")
    study = study_at(tmp_path, tiny(*rates, *small))
    out = tmp_path / "out"
    code = main(["run", str(study.path), "--out", str(out), "--device", "cpu", "--jobs", "1", "--quiet"])
    said, complained = capsys.readouterr()
    assert code == 1
    name = "learning_rate 1000000.0, max_len 12, seed 0"
    [line] = complained.splitlines()
    assert line.startswith(f"trimtab: failed: {name}: the lo")
    assert line.endswith("; lower learning_rate, or set clip")
    assert said.splitlines()[0] == "1 trials done now, 0 before"
    assert said.splitlines()[-1] == str(out / "report.html")
    reason = line.removeprefix(f"trimtab: failed: {name}: ")
    page = page_text(out)
    assert f"failed: {name}: {reason}" in page
    assert "Missing: 1 of 2 trials." in page
    frame = Ledger(out).frame()
    assert frame["status"].tolist() == ["done", "failed"]
    with (out / "tables" / "accuracy-test.csv").open(newline="") as file:
        assert [row["name"] for row in csv.DictReader(file)] == ["learning_rate 0.001, max_len 12"]
    # It is tried again, and alone.
    again = run(study, out=out, device="cpu", jobs=1)
    assert (again.done_now, again.done_before, again.failures[0].reason) == (0, 1, reason)


class Warnings(ProgressCallback):
    """Keeps what a run warns of."""

    def __init__(self):
        self.sentences = []

    def warn(self, sentence):
        self.sentences.append(sentence)


@pytest.mark.parametrize(("rate", "warned"), [("1e-9", True), ("1e-3", False)])
def test_a_model_that_gives_all_rows_one_class_is_warned_of_once(tmp_path, tiny, study_at, rate, warned):
    """With a vanishing rate it never leaves the class that its initial weights happen to prefer."""
    small = ("[12, 40]", "[40]", '["longest_first", "ratio"]', '["ratio"]', "1e-3", rate)
    told = Warnings()
    outcome = run(
        study_at(tmp_path, tiny(*small, "epochs = 2", "epochs = 3")),
        out=tmp_path / "out",
        device="cpu",
        jobs=1,
        progress=told,
    )
    ledger = Ledger(outcome.folder)
    shares = [
        [each.validation_most_predicted for each in ledger.trial(key).epochs()]
        for key in ledger.frame()["key"]
    ]
    assert all(1 / 3 <= share <= 1 for of_trial in shares for share in of_trial)
    assert len(told.sentences) == warned == any(1.0 in of_trial for of_trial in shares)
    if warned:
        assert told.sentences[0].startswith(
            "ratio, max_len 40, seed 0: after epoch 1 of 3 it gives every row"
        )
