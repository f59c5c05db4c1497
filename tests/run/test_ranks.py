"""A trial that several processes train: what becomes of it when one is gone, and how many run at a time."""

import multiprocessing
import os
import signal

import numpy as np
import pytest

import pool_jobs
import rank_work
from trimtab.config import InputError
from trimtab.ledger.ledger import Ledger
from trimtab.ledger.records import RuntimeRecord
from trimtab.machine import signature
from trimtab.plan.cost import speed_kind
from trimtab.plan.identity import trial_config
from trimtab.plan.plan import make_plan
from trimtab.plan.prepare import prepare
from trimtab.run import devices, runtime
from trimtab.run.devices import check_devices, together
from trimtab.run.input_spec import input_spec
from trimtab.run.outcome import JobOutcome, retries
from trimtab.run.pool import run_jobs
from trimtab.run.progress import ProgressCallback
from trimtab.run.ranks import environment_of_rank
from trimtab.run.runner import run
from trimtab.run.runtime import begun, default_jobs
from trimtab.training.epoch import Epoch

pytestmark = pytest.mark.integration

ONE_VARIANT = ("[12, 40]", "[12]", '["longest_first", "ratio"]', '["ratio"]', "seeds = 2", "seeds = 1")
TWO = ("[base]", "[base]\ndevices = 2")


def planned(study_at, folder, text):
    return make_plan(prepare(study_at(folder, text)))


def test_a_killed_process_ends_the_others_and_costs_no_other_job(tmp_path, tiny, study_at):
    plan = planned(study_at, tmp_path, tiny(*ONE_VARIANT, *TWO, "epochs = 2", "epochs = 40"))
    [variant] = plan.variants
    config = trial_config(variant, 0)
    killed = rank_work.Killing(
        folder=tmp_path / "trial",
        config=config,
        recipe=config.recipe,
        input_spec=input_spec(variant),
        device="cpu",
        keep_weights=False,
        signature=signature(),
    )
    ends = {}
    run_jobs([killed, pool_jobs.Answer(1)], 1, 1, lambda number, news: None, ends.__setitem__)
    outcome = ends[0].value
    reason = "process 2 of the 2 that trained it was killed, as happens when memory runs out; "
    assert outcome == JobOutcome(reason + "lower batch_size or --jobs", may_pass=True, killed=True)
    assert retries(ends[0]) > 0
    assert ends[1].value == 1
    assert not multiprocessing.active_children()


class AskTheWorker(ProgressCallback):
    """Asks the worker to stop at its first epoch."""

    asked = 0

    def news(self, label, news):
        if isinstance(news, Epoch) and not self.asked:
            self.asked += 1
            for process in multiprocessing.active_children():
                os.kill(process.pid, signal.SIGTERM)


@pytest.mark.slow
def test_a_study_compares_one_device_with_two_and_resumes(tmp_path, tiny, study_at):
    text = tiny(*ONE_VARIANT, "[grid]", "[grid]\ndevices = [1, 2]")
    study, asker = study_at(tmp_path, text), AskTheWorker()
    outcome = run(study, out=tmp_path / "out", device="cpu", jobs=1)
    again = run(study, out=tmp_path / "again", device="cpu", jobs=1, progress=asker)
    assert asker.asked == 1
    assert (outcome.done_now, outcome.failures) == (again.done_now, again.failures) == (2, ())
    found = {}
    for folder in (outcome.folder, again.folder):
        ledger = Ledger(folder)
        for key in {key for each in ledger.study.variants for key in each.trials.values()}:
            trial = ledger.trial(key)
            found[folder, trial.result.recipe.devices] = trial.predictions("test")
    for count in (1, 2):
        assert np.array_equal(found[outcome.folder, count], found[again.folder, count])
    np.testing.assert_allclose(found[outcome.folder, 2], found[outcome.folder, 1], rtol=1e-3, atol=1e-4)


def test_a_number_of_devices_makes_another_trial_and_one_is_what_there_always_was(tmp_path, tiny, study_at):
    one, two = (
        planned(study_at, tmp_path / name, tiny(*ONE_VARIANT, *changed)).variants[0]
        for name, changed in (("one", ()), ("two", TWO))
    )
    assert trial_config(one, 0).key != trial_config(two, 0).key
    assert "devices" not in trial_config(one, 0).recipe.identity()
    assert speed_kind(two) == speed_kind(one) + ", devices 2"


def test_trials_at_a_time_leave_each_its_devices(tmp_path, tiny, study_at, monkeypatch):
    monkeypatch.setattr(runtime, "available_cores", lambda: 8)
    plan = planned(study_at, tmp_path, tiny(*ONE_VARIANT, *TWO))
    assert default_jobs(RuntimeRecord(threads=1, device="cpu"), plan) == 4
    assert default_jobs(RuntimeRecord(threads=3, device="cpu"), plan) == 1
    assert begun(None, tmp_path, 2 * plan.devices, "cpu").threads == 2


def test_gpus_are_shared_out_in_groups(monkeypatch):
    assert together(("0", "1", "2", "3", "4"), 2) == ("0,1", "2,3")
    assert together(("0", "1"), 1) == ("0", "1")
    assert environment_of_rank(1, "2,3") == {"CUDA_VISIBLE_DEVICES": "3"}
    assert environment_of_rank(1, None) == {"CUDA_VISIBLE_DEVICES": "1"}
    monkeypatch.setattr(devices, "visible_devices", lambda device: ("0", "1"))
    check_devices(2)
    with pytest.raises(InputError, match=r"^devices = 4: there are 2 GPUs here; lower it, or "):
        check_devices(4)


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ("devices = 0", "devices = 0 is wrong; it should be"),
        ("devices = -1", "devices = -1 is wrong; it should be"),
        ("devices = 1.5", "devices = 1.5 is wrong"),
        ("devices = 64", "devices = 64 is more than the 32 rows of a batch, which they share; lower devices"),
        (
            'devices = 2\nimplementation = "transformers"',
            "devices = 2: a model that trains through transformers has one process; leave devices out",
        ),
    ],
)
def test_a_number_of_devices_that_cannot_be_is_refused(tmp_path, tiny, wrong, changed, sentence):
    path = tmp_path / "study.toml"
    path.write_text(tiny("[base]", f"[base]\n{changed}"))
    assert sentence in wrong("plan", path)
