"""Contestants in turns: what is timed and counted, their rates, and the ratios between them."""

import numpy as np
import pytest

from bench.peers import race
from bench.peers.work import Batches

ROWS = Batches(np.arange(1, 11), batch=4)


class Steady:
    """Steps of known length."""

    precision, batches = "fp32", "random"

    def __init__(self, name, seconds, log):
        self.name, self.seconds, self.log = name, seconds, log

    def run(self, steps, seed):
        self.log.append((self.name, seed))
        return [race.Step(self.seconds * (1 + seed), 4, 40)] * steps


def test_turns_rates_and_ratios(capsys):
    log = []
    records = race.race([Steady("a", 2.0, log), Steady("b", 0.5, log)], rounds=3, steps=2)
    assert log == [(name, seed) for seed in range(3) for name in "ab"]
    assert records[0]["examples_per_second"]["by_round"] == pytest.approx([2, 1, 2 / 3])
    assert records[1]["tokens_per_second"]["median"] == pytest.approx(40)
    assert race.fastest(records) is records[1]
    assert race.ratio(records[1], records[0])["median"] == pytest.approx(4)
    assert capsys.readouterr().out.splitlines()[0] == "a, random, fp32: 2 examples/s"


class Clocked(race.Stepwise):
    """A second to prepare a batch and three for a step, by a clock that stands still otherwise."""

    now = 0.0

    def prepare(self, index):
        self.now += 1
        return index[::-1]

    def step(self, batch):
        self.now += 3
        self.steps = [*getattr(self, "steps", []), batch]


def test_a_step_is_timed_without_its_preparation_and_without_warm_up(monkeypatch):
    contestant = Clocked("a", ROWS, pace=3)
    monkeypatch.setattr(race.time, "perf_counter", lambda: contestant.now)
    found = contestant.run(2, seed=5)
    drawn = ROWS.draw(race.WARM + 6, seed=5)
    assert [batch[::-1].tolist() for batch in contestant.steps] == [index.tolist() for index in drawn]
    assert [(step.seconds, step.rows) for step in found] == [(3, 4)] * 6
    assert [step.tokens for step in found] == [sum(index + 1) for index in drawn[race.WARM :]]


def test_a_seed_determines_batches_that_repeat_no_row():
    one, again, other = ROWS.draw(5, 1), ROWS.draw(5, 1), ROWS.draw(5, 2)
    assert np.array_equal(one, again)
    assert not np.array_equal(one, other)
    assert all(len(set(index)) == 4 for index in one)
