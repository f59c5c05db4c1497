"""What a report says of windows: what they cost, and what as many tokens bring without them."""

from trimtab.analysis.analysis import Analysis, SetAnalysis
from trimtab.analysis.equal_tokens import EqualTokensRow, equal_tokens_rows
from trimtab.analysis.throughput import ThroughputRow
from trimtab.report.blocks import Block, Section
from trimtab.report.output import Output
from trimtab.report.scale import scale_of
from trimtab.report.tables import MIB, Column, Table, number_column, text_column


def equal_tokens_section(test: SetAnalysis, analysis: Analysis, output: Output) -> Section:
    """Each variant with windows beside the best one without that computes for no more tokens."""
    title, rows = "Windows at equal tokens", equal_tokens_rows(test.means)
    if not rows:
        return Section("equal-tokens", title)
    blocks: list[Block] = [
        "Tokens are those that a training row costs: special ones included, and all its windows. Beside each "
        "variant with windows stands the best one without, otherwise the same, that has no more tokens. "
        "Differences of means: what is tested stands above.",
        output.table(equal_tokens_table(test, rows, {row.variant.number: row for row in analysis.speeds})),
    ]
    return Section("equal-tokens", title, blocks, test.name)


def equal_tokens_table(
    test: SetAnalysis, rows: list[EqualTokensRow], speeds: dict[int, ThroughputRow]
) -> Table[EqualTokensRow]:
    """One row per variant with windows; speeds: by a variant's number."""
    scale = scale_of(test)

    def speed(row: EqualTokensRow) -> ThroughputRow | None:
        return speeds.get(row.variant.number) or speeds.get(row.variant.same_as)

    def rate(row: EqualTokensRow) -> float | None:
        found = speed(row)
        return found.examples_per_second if found else None

    def peak(row: EqualTokensRow) -> int | None:
        found = speed(row)
        return found.peak_bytes if found else None

    def delta(row: EqualTokensRow) -> float | None:
        return None if row.rival_mean is None else row.mean - row.rival_mean

    columns: list[Column[EqualTokensRow]] = [
        text_column("variant", "name", lambda row: row.variant.name),
        number_column("windows per row", "windows", lambda row: row.windows, ".2f"),
        number_column("tokens per row", "tokens", lambda row: row.tokens, ",.1f"),
        Column("examples/s", lambda row: _shown(rate(row), ",.0f"), {"examples_per_second": rate}),
        Column(
            "peak memory MiB",
            lambda row: _shown(None if (found := peak(row)) is None else found / MIB, ",.0f"),
            {"peak_bytes": peak},
        ),
        Column(scale.head, lambda row: scale.level(row.mean), {"mean": lambda row: row.mean}),
        text_column("the best without, of no more tokens", "rival", lambda row: row.rival and row.rival.name),
        Column(
            "its tokens",
            lambda row: _shown(row.rival_tokens, ",.1f"),
            {"rival_tokens": lambda r: r.rival_tokens},
        ),
        Column(
            f"its {scale.head}",
            lambda row: scale.level(row.rival_mean),
            {"rival_mean": lambda r: r.rival_mean},
        ),
        Column(
            f"difference{scale.difference_end}",
            lambda row: "" if (found := delta(row)) is None else scale.difference(found),
            {"delta": delta},
        ),
    ]
    return Table(f"equal-tokens-{test.name}", columns, rows)


def _shown(value: float | None, form: str) -> str:
    return "" if value is None else format(value, form)
