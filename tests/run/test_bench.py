"""The bench with real workers and tiny sizes: no time is asserted, but that its figures fit together."""

from dataclasses import replace

import numpy as np
import pytest

from trimtab.data.synthetic import synthetic_pairs
from trimtab.model.sizes import architecture
from trimtab.plan.cost import duration, speed_kind, trial_seconds
from trimtab.plan.plan import make_plan
from trimtab.plan.prepare import prepare
from trimtab.run import bench as benches
from trimtab.run import speed
from trimtab.run.bench import study_time, trials_of
from trimtab.run.speed import Begun, MeasuredSpeed, SpeedJob, SpeedRow, Synthetic, combined
from trimtab.training.bench import Effort, Speed, affordable, repeated
from trimtab.training.recipe import Recipe

pytestmark = pytest.mark.integration

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
        return make_plan(prepare(study))

    return make


def test_every_size_at_every_precision_in_order(found):
    assert [(row.name, row.precision) for row in found.rows] == [
        ("1x16/32/2", "fp32"),
        ("1x16/32/2", "bf16"),
        ("2x16/32/2", "fp32"),
        ("2x16/32/2", "bf16"),
    ]
    assert (found.device, found.processes) == ("cpu", 1)
    assert all(row.measured.failure is None for row in found.rows)


def test_rates_are_positive_and_fit_together(found):
    for row in found.rows:
        speed = row.measured.speed
        assert speed.tokens_per_second / speed.examples_per_second == pytest.approx(9 + 5 + 3, rel=0.03)
        assert speed.examples_per_second == pytest.approx(speed.rows / speed.step_seconds)
        assert 0 < speed.examples_per_second_low <= speed.examples_per_second
        assert speed.examples_per_second <= speed.examples_per_second_high
        assert speed.evaluation_examples_per_second > 0
        assert speed.peak_bytes > 1 << 20
        assert 1 <= speed.rows <= row.batch_size == 16


def test_a_size_that_cannot_fit_says_so_and_the_others_go_on(rows, monkeypatch):
    monkeypatch.setattr(speed, "available_memory", lambda: 10 << 20)
    row, *_ = bench(["12x768"], rows).rows
    assert row.measured.failure.startswith("does not fit into memory: 1 times 1.")
    small = bench(["12x768", "1x16/32/2"], rows).rows
    assert [row.measured.failure is None for row in small] == [False, False, True, True]


def test_memory_that_runs_out_in_a_step_is_told(rows):
    news = []
    size = replace(architecture("1x16/32/2"), intermediate=10_000_000, hidden=1_000_000)  # nothing gives that
    measured = SpeedJob("huge", rows, size, Recipe(precision="fp32"), "cpu", QUICK).run(news.append)
    assert (measured.speed, measured.failure) == (None, "does not fit into memory")
    assert news == [Begun()]


def test_what_is_too_slow_for_a_look_is_left_out(rows):
    first, *_ = bench(["1x16/32/2"], rows, Effort(enough=0.05, patience=1e-9, fewest=8)).rows
    assert first.measured.failure == "too slow; name it with --size to measure it anyway"


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


def speed_of(training, evaluation=1.0, rows=8, peak=5):
    return Speed(
        rows=rows,
        whole_batch=16,
        step_seconds=rows / training,
        examples_per_second=training,
        examples_per_second_low=training,
        examples_per_second_high=training,
        tokens_per_second=7 * training,
        evaluation_examples_per_second=evaluation,
        peak_bytes=peak,
    )


def test_of_several_at_once_the_mean_the_highest_peak_and_the_first_failure():
    one, other = (MeasuredSpeed("this", speed_of(rate, peak=peak)) for rate, peak in ((10.0, 5), (20.0, 7)))
    both = combined([one, other])
    assert (both.machine, both.failure, both.speed.rows, both.speed.peak_bytes) == ("this", None, 8, 7)
    assert (both.speed.examples_per_second, both.speed.tokens_per_second) == (15.0, 105.0)
    assert both.speed.step_seconds == pytest.approx(0.6)
    fewer = MeasuredSpeed("this", speed_of(20.0, rows=4))
    assert combined([one, fewer]) == fewer
    killed = MeasuredSpeed(failure="it was killed")
    assert combined([one, killed]) == killed


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


def made_up(variant, training, evaluation=1000.0, precision="fp32"):
    measured = MeasuredSpeed("this", speed_of(training, evaluation))
    return SpeedRow(speed_kind(variant), "a size", precision, 32, 300, measured)


def failed(row):
    return replace(row, measured=MeasuredSpeed(failure="does not fit into memory"))


def test_the_time_of_a_study_is_trials_by_seconds_over_processes(plan_of):
    plan = plan_of("[12, 40]", "[12]")
    first = plan.variants[0]
    [train, validation, test] = [len(plan.dataset.splits[name]) for name in ("train", "validation", "test")]
    each = 2 * train / 100 + (2 * validation + test) / 1000  # two epochs
    assert trial_seconds(first, 100, 1000) == pytest.approx(each)
    assert trial_seconds(first, 100) == pytest.approx(2 * train / 100)
    time = study_time(plan, [made_up(first, 100.0)], 2)
    assert time.trials == [2, 2]
    assert time.precisions == ["fp32", "fp32"]
    assert time.seconds == pytest.approx([each, each])
    assert time.total == pytest.approx(4 * each / 2)
    assert study_time(plan, [made_up(first, 100.0)], 9).total == pytest.approx(each)


def test_variants_that_share_their_trials_count_once_and_shorter_inputs_take_less(plan_of):
    plan = plan_of()  # longest_first and ratio, cut at 12 and not at 40
    assert trials_of(plan) == [2, 2, 2, 0]
    time = study_time(plan, [made_up(plan.variants[0], 100.0)], 1)
    tokens = [variant.inputs["train"].tokens for variant in plan.variants]
    assert time.seconds[0] / time.seconds[1] == pytest.approx(tokens[0] / tokens[1])
    assert time.total == pytest.approx(2 * sum(time.seconds[:3]))


def test_settings_that_the_time_of_a_step_depends_on_are_measured_apart(plan_of):
    plan = plan_of('truncation = ["longest_first", "ratio"]', "micro_batch = [4, 32]", "[12, 40]", "[12]")
    few, many = plan.variants
    assert [speed_kind(variant)[-13:] for variant in (few, many)] == ["micro_batch 4", "icro_batch 32"]
    slow, quick = study_time(plan, [made_up(few, 100.0), made_up(many, 200.0)], 1).seconds
    assert slow - quick == pytest.approx(2 * len(plan.dataset.splits["train"]) / 200)


def test_auto_takes_what_a_run_would(plan_of):
    plan = plan_of('precision = "fp32"', 'precision = "auto"')
    first = plan.variants[0]
    slow, quick = made_up(first, 100.0), made_up(first, 200.0, precision="bf16")
    assert study_time(plan, [slow, quick], 1).precisions == ["bf16"] * 4
    assert study_time(plan, [slow, made_up(first, 110.0, precision="bf16")], 1).precisions == ["fp32"] * 4
    assert study_time(plan, [slow, failed(quick)], 1).precisions == ["fp32"] * 4


def test_a_study_whose_trials_could_not_be_measured(plan_of):
    plan = plan_of()
    time = study_time(plan, [failed(made_up(plan.variants[0], 1.0))], 1)
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
    [row] = found.rows  # one kind of trials, whose precision is named
    speed = row.measured.speed
    assert (row.name, row.precision) == (speed_kind(plan.variants[0]), "fp32")
    longest = max(variant.inputs["train"].tokens for variant in plan.variants)
    assert speed.tokens_per_second / speed.examples_per_second == pytest.approx(longest)
    assert found.processes == 2
    assert time.total == pytest.approx(sum(t * s for t, s in zip(time.trials, time.seconds, strict=True)) / 2)
