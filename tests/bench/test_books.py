"""The simulated ledgers of bench.books are what a study's own trials would make."""

import pytest

from bench.books.ledger import Shape, make
from trimtab.ledger import Ledger
from trimtab.ledger.examination import examine
from trimtab.run.runner import run
from trimtab.study import load

pytestmark = pytest.mark.integration


def test_a_simulated_ledger_is_whole_and_leaves_nothing_to_run(tmp_path):
    shape = Shape(rates=1, seeds=2)
    path = make(tmp_path, shape)
    assert examine(tmp_path / "out").is_whole
    outcome = run(load(path), out=tmp_path / "out", device="cpu", jobs=1)
    trials = len(Ledger(tmp_path / "out").study.wanted)
    assert (outcome.done_now, outcome.done_before) == (0, trials)
    assert trials == shape.trials == 40
