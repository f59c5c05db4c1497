"""What a report says of cost: throughput and memory of training."""

from collections.abc import Sequence
from functools import partial

from trimtab.analysis.analysis import Analysis
from trimtab.analysis.throughput import ThroughputRow
from trimtab.ledger.records import StudyRecord
from trimtab.report.blocks import Block, Section
from trimtab.report.drawing import COLUMN
from trimtab.report.escaping import as_markdown
from trimtab.report.output import Output
from trimtab.report.paper_table import paper_table
from trimtab.report.scale import scale_of
from trimtab.report.tables import MIB, Column, Table, number_column, text_column
from trimtab.report.throughput_figure import throughput_figure


def throughput_section(analysis: Analysis, study: StudyRecord, output: Output) -> Section:
    """What training costs, and each test set's score against it; no blocks before a trial is finished."""
    title = "Throughput and memory"
    if not analysis.speeds:
        return Section("throughput", title)
    words = (
        f"Training only, on {as_markdown(analysis.speeds[0].machine)}, threads per trial: "
        f"{study.runtime.threads}; no padding is counted. Trials may have run side by "
        "side, so compare within this table only."
    )
    figures = [
        output.figure(
            throughput_figure(test, analysis.speeds),
            f"throughput-{test.name}",
            f"{scale_of(test).title} against throughput",
            partial(throughput_figure, test, analysis.speeds, width=COLUMN),
        )
        for test in analysis.tests
        if len(test.means) > 1
    ]
    papers = [paper_table(test, analysis.speeds, study.compare) for test in analysis.tests]
    links = [f"[tables/{paper.name}.tex](tables/{paper.name}.tex)" for paper in papers]
    for paper in papers:
        output.table(paper)
    blocks: list[Block] = [
        words,
        output.table(throughput_table(analysis.speeds)),
        *figures,
        f"In short, for a paper: {', '.join(links)}.",
    ]
    return Section("throughput", title, blocks, folded=True)


def throughput_table(rows: Sequence[ThroughputRow]) -> Table[ThroughputRow]:
    """Throughput and memory of training, each variant's mean over its seeds."""
    columns: list[Column[ThroughputRow]] = [
        text_column("variant", "name", lambda row: row.variant.name),
        number_column("examples/s", "examples_per_second", lambda row: row.examples_per_second, ",.0f"),
        Column(
            "range over seeds",
            lambda row: f"{row.examples_per_second_low:,.0f} to {row.examples_per_second_high:,.0f}",
            {
                "examples_per_second_low": lambda row: row.examples_per_second_low,
                "examples_per_second_high": lambda row: row.examples_per_second_high,
            },
        ),
        number_column("real tokens/s", "tokens_per_second", lambda row: row.tokens_per_second, ",.0f"),
        Column(
            "peak memory MiB",
            lambda row: f"{row.peak_bytes / MIB:,.0f}",
            {"peak_bytes": lambda row: row.peak_bytes},
        ),
        number_column("training s", "training_seconds", lambda row: row.training_seconds, ",.1f"),
        text_column("precision", "precision", lambda row: row.precision),
        text_column("threads", "threads", lambda row: row.threads),
    ]
    return Table("throughput", columns, rows)
