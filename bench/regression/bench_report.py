"""Tables and figures of a study of six variants, five seeds and 10,000 examples from a handmade ledger.

There is no guard: a report has no naive counterpart, and most of its time is matplotlib's.
"""

import importlib
from typing import Any

import numpy as np
import pytest

from trimtab.analysis.analysis import analyse
from trimtab.ledger import Ledger
from trimtab.report import write

VARIANTS, SEEDS, EXAMPLES = 6, 5, 10_000
ROUNDS = {"rounds": 5, "warmup_rounds": 1}


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> Ledger:
    """The ledger: each variant a point better than the one before it, three examples to a cluster."""
    random = np.random.default_rng(0)
    chances = 0.5 + 0.01 * np.arange(VARIANTS)
    right = random.random((VARIANTS, SEEDS, EXAMPLES)) < chances[:, None, None]
    clusters = {"test": np.arange(EXAMPLES) // 3}
    handmade = importlib.import_module("handmade")  # of tests/support
    made: Ledger = handmade.write(tmp_path_factory.mktemp("study"), {"test": right}, clusters=clusters)
    return made


def bench_analysis(benchmark: Any, ledger: Ledger) -> None:
    """Every statistic that a report shows, from the predictions on disk."""
    found = benchmark.pedantic(analyse, (ledger,), **ROUNDS)
    assert len(found.tests[0].contrasts) == VARIANTS - 1


def bench_report(benchmark: Any, ledger: Ledger) -> None:
    """The same, and tables, figures and the page."""
    assert benchmark.pedantic(write, (ledger.folder,), rounds=4, warmup_rounds=1).path.is_file()
