"""A program of a user of trimtab: every public name, with the type that it is promised to have.

``tests/test_typed.py`` has it checked by ``mypy --strict``, and runs it: a wrong type is an error of mypy, a
name that does not do what is written here one of Python.
"""

import sys
from pathlib import Path
from typing import assert_type

import numpy as np
import pandas as pd
from numpy.typing import NDArray

import trimtab
from trimtab import Ledger, PairTruncation, Ragged, Truncation, parse
from trimtab.analysis.two_ledgers import LedgerComparison
from trimtab.notebook import Contrasts, ScoreArray
from trimtab.plan.plan import Plan
from trimtab.report import Written
from trimtab.run.runner import RunOutcome
from trimtab.statistics import Contrast, IntervalEstimate
from trimtab.study import Study


def cut() -> None:
    """Truncation as a library."""
    truncation = parse("ratio(minimum=1)+head_tail(head=0.25)")
    assert_type(truncation, Truncation)
    first, second = Ragged.from_rows([range(40)]), Ragged.from_rows([range(9)])
    kept, other = truncation.fit(first, second).apply(first, second, budget=29)
    assert_type(kept, Ragged)
    assert_type(other, Ragged | None)
    assert_type(kept.lengths, NDArray[np.int64])
    lengths, _ = truncation.split([40, 12], [9, 30], 29)
    assert_type(lengths, NDArray[np.int64])


def wrap(tokenizer: object) -> PairTruncation | str:
    """A tokeniser of another package, or why it is none."""
    try:
        wrapped = PairTruncation(tokenizer, "longest_first", max_len=16)
    except trimtab.InputError as error:
        return str(error)
    assert_type(wrapped.truncation, Truncation)
    assert_type(wrapped.max_len, int)
    return wrapped


def read(folder: Path) -> None:
    """Results in a notebook, and statistics of one's own."""
    ledger = Ledger(folder)
    assert_type(ledger.folder, Path)
    scores = ledger.scores()
    assert_type(scores, ScoreArray)
    assert_type(scores.values, NDArray[np.float64])
    assert_type(scores.frame(), pd.DataFrame)
    found = trimtab.compare(scores.complete(), [(1, 0)], margin=0.01)
    assert_type(found, list[Contrast])
    assert_type(found[0].verdict, str)
    assert_type(trimtab.mean_interval(scores.complete().values[0]), IntervalEstimate)
    contrasts = ledger.contrasts()
    assert_type(contrasts, Contrasts)
    assert_type(contrasts[0].contrast, Contrast)
    assert_type(contrasts.frame(), pd.DataFrame)
    assert_type(trimtab.compare_ledgers(ledger, ledger), LedgerComparison)


def study(path: Path, out: Path) -> None:
    """A study from Python: what the commands do."""
    loaded = trimtab.load_study(path)
    assert_type(loaded, Study)
    assert_type(trimtab.plan_study(loaded), Plan)
    assert_type(trimtab.run_study(loaded, out=out, jobs=1), RunOutcome)
    assert_type(trimtab.write_report(out), Written)


if __name__ == "__main__":
    assert_type(trimtab.__version__, str)
    cut()
    print(wrap(None))
    read(Path(sys.argv[1]))
    if len(sys.argv) > 2:
        study(Path(sys.argv[2]), Path(sys.argv[3]))
