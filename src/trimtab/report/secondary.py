"""Sections of a report that are declared secondary: rows cut differently, and models met by another cut."""

from collections.abc import Callable
from typing import Any

from trimtab.analysis.analysis import TestSet
from trimtab.analysis.cross import Cross
from trimtab.report.contrast_tables import affected_table, is_named, matrix_table, mismatch_table
from trimtab.report.scale import notes, scale_named, scale_of
from trimtab.report.secondary_tables import checkpoint_table, other_scores, others_table
from trimtab.report.tables import Table

Show = Callable[[Table], str]


def affected_section(test: TestSet, settings: dict[str, Any], show: Show) -> list[str]:
    """Contrasts on the rows that their two variants cut differently; nothing where there are none."""
    if not test.affected:
        return []
    words = (
        "Each contrast again, on those rows of the test set alone that its two variants cut differently; "
        "contrasts without any such row have no row. Secondary: retrained models differ on the other rows "
        f"too, so that the whole test set above decides. {_family(settings)}"
    )
    return ["### On the rows that are cut differently", show(affected_table(test)), words]


def others_section(test: TestSet, settings: dict[str, Any], show: Show) -> list[str]:
    """Every score that the study is not judged by, without contrasts."""
    level = f"{100 * (1 - settings['alpha']):g} %"
    about = notes([scale_named(name) for name in other_scores(test)])
    words = f"Secondary, of the same predictions: means with {level} intervals; no contrast is tested."
    return [f"### Other scores on {test.name}", show(others_table(test)), f"{words} {about}"]


def checkpoint_section(test: TestSet, show: Show) -> list[str]:
    """McNemar's test of a study of one seed; nothing where there is none."""
    if not test.checkpoints:
        return []
    words = (
        "The study has one seed, which permits no claim about strategies. What can be asked is whether two "
        "trained models, as they are, differ in accuracy: McNemar's exact test, two-sided, p not adjusted. "
        "It takes examples as independent, clusters or not. Another seed may answer otherwise."
    )
    return ["### The checkpoints of one seed", show(checkpoint_table(test)), words]


def cross_section(test: TestSet, settings: dict[str, Any], show: Show) -> list[str]:
    """What a mismatch between training and use costs; nothing where the study does not ask."""
    cross = test.cross
    if cross is None:
        return []
    parts = ["### Trained with x evaluated with", _shortfall(cross)]
    if cross.rows:
        parts += [
            f"{_in_unit(test)}: each model, as it was trained, on the inputs of every way to cut; in "
            f"brackets on those that are cut as in its training. {_seeds(cross)}",
            _inputs(cross),
            show(matrix_table(test, cross)),
            "Each mismatch against two things: the same models on the inputs that they were trained for, and "
            "the models that were trained for the inputs which these meet. The first says what changes when "
            "a model goes into use with another cut, the second what training for that cut would have "
            "gained.",
            show(mismatch_table(test, cross)),
            f"Secondary. {_family(settings)} The two differences are a family each. Rows longer than any in "
            "training reach positions that were never learnt; a model without enough positions is not asked, "
            "nor one with another tokeniser, and its cell stays empty.",
        ]
    return parts


def costliest(test: TestSet) -> list[str]:
    """The most costly mismatch in a line that a person can quote; none where nothing was asked."""
    if test.cross is None or not test.cross.mismatches:
        return []
    worse = [row for row in test.cross.mismatches if row["matched_verdict"] == "worse"]
    if not worse:
        return ["No model is shown to do worse than one trained for the cut that it meets (secondary)."]
    row, scale = min(worse, key=lambda row: row["matched_delta"]), scale_of(test)
    return [
        f"Most costly mismatch (secondary): trained with **{row['name']}** and evaluated with "
        f"{row['evaluated_with']}, {scale.level_with_unit(row['mean'])}, "
        f"{scale.difference_with_unit(row['matched_delta'])} "
        f"({scale.difference(row['matched_ci_low'])} to {scale.difference(row['matched_ci_high'])}) against "
        "a model trained for that."
    ]


def _in_unit(test: TestSet) -> str:
    scale = scale_of(test)
    return f"{scale.title} in {scale.score.unit}" if scale.score.unit else scale.title


def _family(settings: dict[str, Any]) -> str:
    correction = "Benjamini-Hochberg" if settings["exploratory"] else "Holm"
    return f"p is adjusted by {correction} over this table alone; intervals are unadjusted."


def _seeds(cross: Cross) -> str:
    words = f"Means over seeds {', '.join(map(str, cross.seeds))}."
    if len(cross.seeds) == 1:
        words += " **One seed permits no claim.**"
    if len(cross.seeds) == 2:
        words += " **Two seeds are exploratory.**"
    return words


def _shortfall(cross: Cross) -> str:
    """What is not evaluated, before any figure."""
    lines = [
        f"* {'failed' if row['reason'] else 'not evaluated'}: {row['name']}, seed {row['seed']}"
        + (f": {row['reason']}" if row["reason"] else "")
        for row in cross.missing
    ]
    if not lines:
        return (
            "" if cross.seeds else "No seed is finished by every variant, so that there is nothing to show."
        )
    head = (
        f"**Missing: {len(lines)} of the cross evaluations, a model and seed each.** Models without any are "
        "left out, and the figures stand on the seeds that all others have: "
        f"{', '.join(map(str, cross.seeds)) or 'none'}."
    )
    return "\n".join([head, "", *lines])


def _inputs(cross: Cross) -> str:
    """Which cuts share a column, and what its number means where it has no name."""
    named = is_named(cross)
    return "\n".join(
        f"{number}. {' = '.join(names)}" if not named else f"* {' = '.join(names)}: the same inputs"
        for number, names in enumerate(cross.inputs, 1)
        if not named or len(names) > 1
    )
