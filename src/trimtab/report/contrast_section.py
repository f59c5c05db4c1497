"""The contrasts of a test set: their table, their figure, and what they rest on."""

import math
from collections.abc import Callable
from typing import Any

from trimtab.analysis.analysis import Analysis, TestSet
from trimtab.report.contrast_figures import forest_figure
from trimtab.report.contrast_tables import contrast_table
from trimtab.report.scale import scale_of
from trimtab.report.tables import Table

ShowTable = Callable[[Table], str]
ShowFigure = Callable[[Any, str, str], str]


def contrast_section(
    test: TestSet, analysis: Analysis, show_table: ShowTable, show_figure: ShowFigure
) -> list[str]:
    """The declared contrasts; nothing where there are none."""
    if not test.contrasts and not test.uncompared:
        return []
    settings = analysis.study["compare"]
    parts = ["### Contrasts", _left_out(test)]
    if test.contrasts:
        figure = forest_figure(test, settings)
        parts += [
            show_table(contrast_table(test)),
            _signature(test, analysis),
            _meaning(test, settings),
            show_figure(figure, f"contrasts-{test.name}", "Contrasts with their intervals"),
        ]
    return parts


def _left_out(test: TestSet) -> str:
    lines = [f"* {row['name']} against {row['baseline']}" for row in test.uncompared]
    if not lines:
        return ""
    head = "Declared, but left out, as the two variants have finished no seed in common:"
    return "\n".join([head, "", *lines])


def _signature(test: TestSet, analysis: Analysis) -> str:
    """What the table rests on: seeds, examples, clusters, test, correction, version."""
    settings = analysis.study["compare"]
    correction = "Benjamini-Hochberg" if settings["exploratory"] else "Holm"
    tested = sum(not math.isnan(row["p"]) for row in test.contrasts)
    versions = dict.fromkeys(f"{one['trimtab']} ({one['commit']})" for one in analysis.signatures)
    return (
        f"{_seeds(test)}; {test.examples:,} examples in {test.clusters:,} clusters (effectively "
        f"{test.effective_clusters:,.0f}); {_test(test, correction, tested)}; trimtab {', '.join(versions)}."
    )


def _test(test: TestSet, correction: str, tested: int) -> str:
    if not tested:
        return "no test was made"
    return (
        f"crossed analysis of seeds and examples, two-sided t tests, {_pairing(test)}; {correction} over "
        f"{_tested(tested)}"
    )


def _tested(tested: int) -> str:
    return "the one contrast that is tested" if tested == 1 else f"the {tested} contrasts that are tested"


def _seeds(test: TestSet) -> str:
    numbers = sorted({len(row["seeds"]) for row in test.contrasts})
    if len(numbers) > 1:
        return f"{numbers[0]} to {numbers[-1]} seeds, by contrast"
    return f"{numbers[0]} seed{'s' if numbers[0] > 1 else ''}"


def _meaning(test: TestSet, settings: dict[str, Any]) -> str:
    margin = scale_of(test).amount(settings["margin"])
    words = (
        f"Intervals are unadjusted, at {100 * (1 - settings['alpha']):g} %; p is adjusted. Better and worse: "
        f"adjusted p under {settings['alpha']:g}. Equivalent: the difference is shown to lie within {margin} "
        "either way (two one-sided tests, adjusted likewise)."
    )
    if any(row["verdict"] == "identical" for row in test.contrasts):
        words += (
            " Identical: every split's inputs are the same, so that one set of trials stands for both, and "
            "nothing is tested."
        )
    fewest = min(len(row["seeds"]) for row in test.contrasts)
    if fewest == 1:
        words += " **One seed permits no claim about strategies.**"
    if fewest == 2:
        words += " **Two seeds are exploratory.**"
    if any(row["verdict"] == "inconclusive" for row in test.contrasts):
        words += (
            " Inconclusive: neither is shown; more seeds to settle are those that would show one with a "
            "chance of 80 %, were the true difference the one found."
        )
    return words


def _pairing(test: TestSet) -> str:
    paired = sum(row["paired"] for row in test.contrasts)
    if paired == len(test.contrasts):
        return "paired by seed"
    others = "across sizes or replicas"
    return f"unpaired, {others}" if not paired else f"{paired} paired by seed, the others, {others}, not"
