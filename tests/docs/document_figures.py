"""Figures out of results/, written as documents write them, and what a claim of a document is."""

import json
import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd

from trimtab.ledger import Ledger

ROOT = Path(__file__).parents[2]
RESULTS = Path(os.environ.get("TRIMTAB_RESULTS", ROOT / "results"))  # another folder while results are made
README, RESULTS_PAGE = "README.md", "docs/results.md"
PERFORMANCE, PRETRAINING, STATISTICS = "docs/performance.md", "docs/pretraining.md", "docs/statistics.md"
_TRIALS_AT_A_TIME = 2  # on two cores


@dataclass(frozen=True)
class Claim:
    """A piece of a document's text, with {} for each figure in it; the figures are read when asked for."""

    document: str
    text: str
    figures: Callable[[], list[str]]


@cache
def table(path: str) -> pd.DataFrame:
    """A CSV file below results/."""
    return pd.read_csv(RESULTS / path)


@cache
def record(path: str) -> Any:
    """A JSON file below results/."""
    return json.loads((RESULTS / path).read_text(encoding="utf-8"))


def row(path: str, **where: str) -> Any:
    """The one row of a table whose columns have these values."""
    found = table(path)
    for column, value in where.items():
        found = found[found[column] == value]
    assert len(found) == 1, f"{path}: {len(found)} rows with {where}"
    return found.iloc[0]


def percent(value: float, digits: int = 2) -> str:
    """0.9455 as 94.55."""
    return f"{100 * value:.{digits}f}"


def signed(value: float) -> str:
    """-0.0345 as -3.45, with its sign always."""
    return f"{100 * value:+.2f}"


def whole(value: float) -> str:
    """1381.4 as 1,381."""
    return f"{value:,.0f}"


def decimals(digits: int) -> Any:
    """A way to write: decimals(2)(0.3097) is 0.31."""
    return lambda value: f"{value:.{digits}f}"


def means(study: str, test: str, variant: str, columns: str = "mean", score: str = "accuracy", write=percent):
    """What a variant reached: the named columns of its row, such as "mean ci_low ci_high ceiling"."""
    found = row(f"{study}/tables/{score}-{test}.csv", name=variant)
    return [write(found[column]) for column in columns.split()]


def contrast(study: str, test: str, variant: str, baseline: str, columns: str = "delta", write=signed):
    """A contrast: the named columns of its row; ``verdict`` is a word, and stays one."""
    found = row(f"{study}/tables/contrasts-{test}.csv", name=variant, baseline=baseline)
    return [found[c] if c == "verdict" else write(found[c]) for c in columns.split()]


def verdicts(study: str, *tests: str) -> pd.Series:
    """All verdicts of a study on these test sets."""
    return pd.concat([table(f"{study}/tables/contrasts-{test}.csv")["verdict"] for test in tests])


def count(values: pd.Series, *wanted: str) -> str:
    """How many of the values are among those wanted."""
    return str(int(values.isin(wanted).sum()))


def smallest_p(study: str, test: str) -> str:
    """The smallest adjusted p of a study."""
    return f"{table(f'{study}/tables/contrasts-{test}.csv')['p_adjusted'].min():.2f}"


def rate(study: str, variant: str) -> str:
    """Examples a second of training."""
    return whole(row(f"{study}/tables/throughput.csv", name=variant)["examples_per_second"])


def rows(study: str, *splits: str) -> str:
    """How many rows a study's splits have, together."""
    found = table(f"{study}/tables/audit.csv").drop_duplicates("split").set_index("split")["pairs"]
    return whole(sum(found[split] for split in splits))


def above_ceiling(study: str, *tests: str) -> str:
    """``No``, or how many means are above their ceilings by the report's test (p < 0.01)."""
    p = pd.concat([table(f"{study}/tables/accuracy-{test}.csv")["p_above_ceiling"] for test in tests])
    return str(int((p < 0.01).sum()) or "No")


def trials(study: str) -> str:
    """How many trials a study trained."""
    return str(sum(_seeds(study).values()))


def minutes(study: str) -> str:
    """Training of all trials, two at a time."""
    speeds = table(f"{study}/tables/throughput.csv").set_index("name")["training_seconds"]
    total = sum(count * speeds[name] for name, count in _seeds(study).items())
    return f"{max(1, round(total / _TRIALS_AT_A_TIME / 60))}"


def _seeds(study: str) -> dict[str, int]:
    """By variant that was trained itself: how many seeds."""
    pattern = re.compile(r"(accuracy|matthews|macro_f1|map)-.*\.csv")
    path = next(p for p in sorted((RESULTS / study / "tables").iterdir()) if pattern.fullmatch(p.name))
    own = table(f"{study}/tables/{path.name}")
    own = own[own["same_as"].isna()]
    return dict(zip(own["name"], own["by_seed"].astype(str).str.split().map(len), strict=True))


def of_report(study: str, pattern: str) -> str:
    """What stands in a study's report, by a pattern with one group."""
    report = (RESULTS / study / "report.md").read_text(encoding="utf-8")
    return re.search(pattern, report).group(1)


def commit(study: str) -> str:
    """The commit that trained a study's trials, as its ledger says, or its report where no ledger is kept."""
    if kept(study) == "yes":
        ledger = Ledger(RESULTS / study)
        results = (result for variant in ledger.study.variants for result in ledger.results(variant).values())
        return next(results).signature.commit
    return of_report(study, r"trained with: .*?commit (\w+\+?)")


def kept(study: str) -> str:
    """Whether the compact ledger of a study is there."""
    return "yes" if (RESULTS / study / "ledger.zip").is_file() else "no"
