"""What a report says of the declared contrasts of a test set: their table, and what they rest on."""

import math
from functools import partial

from trimtab.analysis.analysis import Analysis, SetAnalysis
from trimtab.analysis.contrasts import ContrastRow
from trimtab.ledger.records import StudyRecord, VariantRecord
from trimtab.report.blocks import Block, ChartBlock, Section, bullets
from trimtab.report.chances import chance_columns, chance_meaning
from trimtab.report.difference_columns import difference_columns
from trimtab.report.drawing import COLUMN
from trimtab.report.escaping import as_markdown
from trimtab.report.forest_figure import forest_figure
from trimtab.report.look_words import look_columns, look_lines, look_meaning
from trimtab.report.output import Output
from trimtab.report.scale import scale_of
from trimtab.report.summary import summary
from trimtab.report.tables import Column, Table, share_column, text_column
from trimtab.statistics.equivalence import clusters_to_show_equal
from trimtab.statistics.multiplicity import CORRECTIONS
from trimtab.study.compare_section import Compare


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
            *contrast_words(test, analysis),
            look_meaning(analysis),
        ]
    return Section("contrasts", "Contrasts", blocks, test.name)


def contrast_words(test: SetAnalysis, analysis: Analysis) -> list[str]:
    """What the table of contrasts rests on, and what its verdicts mean."""
    what = "strategies" if isinstance(analysis.study, StudyRecord) else "methods"
    return [_signature(test, analysis), _meaning(test, analysis.study.compare, what)]


def contrast_table(test: SetAnalysis) -> Table[ContrastRow]:
    """Each declared contrast: the difference first, then how sure it is, then the verdict."""
    columns: list[Column[ContrastRow]] = [
        text_column("variant", "name", lambda row: row.variant.name),
        text_column("against", "baseline", lambda row: row.baseline.name),
        *difference_columns(scale_of(test), lambda row: row.contrast),
    ]
    if any(isinstance(row.variant, VariantRecord) for row in test.contrasts):
        columns.append(
            share_column(
                f"{test.cut_units} cut differently %", "affected_share", lambda row: row.affected_share
            )
        )
    if any(row.course for row in test.contrasts):
        columns += look_columns()
    else:
        columns += chance_columns(test.contrasts, scale_of(test))
    if len({tuple(row.seeds) for row in test.contrasts}) > 1:
        columns.append(
            Column("seeds", lambda row: " ".join(map(str, row.seeds)), {"seeds": lambda row: row.seeds})
        )
    return Table(f"contrasts-{test.name}", columns, test.contrasts)


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
    of_study = isinstance(analysis.study, StudyRecord)
    versions = dict.fromkeys(f"{one.trimtab} ({one.commit})" for one in analysis.signatures)
    return (
        f"{_seeds(test)}; {test.size} in {test.clusters:,} clusters (effectively "
        f"{test.effective_clusters:,.0f}); {_test(test, correction, planned, of_study)}; "
        f"trimtab {', '.join(versions)}."
    )


def _seeds(test: SetAnalysis) -> str:
    numbers = sorted({len(row.seeds) for row in test.contrasts})
    if len(numbers) > 1:
        return f"{numbers[0]} to {numbers[-1]} seeds, by contrast"
    return f"{numbers[0]} seed{'s' if numbers[0] > 1 else ''}"


def _test(test: SetAnalysis, correction: str, planned: tuple[int, ...], of_study: bool) -> str:
    tested, sets = test.family.tested, test.family.sets
    if all(math.isnan(row.contrast.p) for row in test.contrasts):
        return "no test was made"
    family = "the one contrast that is tested" if tested == 1 else f"the {tested} contrasts that are tested"
    family += f", of {sets} test sets" if sets > 1 else ""
    looks = f", sequential over {len(planned)} planned looks" if planned else ""
    return (
        f"crossed random effects of seeds and {test.units}, two-sided t tests{looks}, "
        f"{_pairing(test, of_study)}; "
        f"{correction} over {family}"
    )


def _pairing(test: SetAnalysis, of_study: bool) -> str:
    paired = sum(row.contrast.paired for row in test.contrasts)
    if paired == len(test.contrasts):
        return "paired by seed"
    if not of_study:
        return "unpaired"
    others = "across sizes or replicas"
    return f"unpaired, {others}" if not paired else f"{paired} paired by seed, the others, {others}, not"


def _meaning(test: SetAnalysis, settings: Compare, what: str) -> str:
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
        words += f" **One seed permits no claim about {what}.**"
    if fewest == 2:
        words += " **Two seeds are exploratory.**"
    if "inconclusive" in verdicts:
        words += " Inconclusive: neither is shown."
        words += _never_apart(test, settings, margin)
        words += "" if settings.looks else chance_meaning(test.contrasts)
    return words


def _never_apart(test: SetAnalysis, settings: Compare, margin: str) -> str:
    """Why variants that never differ are not called equivalent, where there are such."""
    alike = [row.contrast for row in test.contrasts if row.contrast.verdict == "inconclusive"]
    if not any(one.se == 0 and not math.isnan(one.p_equivalence) for one in alike):
        return ""
    needed = clusters_to_show_equal(settings.margin, settings.alpha)
    return (
        f" Where two variants have the same scores on all of {test.clusters:,} clusters, that alone does not "
        f"show that they are within {margin} of each other on others: it takes at least {needed:,}."
    )
