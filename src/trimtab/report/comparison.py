"""Two ledgers side by side, as text for a terminal and as tables of the first one's folder."""

import hashlib
import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trimtab.analysis.matches import LARGER, SLOWER, Match, Side
from trimtab.analysis.two_ledgers import LedgerComparison, ScoreRow, SetComparison
from trimtab.report.contrast_section import difference_columns
from trimtab.report.page import unwritable
from trimtab.report.scale import scale_named
from trimtab.report.tables import Column, Table, text_column


@dataclass(frozen=True)
class Fact:
    """What holds of the two ledgers: a machine, a commit, a fingerprint."""

    what: str
    here: str
    there: str


def comparison_text(found: LedgerComparison) -> list[str]:
    """The comparison as paragraphs: what the two are, each test set, speed, and what is worse."""
    parts = [
        "A is the folder of the report, B the one that it is compared with; differences are A minus B.",
        fact_table(found).text(),
    ]
    for test in found.tests:
        parts += _test_words(test)
    parts += ["Training: speed (more is better) and peak memory of A over B", speed_table(found).text()]
    parts += _notes(found)
    return [*parts, _verdict(found)]


def write_comparison(folder: Path, found: LedgerComparison) -> list[Path]:
    """Write tables/compare-*.md, .csv and .tex; the paths of those in Markdown."""
    tables: list[Table[Any]] = [fact_table(found), speed_table(found)]
    tables += [score_table(test) for test in found.tests if test.rows]
    try:
        for table in tables:
            table.write(folder / "tables")
    except OSError as error:
        raise unwritable(folder, error) from error
    return [folder / "tables" / f"{table.name}.md" for table in tables]


def fact_table(found: LedgerComparison) -> Table[Fact]:
    """Where the two ledgers come from."""
    columns = [
        text_column("", "what", lambda row: row.what),
        text_column("A", "a", lambda row: row.here),
        text_column("B", "b", lambda row: row.there),
        Column[Fact](
            "",
            lambda row: "" if row.here == row.there or row.what == "folder" else "differs",
            {"differs": lambda row: row.here != row.there},
        ),
    ]
    return Table("compare-ledgers", columns, _facts(found))


def score_table(test: SetComparison) -> Table[ScoreRow]:
    """Each matched variant's means and their difference, as a report has contrasts."""
    scale = scale_named(test.score)
    columns: list[Column[ScoreRow]] = [
        text_column("variant", "variant", lambda row: row.match.name),
        Column(f"A: {scale.head}", lambda r: scale.level(r.mean_here), {"a": lambda r: r.mean_here}),
        Column("B", lambda r: scale.level(r.mean_there), {"b": lambda r: r.mean_there}),
        *difference_columns(scale, lambda row: row.contrast),
        Column(
            "seeds",
            lambda row: " and ".join(map(str, dict.fromkeys(row.seeds))),
            {"seeds_a": lambda row: row.seeds[0], "seeds_b": lambda row: row.seeds[1]},
        ),
        Column(
            "",
            lambda row: "REGRESSION" if row.contrast.verdict == "worse" else "",
            {"regression": lambda row: row.contrast.verdict == "worse"},
        ),
    ]
    return Table(f"compare-{test.name}", columns, test.rows)


def speed_table(found: LedgerComparison) -> Table[Match]:
    """Examples per second and memory of A over B; a regression only where the machines are alike."""
    same = found.same_machine
    columns: list[Column[Match]] = [
        text_column("variant", "variant", lambda row: row.name),
        Column(
            "examples/s, A over B",
            lambda row: f"{row.speed.value:.2f}",
            {"speed_ratio": lambda row: row.speed.value},
        ),
        Column(
            "95 % interval",
            _speed_interval,
            {"ci_low": lambda row: row.speed.ci_low, "ci_high": lambda row: row.speed.ci_high},
        ),
        Column("memory, A over B", lambda row: f"{row.memory:.2f}", {"memory_ratio": lambda row: row.memory}),
        Column("same inputs", _yes(lambda row: row.same_inputs), {"same_inputs": lambda r: r.same_inputs}),
        Column(
            "",
            lambda row: "REGRESSION" if same and (is_slower(row) or row.memory > LARGER) else "",
            {"regression": lambda row: same and (is_slower(row) or row.memory > LARGER)},
        ),
    ]
    return Table("compare-speed", columns, found.matches)


def is_slower(match: Match) -> bool:
    """Whether training is slower by more than the threshold, and by more than seeds explain."""
    high = match.speed.ci_high
    return match.speed.value < SLOWER and (math.isnan(high) or high < 1)


def _speed_interval(row: Match) -> str:
    if math.isnan(row.speed.ci_low):
        return "none: one seed"
    return f"{row.speed.ci_low:.2f} to {row.speed.ci_high:.2f}"


def _yes(flag: Callable[[Match], bool]) -> Callable[[Match], str]:
    return lambda row: "yes" if flag(row) else "no"


def _facts(found: LedgerComparison) -> list[Fact]:
    tellers: dict[str, Callable[[Side], object]] = {
        "folder": lambda side: side.folder,
        "study": lambda side: side.study.name,
        "machine": lambda side: _listed(result.machine for result in side.results),
        "threads a trial": lambda side: _listed(result.threads for result in side.results),
        "trimtab": lambda side: _listed(result.signature.trimtab for result in side.results),
        "commit": lambda side: _listed(result.signature.commit for result in side.results),
        "torch": lambda side: _listed(result.signature.torch for result in side.results),
        "python": lambda side: _listed(result.signature.python for result in side.results),
        "finished trials": lambda side: len(side.results),
        "rows of train": lambda side: _rows(side, "train"),
    }
    facts = [Fact(what, str(tell(found.here)), str(tell(found.there))) for what, tell in tellers.items()]
    names = [test.name for test in found.tests]
    return facts + [
        Fact(f"rows of {name}", _fingerprint(found.here, name), _fingerprint(found.there, name))
        for name in names
    ]


def _listed(values: Iterable[object]) -> str:
    return ", ".join(dict.fromkeys(map(str, values)))


def _rows(side: Side, split: str) -> str:
    return ", ".join(f"{counts.rows:,}" for counts in side.study.counts if counts.split == split)


def _fingerprint(side: Side, test: str) -> str:
    """How many rows, and eight digits of their labels and clusters."""
    rows = side.ledger.evaluated(test)
    digest = hashlib.sha256(rows.labels.tobytes() + rows.clusters.tobytes()).hexdigest()[:8]
    return f"{len(rows.labels):,} (labels and clusters {digest})"


def _test_words(test: SetComparison) -> list[str]:
    if test.refusal:
        return [test.refusal + "."]
    how = "the same rows, paired" if test.same_rows else "other rows in each, so not paired"
    head = f"{scale_named(test.score).title} on {test.name}: {how}"
    return [head, score_table(test).text()]


def _notes(found: LedgerComparison) -> list[str]:
    lines = [
        f"only in {side}: {'; '.join(names)}" for side, names in zip("AB", found.only, strict=True) if names
    ]
    differing: dict[str, list[str]] = {}
    for match in found.matches:
        for key, here, there in match.differing:
            differing.setdefault(f"{key}: {here} in A, {there} in B", []).append(match.name)
    for words, names in differing.items():
        every = len(names) == len(found.matches)
        lines.append(f"setting that differs: {words}" + ("" if every else f" ({'; '.join(names)})"))
    withheld = [
        f"{row.match.name} ({test.name})" for test in found.tests for row in test.rows if row.withheld
    ]
    if withheld:
        lines.append(
            "verdicts withheld, as a seed diverged, without which a variant looks better than it is: "
            + "; ".join(withheld)
        )
    if not found.tests:
        lines.append("no test set has the same name in both, so no scores are compared")
    if not found.same_machine:
        lines.append("the machines or threads differ, so no speed or memory counts as a regression")
    return ["\n".join(lines)] if lines else []


def _verdict(found: LedgerComparison) -> str:
    worse = [f"{row.match.name} ({test.name})" for test in found.tests for row in _worse(test.rows)]
    slower = [match.name for match in found.matches if found.same_machine and is_slower(match)]
    larger = [match.name for match in found.matches if found.same_machine and match.memory > LARGER]
    lines = [
        f"{len(names)} {what}: {'; '.join(names)}"
        for what, names in (
            ("worse", worse),
            (f"slower by more than {100 * (1 - SLOWER):.0f} %", slower),
            (f"larger by more than {100 * (LARGER - 1):.0f} %", larger),
        )
        if names
    ]
    return "Regressions of A: " + ("; ".join(lines) if lines else "none shown") + "."


def _worse(rows: Sequence[ScoreRow]) -> list[ScoreRow]:
    return [row for row in rows if row.contrast.verdict == "worse"]
