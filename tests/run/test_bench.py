"""The bench with real workers and tiny sizes: no time is asserted, but that its figures fit together."""

from dataclasses import replace

import numpy as np
import pytest

from trimtab.data.dataset import prepare
from trimtab.data.synthetic import synthetic_pairs
from trimtab.model.sizes import architecture
from trimtab.plan.cost import duration, kind_of_step, trial_seconds
from trimtab.plan.plan import make_plan
from trimtab.run import bench as benches
from trimtab.run import speed
from trimtab.run.bench import study_time, trials_of
from trimtab.run.speed import SpeedJob, Synthetic, combined
from trimtab.training.bench import Effort, affordable, repeated
from trimtab.training.recipe import Recipe

QUICK = Effort(enough=0.05, patience=1.0)


def bench(sizes, rows, effort=QUICK, **recipe):
    recipe = Recipe(batch_size=rows.batch_size, **recipe)
    made = {name: architecture(name) for name in sizes}
    return benches.bench_sizes(made, recipe, rows, effort, 1, "cpu", lambda words: None)


@pytest.fixture(scope="module")
def rows():
    return Synthetic((9.0, 5.0), 64, 300, 16)


@pytest.fixture(scope="module")
def found(rows):
    return bench(["1x16/32/2", "2x16/32/2"], rows)


@pytest.fixture
def plan_of(study_at, tmp_path, tiny):
    """plan_of(old, new, ...): the plan of the tiny study, changed."""

    def make(*replacements):
        study = study_at(tmp_path, tiny(*replacements))
        return make_plan(study, prepare(study.data, None))

    return make


def test_every_size_at_every_precision_in_order(found):
    assert [(row["name"], row["precision"]) for row in found.rows] == [
        ("1x16/32/2", "fp32"),
        ("1x16/32/2", "bf16"),
        ("2x16/32/2", "fp32"),
        ("2x16/32/2", "bf16"),
    ]
    assert (found.device, found.processes) == ("cpu", 1)
    assert all(row["failure"] is None for row in found.rows)


def test_rates_are_positive_and_fit_together(found):
    for row in found.rows:
        assert row["tokens_per_second"] / row["examples_per_second"] == pytest.approx(9 + 5 + 3, rel=0.03)
        assert row["examples_per_second"] == pytest.approx(row["rows"] / row["step_seconds"])
        assert 0 < row["examples_per_second_low"] <= row["examples_per_second"]
        assert row["examples_per_second"] <= row["examples_per_second_high"]
        assert row["evaluation_examples_per_second"] > 0
        assert row["peak_bytes"] > 1 << 20
        assert 1 <= row["rows"] <= row["batch_size"] == 16


def test_a_size_that_cannot_fit_says_so_and_the_others_go_on(rows, monkeypatch):
    monkeypatch.setattr(speed, "available_memory", lambda: 10 << 20)
    row, *_ = bench(["12x768"], rows).rows
    assert row["failure"].startswith("does not fit into memory: 1 times 1.")
    small = bench(["12x768", "1x16/32/2"], rows).rows
    assert [row["failure"] is None for row in small] == [False, False, True, True]


def test_memory_that_runs_out_in_a_step_is_told(rows):
    told = []
    size = replace(architecture("1x16/32/2"), intermediate=1 << 50)  # no allocator gives that
    row = SpeedJob("huge", rows, size, Recipe(precision="fp32"), "cpu", QUICK).run(lambda *w: told.append(w))
    assert row["failure"] == "does not fit into memory"
    assert told == [("begin", None)]


def test_what_is_too_slow_for_a_look_is_left_out(rows):
    first, *_ = bench(["1x16/32/2"], rows, Effort(enough=0.05, patience=1e-9, fewest=8)).rows
    assert first["failure"] == "too slow: --size waits for it"


def test_rows_double_until_patience_or_the_batch_ends():
    tried = []

    def run(rows):
        tried.append(rows)
        return 0.01 * rows

    assert affordable(run, 2, 30, 3.0) == (30, pytest.approx(0.3))
    assert tried == [2, 2, 4, 8, 16, 30]
    assert affordable(run, 2, 1000, 3.0)[0] == 64  # three runs of 64 take 1.92 s, of 128 3.84 s
    assert affordable(run, 2, 1, 1e-9)[0] == 1
    assert affordable(run, 512, 512, 1e-9)[0] == 512


def test_at_least_three_runs():
    assert repeated(lambda: 1.0, 0.0) == [1.0] * 3


def test_of_several_at_once_the_mean_the_highest_peak_and_the_first_failure():
    one = {"failure": None, "rows": 8, "examples_per_second": 10.0, "peak_bytes": 5, "machine": "this"}
    other = one | {"examples_per_second": 20.0, "peak_bytes": 7}
    assert combined([one, other]) == one | {"examples_per_second": 15.0, "peak_bytes": 7}
    assert combined([one, other | {"rows": 4}]) == other | {"rows": 4}
    assert combined([one, {"failure": "it was killed"}]) == {"failure": "it was killed"}


@pytest.mark.parametrize(("lengths", "special"), [((15.0, 8.0), 3), ((15.0,), 2)])
def test_synthetic_rows(lengths, special):
    pairs = synthetic_pairs(lengths, 128, 1000, 32)
    assert pairs.tokens.lengths.mean() == pytest.approx(sum(lengths) + special, rel=0.02)
    # A Poisson distribution's variance is its mean, and those of independent texts add up.
    assert pairs.tokens.lengths.var() == pytest.approx(sum(lengths), rel=0.1)
    assert (pairs.first_lengths - 2).mean() == pytest.approx(15, rel=0.02)
    used = np.unique(pairs.tokens.values)
    assert used.min() == 3
    assert used.max() < 1000
    assert len(used) > 0.98 * 997
    assert len(synthetic_pairs(lengths, 128, 1000, 9_000)) == 9_000


def test_synthetic_rows_are_cut():
    assert set(synthetic_pairs((1e6, 1e6), 20, 100, 8).tokens.lengths) == {20}


# A study.


def made_up(plan, training, evaluation, precision="fp32"):
    rates = {"examples_per_second": training, "evaluation_examples_per_second": evaluation}
    row = {"name": kind_of_step(plan, 0), "precision": precision, "failure": None}
    return row | rates


def test_the_time_of_a_study_is_trials_by_seconds_over_processes(plan_of):
    plan = plan_of("[12, 40]", "[12]")
    [train, validation, test] = [len(plan.dataset.splits[name]) for name in ("train", "validation", "test")]
    each = 2 * train / 100 + (2 * validation + test) / 1000  # two epochs
    assert trial_seconds(plan, 0, 100, 1000) == pytest.approx(each)
    assert trial_seconds(plan, 0, 100) == pytest.approx(2 * train / 100)
    time = study_time(plan, [made_up(plan, 100, 1000)], 2)
    assert time.trials == [2, 2]
    assert time.precisions == ["fp32", "fp32"]
    assert time.seconds == pytest.approx([each, each])
    assert time.total == pytest.approx(4 * each / 2)
    assert study_time(plan, [made_up(plan, 100, 1000)], 9).total == pytest.approx(each)


def test_variants_that_share_their_trials_count_once_and_shorter_inputs_take_less(plan_of):
    plan = plan_of()  # longest_first and ratio, cut at 12 and not at 40
    assert trials_of(plan) == [2, 2, 2, 0]
    time = study_time(plan, [made_up(plan, 100, 1000)], 1)
    tokens = [inputs.tokens["train"] for inputs in plan.inputs]
    assert time.seconds[0] / time.seconds[1] == pytest.approx(tokens[0] / tokens[1])
    assert time.total == pytest.approx(2 * sum(time.seconds[:3]))


def test_settings_that_a_step_hangs_on_are_measured_apart(plan_of):
    plan = plan_of('truncation = ["longest_first", "ratio"]', "micro_batch = [4, 32]", "[12, 40]", "[12]")
    assert [kind_of_step(plan, number)[-13:] for number in (0, 1)] == ["micro_batch 4", "icro_batch 32"]
    rows = [made_up(plan, 100, 1000), made_up(plan, 200, 1000) | {"name": kind_of_step(plan, 1)}]
    slow, quick = study_time(plan, rows, 1).seconds
    assert slow - quick == pytest.approx(2 * len(plan.dataset.splits["train"]) / 200)


def test_auto_takes_what_a_run_would(plan_of):
    plan = plan_of('precision = "fp32"', 'precision = "auto"')
    rows = [made_up(plan, 100, 1000), made_up(plan, 200, 1000, "bf16")]
    assert study_time(plan, rows, 1).precisions == ["bf16"] * 4
    rows[1]["examples_per_second"] = 110.0
    assert study_time(plan, rows, 1).precisions == ["fp32"] * 4
    rows[1]["failure"] = "does not fit into memory"
    assert study_time(plan, rows, 1).precisions == ["fp32"] * 4


def test_a_study_whose_work_could_not_be_measured(plan_of):
    plan = plan_of()
    time = study_time(plan, [made_up(plan, 1, 1) | {"failure": "does not fit into memory"}], 1)
    assert (time.seconds, time.total) == ([None] * 4, None)


def test_duration():
    assert duration([2, 3], [10.0, 20.0], 4) == pytest.approx(20.0)
    assert duration([1, 0], [10.0, None], 4) == pytest.approx(10.0)
    assert duration([1, 1], [10.0, None], 4) is None
    assert duration([0], [10.0], 4) == 0


def test_a_study_is_measured_on_its_own_inputs(plan_of, monkeypatch):
    monkeypatch.setattr(benches, "WAIT", QUICK)
    plan = plan_of()
    found, time = benches.bench_study(plan, 2, "cpu", lambda words: None)
    [row] = found.rows  # one kind of work, whose precision is named
    assert (row["name"], row["precision"], row["failure"]) == (kind_of_step(plan, 0), "fp32", None)
    longest = max(inputs.tokens["train"] for inputs in plan.inputs)
    assert row["tokens_per_second"] / row["examples_per_second"] == pytest.approx(longest)
    assert found.processes == 2
    assert time.total == pytest.approx(sum(t * s for t, s in zip(time.trials, time.seconds, strict=True)) / 2)
