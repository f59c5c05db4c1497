"""Cross evaluation for real: exact weights, cells that agree with a computation by hand, and nothing lost."""

import multiprocessing
import shutil
import threading
import time

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from command_line import kill_at
from page_text import page_text
from trimtab import report
from trimtab.analysis.analysis import analyse
from trimtab.cli import main
from trimtab.data.batches import make_batch
from trimtab.data.pairs import make_pairs
from trimtab.ledger import Ledger
from trimtab.ledger.trial import Trial
from trimtab.model.classifier import Classifier
from trimtab.plan.identity import trial_config
from trimtab.plan.plan import make_plan
from trimtab.plan.prepare import prepare
from trimtab.report.plan import plan_text, time_text, trial_counts, trials_left
from trimtab.run.cross import CrossJob
from trimtab.run.ended import Ended
from trimtab.run.input_spec import input_spec
from trimtab.run.outcome import JobOutcome
from trimtab.run.pool import run_jobs
from trimtab.run.runner import ProgressCallback, run
from trimtab.truncation import parse

pytestmark = pytest.mark.integration

CROSS = ("seeds = 2", "seeds = 2\n[compare]\ncross = true")
EXCLUDED = """
[[exclude]]
positions = 12
max_len = 40
because = "no room"
"""
TRIALS, EVALUATIONS = 6, 12  # three distinct inputs, two seeds; each model is asked about the other two


@pytest.fixture(scope="module")
def crossed(tmp_path_factory, session_cache, tiny, study_at):
    """The tiny study with cross evaluation, run without interruption: the study, its Outcome."""
    folder = tmp_path_factory.mktemp("crossed")
    study = study_at(folder, tiny(*CROSS))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TRIMTAB_CACHE", str(session_cache))
        return study, run(study, out=folder / "out", device="cpu", jobs=1)


def contents(folder, pattern="trials/**/*.npz"):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.glob(pattern)}


def times(folder, pattern="trials/*/cross/*.npz"):
    whole = (path for path in folder.glob(pattern) if not path.name.startswith("."))
    return {path: path.stat().st_mtime_ns for path in whole}


def keys(study, folder):
    return [variant.trials for variant in Ledger(folder).study.variants]


def test_every_model_meets_every_other_input(crossed, ran):
    study, outcome = crossed
    assert (outcome.done_now, outcome.crossed_now, outcome.failures) == (TRIALS, TRIALS, ())
    assert len(times(outcome.folder)) == EVALUATIONS
    assert len(list(outcome.folder.glob("trials/*/weights.safetensors"))) == TRIALS
    # What is asked of a model changes neither its identity nor its predictions.
    plain = contents(ran[1].folder)
    assert {name: contents(outcome.folder)[name] for name in plain} == plain
    assert not list(outcome.folder.rglob(".writing-*"))
    before = times(outcome.folder)
    again = run(study, out=outcome.folder, device="cpu")
    assert (again.done_now, again.done_before, again.crossed_now) == (0, TRIALS, 0)
    assert times(outcome.folder) == before


def job_for(study, outcome, number, asked, folder):
    """A plan, and the job that asks a copy of a variant's model, seed 0, about some variants' inputs."""
    plan = make_plan(prepare(study))
    variant = plan.variants[number]
    trial = Ledger(outcome.folder).trial(trial_config(variant, 0).key)
    folder = folder / trial.folder.name  # its records say which trial it is of
    shutil.copytree(trial.folder, folder)
    shutil.rmtree(folder / "cross")
    others = [plan.variants[other] for other in asked]
    inputs = tuple((input_spec(other), {"test": other.inputs["test"].fingerprint}) for other in others)
    return plan, CrossJob(folder, inputs, variant.settings.size, "fp32", "cpu")


def test_loaded_weights_predict_to_the_bit_what_the_trained_model_did(tmp_path, crossed):
    study, outcome = crossed
    folders = [tmp_path / f"trial{number}" for number in range(3)]
    made = [job_for(study, outcome, number, [number], folder) for number, folder in enumerate(folders)]
    threads, ended = Ledger(outcome.folder).runtime.threads, {}
    run_jobs([job for _, job in made], 1, threads, lambda *news: None, ended.__setitem__)
    assert ended == {number: Ended(JobOutcome()) for number in range(3)}
    for number, (plan, job) in enumerate(made):
        trial = Trial(job.folder)
        found = trial.crossed.predictions(plan.variants[number].inputs["test"].fingerprint)
        assert found.tobytes() == trial.predictions("test").tobytes()


def accuracy_by_hand(study, outcome, trained, spec, max_len, seed):
    """One cell from the weights alone."""
    plan = make_plan(prepare(study))
    tokens = plan.dataset.splits["test"]
    pairs = make_pairs(tokens, parse(spec), max_len, plan.dataset.template)
    model = Classifier(study.variants[trained].settings.size, plan.dataset.vocabulary, 3)
    folder = outcome.folder / "trials" / trial_config(plan.variants[trained], seed).key
    model.load_state_dict(load_file(folder / "weights.safetensors"))
    model.eval()
    batch = make_batch(pairs, np.arange(len(pairs)), torch.device("cpu"))
    with torch.no_grad():
        return (model(batch).argmax(1) == batch.labels).double().mean().item()


def test_cells_agree_with_a_computation_by_hand(crossed):
    study, outcome = crossed
    cross = analyse(Ledger(outcome.folder)).tests[0].cross
    assert cross.inputs == [
        ["longest_first, max_len 12"],
        ["longest_first, max_len 40", "ratio, max_len 40"],
        ["ratio, max_len 12"],
    ]
    assert [row.variant.name for row in cross.models] == [names[0] for names in cross.inputs]
    for row, column, spec, max_len in ((1, 2, "ratio", 12), (0, 1, "longest_first", 40), (2, 2, "ratio", 12)):
        trained = cross.models[row].variant.number
        by_seed = [accuracy_by_hand(study, outcome, trained, spec, max_len, seed) for seed in (0, 1)]
        assert cross.models[row].means[column] == pytest.approx(np.mean(by_seed))
    assert cross.missing == []


@pytest.mark.slow
def test_a_study_that_did_not_keep_weights_trains_them_and_comes_to_the_same(tmp_path, crossed, ran):
    study, outcome = crossed
    out = tmp_path / "out"
    shutil.copytree(ran[1].folder, out)
    plan = make_plan(prepare(study))
    said = plan_text(plan, Ledger(out))
    assert (
        f"{EVALUATIONS} cross evaluations are left; for them {TRIALS} finished trials are trained again"
        in said
    )
    assert time_text(plan, trials_left(trial_counts(plan, Ledger(out))), None) == f"{TRIALS} trials left"
    done = run(study, out=out, device="cpu", jobs=1)
    assert (done.done_now, done.done_before, done.crossed_now) == (TRIALS, 0, TRIALS)
    assert contents(out) == contents(outcome.folder)
    assert keys(study, out) == keys(study, outcome.folder)
    assert not list(out.rglob("again"))
    assert "0 cross evaluations are left." in plan_text(plan, Ledger(out))
    left = trials_left(trial_counts(plan, Ledger(out)))
    assert time_text(plan, left, None) == "no trials are left to run"


@pytest.mark.slow
def test_a_variant_more_needs_its_own_trials_and_evaluations_alone(tmp_path, tiny, study_at, crossed):
    out = tmp_path / "out"
    smaller = study_at(tmp_path, tiny('["longest_first", "ratio"]', '["longest_first"]', *CROSS))
    run(smaller, out=out, device="cpu", jobs=1)
    before = times(out), times(out, "trials/*/result.json")
    assert [len(found) for found in before] == [4, 4]
    done = run(study_at(tmp_path, tiny(*CROSS)), out=out, device="cpu", jobs=1)
    assert (done.done_now, done.done_before, done.crossed_now) == (2, 4, TRIALS)
    assert times(out).items() >= before[0].items()
    assert times(out, "trials/*/result.json").items() >= before[1].items()
    assert contents(out) == contents(crossed[1].folder)


def test_without_weights_nothing_is_trained_again_where_everything_is_answered(tmp_path, crossed):
    study, outcome = crossed
    out = tmp_path / "out"
    shutil.copytree(outcome.folder, out)
    for path in out.glob("trials/*/weights.safetensors"):
        path.unlink()  # by a user who is short of room
    done = run(study, out=out, device="cpu", jobs=1)
    assert (done.done_now, done.crossed_now) == (0, 0)


def test_what_is_asked(tmp_path, tiny, study_at):
    def plan(*replacements):
        study = study_at(tmp_path, tiny(*replacements))
        return make_plan(prepare(study))

    def asked(plan, number):
        found = plan.cross_inputs(plan.variants[number])
        return {fingerprint: (test, other.number) for fingerprint, (test, other) in found.items()}

    assert asked(plan(), 0) == {}
    made = plan(*CROSS)
    short, long, ratio = (made.variants[number].inputs["test"].fingerprint for number in (0, 1, 2))
    assert asked(made, 0) == {long: ("test", 1), ratio: ("test", 2)}
    assert asked(made, 3) == asked(made, 1) == {short: ("test", 0), ratio: ("test", 2)}
    # A model of 12 positions has none for longer rows.
    axis = ("[grid]", "[grid]\npositions = [12, 40]", CROSS[0], f"{CROSS[1]}\n{EXCLUDED}")
    few = plan(*axis)
    assert [variant.settings.size.positions for variant in few.variants] == [12, 12, 40, 40, 40, 40]
    assert asked(few, 0) == {ratio: ("test", 1)}
    assert asked(few, 2) == {long: ("test", 3), ratio: ("test", 1)}


# Killing.


def interrupted(out, crossed):
    """A copy of the crossed ledger that has only the first three of its evaluations."""
    shutil.copytree(crossed[1].folder, out)
    for path in sorted(times(out))[3:]:
        path.unlink()


def assert_does_only_what_is_missing(out, crossed):
    study, outcome = crossed
    before = times(out), times(out, "trials/*/result.json")
    done = run(study, out=out, device="cpu", jobs=1)
    assert (done.done_now, done.failures) == (0, ())
    assert times(out).items() >= before[0].items()
    assert times(out, "trials/*/result.json") == before[1]
    assert contents(out) == contents(outcome.folder)


@pytest.mark.usefixtures("unsaved_figures")
def test_only_what_is_missing_is_evaluated(tmp_path, crossed):
    interrupted(tmp_path / "out", crossed)
    report.write(tmp_path / "out")  # what is there can be reported
    assert_does_only_what_is_missing(tmp_path / "out", crossed)


@pytest.mark.slow
def test_killed_while_it_evaluates_it_does_only_what_is_missing(tmp_path, crossed):
    out = tmp_path / "out"
    interrupted(out, crossed)
    assert kill_at(lambda out: len(times(out)) >= 5, crossed[0].path, out)
    assert len(times(out)) >= 5
    assert_does_only_what_is_missing(out, crossed)


@pytest.mark.slow
def test_killed_while_it_trains_for_weights_it_keeps_the_old_results_whole(tmp_path, crossed, ran):
    study, outcome = crossed
    out = tmp_path / "out"
    shutil.copytree(ran[1].folder, out)
    old = contents(out)
    assert kill_at(lambda out: list(out.glob("trials/*/again/metrics.jsonl")), study.path, out)
    kept = contents(out)
    assert {name: kept[name] for name in old} == old
    assert [len(Trial(folder).epochs()) for folder in out.glob("trials/*")] == [2] * TRIALS
    report.write(out)
    run(study, out=out, device="cpu", jobs=1)
    assert contents(out) == contents(outcome.folder)
    assert not list(out.rglob("again"))


# Failing.


@pytest.mark.slow
def test_weights_that_cannot_be_read_are_named_and_tried_again(tmp_path, crossed, capsys):
    study, outcome = crossed
    out = tmp_path / "out"
    shutil.copytree(outcome.folder, out)
    plan = make_plan(prepare(study))
    trial = Ledger(out).trial(trial_config(plan.variants[2], 1).key)
    shutil.rmtree(trial.crossed.folder)
    (trial.folder / "weights.safetensors").write_bytes(b"damaged")
    command = ["run", str(study.path), "--out", str(out), "--device", "cpu", "--jobs", "1"]
    assert main(command) == 1
    [line] = capsys.readouterr().err.splitlines()
    path = trial.folder / "weights.safetensors"
    assert line.startswith(
        f"trimtab: failed: ratio, max_len 12, seed 1: cross evaluation: {path}: cannot be read"
    )
    assert line.endswith(f"; delete {path} and run the study again")
    page = page_text(out)
    assert "Missing: 1 of the cross evaluations" in page
    assert f"failed: ratio, max_len 12, seed 1: {path}: cannot be read" in page
    path.unlink()
    assert main(command) == 0
    assert contents(out) == contents(outcome.folder)
    assert trial.crossed.failure is None
    assert "of the cross evaluations" not in page_text(out)


class KillTheWorker(ProgressCallback):
    """Kills the first worker of the cross evaluation, as a system short of memory would."""

    def __init__(self):
        self.ends = []

    def start(self, trials, done_before, cost, what="trials"):
        if what != "trials":
            threading.Thread(target=self.kill, daemon=True).start()

    def kill(self):
        while not multiprocessing.active_children():
            time.sleep(0.001)
        multiprocessing.active_children()[0].kill()

    def end(self, label, failure, accuracy=None):
        self.ends.append((label, failure))


def test_a_killed_worker_is_named_and_its_evaluation_tried_again(tmp_path, crossed):
    study, outcome = crossed
    out = tmp_path / "out"
    shutil.copytree(outcome.folder, out)
    for path in out.glob("trials/*/cross"):
        shutil.rmtree(path)
    killer = KillTheWorker()
    done = run(study, out=out, device="cpu", jobs=1, progress=killer)
    assert (done.done_now, done.done_before, done.crossed_now) == (0, TRIALS, TRIALS - 1)
    [failure] = done.failures
    killed = "its process was killed, as happens when memory runs out; lower --jobs"
    assert failure.reason == f"cross evaluation: {killed}"
    assert [failure for _, failure in killer.ends] == [killed] + [None] * (TRIALS - 1)
    assert run(study, out=out, device="cpu", jobs=1).crossed_now == 1
    assert contents(out) == contents(outcome.folder)


def test_test_sets_of_the_same_rows_are_each_asked(tiny, study_at, tmp_path, session_cache, monkeypatch):
    monkeypatch.setenv("TRIMTAB_CACHE", str(session_cache))
    sets = "[data.test.one]\ntest = 40\n[data.test.other]\ntest = 40\n[base]"
    study = study_at(tmp_path, tiny(*CROSS, "test = 60\n", "", "[base]", sets))
    plan = make_plan(prepare(study))
    asked = plan.cross_inputs_by_test(plan.variants[0])
    assert asked["one"] == asked["other"] != {}
    assert list(plan.cross_inputs(plan.variants[0])) == list(asked["one"])  # and each is evaluated once
