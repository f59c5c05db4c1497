"""What a report says of scores by the length of rows, and by the tokens that they lose."""

from trimtab.analysis.analysis import SetAnalysis
from trimtab.analysis.by_length import ByLength, LostRow
from trimtab.report.blocks import Block, ChartBlock, Section
from trimtab.report.escaping import as_markdown
from trimtab.report.output import Output
from trimtab.report.scale import Scale, scale_of
from trimtab.report.tables import Column, Table, number_column, text_column


def length_section(test: SetAnalysis, output: Output) -> Section:
    """Scores by length and by tokens lost; without blocks where the ledger does not know lengths."""
    scale, title = scale_of(test), "By the length of rows"
    if test.by_length is None:
        return Section("by-length", title)
    output.table(length_table(test, test.by_length))
    blocks: list[Block] = [
        "Lengths are in tokens before any cut, special ones included, as "
        f"{as_markdown(test.by_length.tokenizer)} counts them. Means of {scale.name} over seeds; no "
        "difference is tested here.",
        ChartBlock("lengths", f"{scale.title} by the length of rows on {test.name}"),
    ]
    if test.lost:
        blocks += [
            "By the tokens that a row loses, beside the variant that cuts least, on the same rows:",
            output.table(lost_table(test)),
        ]
    return Section("by-length", title, blocks, test.name)


def length_table(test: SetAnalysis, found: ByLength) -> Table[int]:
    """Each bin of lengths, one column a variant; rows are numbers of bins."""
    scale = scale_of(test)
    columns: list[Column[int]] = [
        Column(
            "tokens",
            lambda number: f"{found.bins[number].low:,} to {found.bins[number].high:,}",
            {"low": lambda number: found.bins[number].low, "high": lambda number: found.bins[number].high},
        ),
        number_column("rows", "rows", lambda number: found.bins[number].rows, ","),
        *(_mean_column(scale, found, place) for place in range(len(found.variants))),
    ]
    return Table(f"by-length-{test.name}", columns, range(len(found.bins)))


def _mean_column(scale: Scale, found: ByLength, place: int) -> Column[int]:
    one = found.variants[place]
    return Column(
        one.variant.name,
        lambda number: scale.level(one.means[number]),
        {one.variant.name: lambda number: one.means[number]},
    )


def lost_table(test: SetAnalysis) -> Table[LostRow]:
    """Each variant on the rows that lose so many tokens, beside the variant that cuts least."""
    scale = scale_of(test)
    columns: list[Column[LostRow]] = [
        text_column("variant", "name", lambda row: row.variant.name),
        Column("tokens lost", _lost, {"low": lambda row: row.low, "high": lambda row: row.high}),
        number_column("rows", "rows", lambda row: row.rows, ","),
        Column(scale.head, lambda row: scale.level(row.mean), {"mean": lambda row: row.mean}),
        Column(
            "with the least cut",
            lambda row: scale.level(row.uncut_mean),
            {"uncut_mean": lambda row: row.uncut_mean},
        ),
        Column(
            f"difference{scale.difference_end}",
            lambda row: scale.difference(row.mean - row.uncut_mean),
            {"delta": lambda row: row.mean - row.uncut_mean},
        ),
        text_column("the least cut", "uncut", lambda row: row.uncut.name),
    ]
    return Table(f"lost-{test.name}", columns, test.lost)


def _lost(row: LostRow) -> str:
    if row.high is None:
        return f"{row.low} or more"
    return str(row.low) if row.low == row.high else f"{row.low} to {row.high}"
