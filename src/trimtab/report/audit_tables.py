"""Tables of lengths and of what is cut, of a study or of any texts."""

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from trimtab.report.tables import Column, Table, number_column, share_column, text_column
from trimtab.truncation.audit import Audit
from trimtab.truncation.profile import LengthProfile, LengthSummary


class AuditedRow(Protocol):
    """A row of an audit: what the cut of that name does to a split, or to one label of it."""

    @property
    def name(self) -> str:
        """The cut or variant."""

    @property
    def split(self) -> str:
        """The split, or the split and the label."""

    @property
    def audit(self) -> Audit:
        """What is cut."""

    @property
    def tokens(self) -> float | None:
        """The mean tokens of a row after the cut, special ones included; None of a label."""

    @property
    def windows(self) -> float | None:
        """The mean number of a row's windows; None where there are none."""


LengthRow = tuple[str, LengthSummary]  # with the name of the split


def length_table(lengths: Mapping[str, LengthSummary]) -> Table[LengthRow]:
    """How long the rows of each split are before any cut, in tokens with the special ones."""
    columns: list[Column[LengthRow]] = [
        text_column("split", "split", lambda row: row[0]),
        number_column("rows", "pairs", lambda row: row[1].pairs, ","),
        number_column("mean", "mean", lambda row: row[1].mean, ".1f"),
        _tokens("median", "median", lambda lengths: lengths.median),
        _tokens("90 %", "p90", lambda lengths: lengths.p90),
        _tokens("99 %", "p99", lambda lengths: lengths.p99),
        _tokens("longest", "longest", lambda lengths: lengths.longest),
    ]
    return Table("lengths", columns, list(lengths.items()))


def _tokens(head: str, name: str, value: Callable[[LengthSummary], float]) -> Column[LengthRow]:
    """A length, with a digit after the point only where there is one to show."""
    return Column(
        head, lambda row: f"{value(row[1]):,.1f}".removesuffix(".0"), {name: lambda row: value(row[1])}
    )


def of_single_texts(profiles: Mapping[str, LengthProfile]) -> bool:
    """Whether the profiles of an audit are of rows of one text each; not where there are none."""
    return bool(profiles) and not any(profile.splits for profile in profiles.values())


def audit_table(
    rows: Sequence[AuditedRow], name: str = "audit", *, single: bool = False
) -> Table[AuditedRow]:
    """What each variant cuts of each split, or of each label of it; ``single``: of rows of one text each."""
    columns: list[Column[AuditedRow]] = [
        text_column("variant", "name", lambda row: row.name),
        text_column("split", "split", lambda row: row.split),
        number_column("rows", "pairs", lambda row: row.audit.pairs, ","),
        share_column("cut %", "cut", lambda row: row.audit.cut),
        *([_lost_of_first(f"tokens lost: {_FOUR}")] if single else _of_pairs()),
        share_column("tokens lost %", "lost_share", lambda row: row.audit.lost_share),
    ]
    if any((row.windows or 1) > 1 for row in rows):
        columns.append(
            Column("windows per row", lambda row: f"{row.windows or 1:.2f}", {"windows": lambda r: r.windows})
        )
    if all(row.tokens is not None for row in rows):
        columns.append(
            Column("tokens per row", lambda row: f"{row.tokens:.1f}", {"tokens": lambda r: r.tokens})
        )
    return Table(name, columns, rows)


_FOUR = "mean, median, 90 %, most"


def _of_pairs() -> list[Column[AuditedRow]]:
    return [
        share_column("only first %", "cut_only_first", lambda row: row.audit.cut_only_first),
        share_column("only second %", "cut_only_second", lambda row: row.audit.cut_only_second),
        share_column("both %", "cut_both", lambda row: row.audit.cut_both),
        _lost_of_first(f"lost of first: {_FOUR}"),
        Column(
            "lost of second",
            lambda row: _lost(
                row.audit.lost_second_mean,
                row.audit.lost_second_median,
                row.audit.lost_second_p90,
                row.audit.lost_second_largest,
            ),
            {
                "lost_second_mean": lambda row: row.audit.lost_second_mean,
                "lost_second_median": lambda row: row.audit.lost_second_median,
                "lost_second_p90": lambda row: row.audit.lost_second_p90,
                "lost_second_largest": lambda row: row.audit.lost_second_largest,
            },
        ),
    ]


def _lost_of_first(head: str) -> Column[AuditedRow]:
    return Column(
        head,
        lambda row: _lost(
            row.audit.lost_first_mean,
            row.audit.lost_first_median,
            row.audit.lost_first_p90,
            row.audit.lost_first_largest,
        ),
        {
            "lost_first_mean": lambda row: row.audit.lost_first_mean,
            "lost_first_median": lambda row: row.audit.lost_first_median,
            "lost_first_p90": lambda row: row.audit.lost_first_p90,
            "lost_first_largest": lambda row: row.audit.lost_first_largest,
        },
    )


def _lost(mean: float, median: float, p90: float, most: int) -> str:
    return f"{mean:.1f}, {median:g}, {p90:g}, {most}"
