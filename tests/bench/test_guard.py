"""Guards: the race with a fake clock, and a real guard before and after a deliberate slowdown."""

import subprocess
import sys
from pathlib import Path

import pytest

from bench.regression.guard import race

ROOT = Path(__file__).parents[2]

# A plugin that puts a loop over rows into what every batch is made by.
SLOWED = """
import torch
from trimtab.data.rows import Rows

def slowed(self, index):
    for row in index:
        ids, first = self.pairs.tokens[row].tolist(), self.pairs.first_lengths[row]
        segments = [int(place >= first) for place in range(len(ids))]
        rows = [torch.tensor(values) for values in (ids, segments)]
    return layout(self, index)

layout, Rows.layout = Rows.layout, slowed
"""


class Clock:
    """Time that passes only while work is done, by given amounts."""

    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now

    def work(self, seconds, done):
        rounds = iter(seconds)

        def run():
            done.append(self)
            self.now += next(rounds)

        return run


def raced(path, oracle, least, **options):
    clock, done = Clock(), []
    return race(clock.work(path, done), clock.work(oracle, done), least=least, clock=clock, **options)


def test_the_ratio_is_that_of_the_least_times_after_the_first():
    found = raced([0.1, 4, 2, 3, 5, 2], [1, 30, 25, 20, 40, 22], least=5)
    assert (found.times, found.seconds, found.oracle_seconds) == pytest.approx((10, 2, 20))
    assert found.rounds == 5


def test_an_oracle_on_fewer_rows_counts_as_often_as_its_rows_do():
    assert raced([1] * 6, [2] * 6, least=1, work=50).times == pytest.approx(100)


def test_a_disturbed_path_gets_more_rounds():
    found = raced([1] + [9] * 7 + [1], [10] * 9, least=8)
    assert (found.times, found.rounds) == (pytest.approx(10), 8)


def test_a_slow_path_stays_slow():
    found = raced([3] * 26, [10] * 26, least=8)
    assert found.times == pytest.approx(10 / 3)
    assert found.rounds == 25


def run_guard(folder):
    return subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "bench/regression/bench_pack.py",
            "-m",
            "guard",
            "-k",
            "batch",
            "-q",
            "-p",
            "slowed",
        ],
        cwd=ROOT,
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(folder), "HOME": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.slow
@pytest.mark.parametrize(("plugin", "passes"), [("", True), (SLOWED, False)], ids=["as it is", "slowed"])
def test_a_loop_over_rows_in_packing_fails_its_guard(tmp_path, plugin, passes):
    (tmp_path / "slowed.py").write_text(plugin)
    done = run_guard(tmp_path)
    assert done.returncode == (0 if passes else 1), done.stdout + done.stderr
    assert ("times as fast as its oracle, the limit is" in done.stdout) is not passes
    assert "bench_batch_guard" in done.stdout
