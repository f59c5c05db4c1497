"""Tables and figures of a study of six variants, five seeds and 10,000 examples whose ledger is made by hand.

There is no guard: a report has no second, naive way to be made, and most of its time is matplotlib's.
"""

import importlib.util
from pathlib import Path
from types import ModuleType
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
    made: Ledger = _handmade().write(tmp_path_factory.mktemp("study"), {"test": right}, clusters=clusters)
    return made


def bench_analysis(benchmark: Any, ledger: Ledger) -> None:
    """Every statistic that a report shows, from the predictions on disk."""
    found = benchmark.pedantic(analyse, (ledger,), **ROUNDS)
    assert len(found.tests[0].contrasts) == VARIANTS - 1


def bench_report(benchmark: Any, ledger: Ledger) -> None:
    """The same, and tables, figures and the page."""
    assert benchmark.pedantic(write, (ledger.folder,), rounds=4, warmup_rounds=1).path.is_file()


def _handmade() -> ModuleType:
    """The module of the tests that writes ledgers with known predictions."""
    path = Path(__file__).parents[1] / "tests" / "study" / "handmade.py"
    spec = importlib.util.spec_from_file_location("handmade", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
