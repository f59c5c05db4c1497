"""What a report says of cross evaluation: what it costs where training and use cut differently."""

import math
from collections.abc import Callable

from trimtab.analysis.analysis import SetAnalysis
from trimtab.analysis.cross import CrossEvaluation, Mismatch, ModelRow
from trimtab.report.blocks import Block, Section
from trimtab.report.escaping import as_markdown
from trimtab.report.output import Output
from trimtab.report.scale import Scale, scale_of
from trimtab.report.secondary_section import family_words
from trimtab.report.tables import Column, Table, interval_words, text_column, verdict_p
from trimtab.statistics import Contrast
from trimtab.study.compare_section import Compare

_NAMED = 4  # columns of the matrix that may be headed by names; more by numbers, or it would be too wide


def cross_section(test: SetAnalysis, settings: Compare, output: Output) -> Section:
    """What a mismatch between training and use costs; without blocks where the study does not ask."""
    cross, title = test.cross, "Trained with x evaluated with"
    if cross is None:
        return Section("cross", title)
    blocks: list[Block] = [_shortfall(cross)]
    if cross.models:
        blocks += [
            f"{_in_unit(test)}: each model on the inputs of every way to cut; in brackets on those that are "
            f"cut as in its training. {_seeds(cross)}",
            _inputs(cross),
            output.table(matrix_table(test, cross)),
            "Each mismatch is compared with two things: the same models on the inputs that they were trained "
            "for, and the models that were trained for the inputs at hand. The first says what changes when "
            "a model goes into use with another cut, the second what training for that cut would have "
            "gained.",
            output.table(mismatch_table(test, cross)),
            f"Secondary. {family_words(settings)} Each of the two differences is a family of its own. Rows "
            "longer than any in training use positions that were never trained; a model with too few "
            "positions, or with another tokeniser, is not evaluated, and its cell stays empty.",
        ]
    return Section("cross", title, blocks, test.name, folded=True)


def costliest(test: SetAnalysis) -> list[str]:
    """The most costly mismatch in a line that a person can quote; none where nothing could be compared."""
    mismatches = test.cross.mismatches if test.cross else []
    compared = [(row, row.to_matched) for row in mismatches if row.to_matched is not None]
    if not compared:
        return []
    worse = [(row, contrast) for row, contrast in compared if contrast.verdict == "worse"]
    if not worse:
        scale = scale_of(test)
        lows = [contrast.ci_low for _, contrast in compared if not math.isnan(contrast.ci_low)]
        reach = f"; the intervals reach {scale.difference_with_unit(min(lows))}" if lows else ""
        return [
            "No model was found to do worse than one trained for the cut that it is given (secondary)"
            f"{reach}."
        ]
    row, contrast = min(worse, key=lambda pair: pair[1].delta)
    scale = scale_of(test)
    return [
        f"Most costly mismatch (secondary): trained with **{as_markdown(row.variant.name)}** and evaluated "
        f"with {as_markdown(row.evaluated_with)}, {scale.level_with_unit(row.mean)}, "
        f"{scale.difference_with_unit(contrast.delta)} "
        f"({scale.difference(contrast.ci_low)} to {scale.difference(contrast.ci_high)}) against "
        "a model trained for that."
    ]


def matrix_table(test: SetAnalysis, cross: CrossEvaluation) -> Table[ModelRow]:
    """The score of each model on each of the inputs, in brackets on its own."""
    scale = scale_of(test)
    columns: list[Column[ModelRow]] = [text_column("trained with", "name", lambda row: row.variant.name)]
    if not _is_named(cross):
        columns.append(text_column("own", "own_number", lambda row: row.own + 1))
    for number, names in enumerate(cross.inputs):
        columns.append(_mean_column(number, names[0] if _is_named(cross) else str(number + 1), scale))
    return Table(f"cross-{test.name}", columns, cross.models)


def _mean_column(number: int, head: str, scale: Scale) -> Column[ModelRow]:
    def cell(row: ModelRow) -> str:
        shown = scale.level(row.means[number])
        return f"[{shown}]" if row.own == number else shown

    return Column(head, cell, {f"inputs_{number + 1}": lambda row: row.means[number]})


def mismatch_table(test: SetAnalysis, cross: CrossEvaluation) -> Table[Mismatch]:
    """Each model on other inputs than its own: against itself on its own, and the model trained for them."""
    scale = scale_of(test)
    columns: list[Column[Mismatch]] = [
        text_column("trained with", "name", lambda row: row.variant.name),
        text_column("evaluated with", "evaluated_with", lambda row: row.evaluated_with),
        Column(scale.head, lambda row: scale.level(row.mean), {"mean": lambda row: row.mean}),
        _difference(scale, "to itself on its own", "", _to_own),
        _verdict("", _to_own),
        _difference(scale, "to the model trained for these", "matched_", _to_matched),
        _verdict("matched_", _to_matched),
    ]
    return Table(f"mismatches-{test.name}", columns, cross.mismatches)


Against = Callable[[Mismatch], Contrast | None]


def _to_own(row: Mismatch) -> Contrast | None:
    return row.to_own


def _to_matched(row: Mismatch) -> Contrast | None:
    return row.to_matched


def _difference(scale: Scale, head: str, prefix: str, against: Against) -> Column[Mismatch]:
    """A difference with its interval in one cell, nothing where there is no model to compare with."""

    def cell(row: Mismatch) -> str:
        found = against(row)
        if found is None:
            return ""
        return f"{scale.difference(found.delta)} ({interval_words(scale.difference, found)})"

    numbers = _numbers(
        against,
        delta=lambda contrast: contrast.delta,
        ci_low=lambda contrast: contrast.ci_low,
        ci_high=lambda contrast: contrast.ci_high,
        se=lambda contrast: contrast.se,
        df=lambda contrast: contrast.df,
    )
    raw = {f"{prefix}{name}": number for name, number in numbers.items()}
    if prefix:
        raw["matched_name"] = lambda row: row.matched.name if row.matched else ""
    return Column(f"{head}{scale.difference_end}", cell, raw)


def _verdict(prefix: str, against: Against) -> Column[Mismatch]:
    """A verdict with the adjusted p of the test that it rests on."""

    def verdict(row: Mismatch) -> str:
        found = against(row)
        return "" if found is None else found.verdict

    def cell(row: Mismatch) -> str:
        found = against(row)
        p = "" if found is None else verdict_p(found)
        return f"{verdict(row)} ({p})" if p else verdict(row)

    numbers = _numbers(
        against,
        p=lambda contrast: contrast.p,
        p_adjusted=lambda contrast: contrast.p_adjusted,
        p_equivalence=lambda contrast: contrast.p_equivalence,
    )
    raw = {"verdict": verdict, **numbers}
    return Column("verdict (adjusted p)", cell, {f"{prefix}{name}": value for name, value in raw.items()})


def _numbers(
    against: Against, **numbers: Callable[[Contrast], float]
) -> dict[str, Callable[[Mismatch], float | str]]:
    """Numbers of a contrast for the CSV; nan where there is no model to compare with."""

    def number(of: Callable[[Contrast], float]) -> Callable[[Mismatch], float]:
        return lambda row: math.nan if (found := against(row)) is None else of(found)

    return {name: number(of) for name, of in numbers.items()}


def _is_named(cross: CrossEvaluation) -> bool:
    return len(cross.inputs) <= _NAMED


def _in_unit(test: SetAnalysis) -> str:
    scale = scale_of(test)
    return f"{scale.title} in {scale.score.unit}" if scale.score.unit else scale.title


def _seeds(cross: CrossEvaluation) -> str:
    words = f"Means over seeds {', '.join(map(str, cross.seeds))}."
    if len(cross.seeds) == 1:
        words += " **One seed permits no claim.**"
    if len(cross.seeds) == 2:
        words += " **Two seeds are exploratory.**"
    return words


def _shortfall(cross: CrossEvaluation) -> str:
    """What is not evaluated, before any figure."""
    lines = [
        f"* {'failed' if one.reason else 'not evaluated'}: {as_markdown(one.variant.name)}, seed {one.seed}"
        + (f": {as_markdown(one.reason)}" if one.reason else "")
        for one in cross.missing
    ]
    if not lines:
        return "" if cross.seeds else "No seed is finished by every variant, so there is nothing to show."
    head = (
        f"**Missing: {len(lines)} of the cross evaluations, one per model and seed.** Models without any are "
        "left out, and the figures are over the seeds that all others have: "
        f"{', '.join(map(str, cross.seeds)) or 'none'}."
    )
    return "\n".join([head, "", *lines])


def _inputs(cross: CrossEvaluation) -> str:
    """Which cuts share a column, and what its number means where it has no name."""
    named = _is_named(cross)
    return "\n".join(
        f"{number}. {words}" if not named else f"* {words}: the same inputs"
        for number, names in enumerate(cross.inputs, 1)
        for words in [" = ".join(map(as_markdown, names))]
        if not named or len(names) > 1
    )
