"""What a report says of the declared contrasts of a test set: their table, and what they rest on."""

import math
from functools import partial

from trimtab.analysis.analysis import Analysis, SetAnalysis
from trimtab.analysis.contrasts import ContrastRow
from trimtab.report.blocks import Block, ChartBlock, Section, bullets
from trimtab.report.difference_columns import difference_columns
from trimtab.report.drawing import COLUMN
from trimtab.report.escaping import as_markdown
from trimtab.report.forest_figure import forest_figure
from trimtab.report.look_words import look_columns, look_lines, look_meaning
from trimtab.report.output import Output
from trimtab.report.scale import scale_of
from trimtab.report.summary import summary
from trimtab.report.tables import Column, Table, share_column, text_column
from trimtab.statistics.multiplicity import CORRECTIONS
from trimtab.study.definition import Compare


def contrast_section(test: SetAnalysis, analysis: Analysis, output: Output) -> Section:
    """The declared contrasts, and what came out of them."""
    settings = analysis.study.compare
    blocks: list[Block] = [bullets(summary(test) + look_lines(test, analysis)), _left_out(test)]
    if test.contrasts:
        figure, words = forest_figure(test, settings), "Contrasts with their intervals"
        column = partial(forest_figure, test, settings, width=COLUMN)
        output.figure(figure, f"contrasts-{test.name}", words, column)
        blocks += [
            ChartBlock("contrasts", f"Differences with their intervals on {test.name}, by baseline"),
            output.table(contrast_table(test)),
            _signature(test, analysis),
            _meaning(test, settings),
            look_meaning(analysis),
        ]
    return Section("contrasts", "Contrasts", blocks, test.name)


def contrast_table(test: SetAnalysis) -> Table[ContrastRow]:
    """Each declared contrast: the difference first, then how sure it is, then the verdict."""
    columns: list[Column[ContrastRow]] = [
        text_column("variant", "name", lambda row: row.variant.name),
        text_column("against", "baseline", lambda row: row.baseline.name),
        *difference_columns(scale_of(test), lambda row: row.contrast),
        share_column("rows cut differently %", "affected_share", lambda row: row.affected_share),
    ]
    planned = any(row.course for row in test.contrasts)
    if planned:
        columns += look_columns()
    elif any(row.contrast.verdict == "inconclusive" for row in test.contrasts):
        columns.append(Column("more seeds to settle", _more_seeds, {"more_seeds": lambda r: r.more_seeds}))
    if len({tuple(row.seeds) for row in test.contrasts}) > 1:
        columns.append(
            Column("seeds", lambda row: " ".join(map(str, row.seeds)), {"seeds": lambda row: row.seeds})
        )
    return Table(f"contrasts-{test.name}", columns, test.contrasts)


def _more_seeds(row: ContrastRow) -> str:
    more = row.more_seeds
    if more is None:
        return ""
    return "unknown" if math.isnan(more) else "none up to 1,000" if math.isinf(more) else f"{more:,}"


def _left_out(test: SetAnalysis) -> str:
    lines = [
        f"* {as_markdown(row.variant.name)} against {as_markdown(row.baseline.name)}"
        for row in test.uncompared
    ]
    if not lines:
        return ""
    head = "Declared but omitted, because the two variants share no finished seed:"
    return "\n".join([head, "", *lines])


def _signature(test: SetAnalysis, analysis: Analysis) -> str:
    """What the table rests on: seeds, examples, clusters, test, correction, version."""
    planned = analysis.study.compare.looks
    correction = CORRECTIONS[analysis.study.compare.correction].words
    versions = dict.fromkeys(f"{one.trimtab} ({one.commit})" for one in analysis.signatures)
    return (
        f"{_seeds(test)}; {test.examples:,} examples in {test.clusters:,} clusters (effectively "
        f"{test.effective_clusters:,.0f}); {_test(test, correction, planned)}; "
        f"trimtab {', '.join(versions)}."
    )


def _seeds(test: SetAnalysis) -> str:
    numbers = sorted({len(row.seeds) for row in test.contrasts})
    if len(numbers) > 1:
        return f"{numbers[0]} to {numbers[-1]} seeds, by contrast"
    return f"{numbers[0]} seed{'s' if numbers[0] > 1 else ''}"


def _test(test: SetAnalysis, correction: str, planned: tuple[int, ...]) -> str:
    tested, sets = test.family.tested, test.family.sets
    if all(math.isnan(row.contrast.p) for row in test.contrasts):
        return "no test was made"
    family = "the one contrast that is tested" if tested == 1 else f"the {tested} contrasts that are tested"
    family += f", of {sets} test sets" if sets > 1 else ""
    looks = f", sequential over {len(planned)} planned looks" if planned else ""
    return (
        f"crossed random effects of seeds and examples, two-sided t tests{looks}, {_pairing(test)}; "
        f"{correction} over {family}"
    )


def _pairing(test: SetAnalysis) -> str:
    paired = sum(row.contrast.paired for row in test.contrasts)
    if paired == len(test.contrasts):
        return "paired by seed"
    others = "across sizes or replicas"
    return f"unpaired, {others}" if not paired else f"{paired} paired by seed, the others, {others}, not"


_MORE_SEEDS = (
    "; more seeds to settle are those that would show one with 80 % power if the true difference were the "
    "one found"
)


def _meaning(test: SetAnalysis, settings: Compare) -> str:
    margin = scale_of(test).amount(settings.margin)
    verdicts = {row.contrast.verdict for row in test.contrasts}
    level = f"{100 * (1 - settings.alpha):g} %" + ", valid at every look" * bool(settings.looks)
    words = (
        f"Intervals are unadjusted, at {level}; both p are adjusted. Better and "
        f"worse: p of a difference under {settings.alpha:g}. Equivalent: the difference is shown to lie "
        f"within {margin} either way, p of equivalence under {settings.alpha:g} (two one-sided tests, "
        "adjusted likewise)."
    )
    if "identical" in verdicts:
        words += (
            " Identical: every split's inputs are the same, so one set of trials stands for both, and "
            "nothing is tested."
        )
    fewest = min(len(row.seeds) for row in test.contrasts)
    if fewest == 1:
        words += " **One seed permits no claim about strategies.**"
    if fewest == 2:
        words += " **Two seeds are exploratory.**"
    if "inconclusive" in verdicts:
        words += " Inconclusive: neither is shown"
        words += "" if settings.looks else _MORE_SEEDS
        words += "."
    return words
