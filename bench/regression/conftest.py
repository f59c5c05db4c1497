"""What benchmarks share: the fixture that guards a path, pairs like SNLI's, and a cache of their own."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from tabulate import tabulate

from bench.regression.guard import Race, Work, race
from bench.regression.workload import TEMPLATE, snli_like
from trimtab.data.pairs import Pairs, make_pairs
from trimtab.data.tokens import Tokens
from trimtab.truncation import parse

RACES = pytest.StashKey[list[tuple[str, float, Race]]]()


def pytest_configure(config: pytest.Config) -> None:
    """Begin the list of guards that are run."""
    config.stash[RACES] = []


@pytest.fixture
def one_thread() -> Iterator[None]:
    """Let torch and tokenizers compute on one core: a guard is about work done, not about idle cores."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TOKENIZERS_PARALLELISM", "false")
        yield
    torch.set_num_threads(threads)


@pytest.fixture
def guard(request: pytest.FixtureRequest, one_thread: None) -> Callable[..., None]:
    """guard(path, oracle, work=1.0): fails where ``path`` is not the mark's number of times as fast."""
    mark = request.node.get_closest_marker("guard")
    least = float(mark.args[0])

    def hold(path: Work, oracle: Work, work: float = 1.0) -> None:
        result = race(path, oracle, least=least, work=work)
        request.config.stash[RACES].append((request.node.name, least, result))
        assert result.times >= least, (
            f"{result.times:.2f} times as fast as its oracle, the limit is {least:g}: {result}"
        )

    return hold


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Print what each guard measured, beside its limit."""
    rows = [
        (name, f"{result.times:.2f}", least, 1e3 * result.seconds, 1e3 * result.oracle_seconds, result.rounds)
        for name, least, result in config.stash[RACES]
    ]
    if rows:
        heads = ("guard", "times as fast", "limit", "ms", "oracle's ms", "rounds")
        terminalreporter.section("guards: each path against its naive oracle, in turns")
        terminalreporter.write_line(tabulate(rows, heads, floatfmt=("", "", "g", ".2f", ".2f", "")))


@pytest.fixture(autouse=True, scope="session")
def own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A cache folder of this run, so that nothing is found that an earlier one made."""
    folder = tmp_path_factory.mktemp("cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TRIMTAB_CACHE", str(folder))
        patch.delenv("TRIMTAB_DATA", raising=False)
        yield folder


@pytest.fixture(scope="session")
def tokens() -> Tokens:
    """100,000 pairs of random tokens with SNLI's lengths."""
    return snli_like(100_000)


@pytest.fixture(scope="session")
def pairs(tokens: Tokens) -> Pairs:
    """The same as a model is given them, uncut."""
    return make_pairs(tokens, parse("longest_first"), 128, TEMPLATE)
