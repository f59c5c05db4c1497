"""The verdict on max_len in a sentence: which length suffices, which are worse, which open, what it saves."""

from collections.abc import Sequence

from trimtab.analysis.analysis import Analysis, SetAnalysis
from trimtab.analysis.shortest import LengthRow, LengthSeries
from trimtab.report.answer_words import cost_words
from trimtab.report.escaping import as_markdown
from trimtab.report.scale import Scale, scale_of
from trimtab.study.compared import ComparedStudy


def shortest_words(test: SetAnalysis, study: ComparedStudy) -> list[str]:
    """One line per series of lengths, or for all of which the same is to be said, as Markdown; none where
    max_len is no axis.
    """
    scale = scale_of(test)
    said: dict[str, list[str]] = {}
    for series in test.shortest:
        words = _refused(series, test, scale) if series.refused else _found(series, study, scale)
        said.setdefault(words, []).append(as_markdown(series.series))
    if len(test.shortest) == 1:
        return list(said)
    return [f"{'; '.join(names)}: {words}" for words, names in said.items()]  # names may have commas


def shortest_lines(analysis: Analysis) -> list[str]:
    """The lines of all test sets, for where nothing else says what they are about."""
    several = len(analysis.tests) > 1
    return [
        (f"{as_markdown(test.name)}: " if several else "") + f"max_len: {line}"
        for test in analysis.tests
        for line in shortest_words(test, analysis.study)
    ]


def _refused(series: LengthSeries, test: SetAnalysis, scale: Scale) -> str:
    longest = f"{series.longest.max_len}, the longest,"
    if series.refused == "one seed":
        return f"No length is named: {longest} has one finished seed, and no claim rests on fewer than two."
    if series.refused == "unfinished":
        return f"No length is named: {longest} has not finished a trial."
    assert test.prior_baseline is not None
    guessing = scale.level_with_unit(test.prior_baseline)
    return f"No length is named: {longest} is not shown to beat guessing ({guessing})."


def _found(series: LengthSeries, study: ComparedStudy, scale: Scale) -> str:
    named, margin = series.shortest, scale.amount(study.compare.margin)
    parts = [_named(named, series, margin)]
    shorter = [row for row in series.rows if row.variant.max_len < named.variant.max_len]
    for verdict, is_so, are_so in (("worse", "is worse", "are worse"), ("open", "is open", "are open")):
        lengths = [str(row.variant.max_len) for row in shorter if row.verdict == verdict]
        if lengths:
            parts.append(f"{listed(lengths)} {is_so if len(lengths) == 1 else are_so}")
    words = f"{'; '.join(parts)}.{_saved(named, series)}"
    fewest = min((len(row.seeds) for row in series.rows if row.contrast), default=0)
    return words + (" Exploratory: two seeds." if fewest == 2 else "")


def _named(named: LengthRow, series: LengthSeries, margin: str) -> str:
    longest = series.longest.max_len
    if named.is_longest:
        return f"No length under {longest} is shown to suffice (to lose less than {margin} against it)"
    length = f"**{named.variant.max_len}**"
    if named.contrast is None:
        return f"{length} suffices (the inputs are those of {longest})"
    though = ", though it is shown to lose something" if named.worse else ""
    return f"{length} suffices (loses less than {margin} against {longest}{though})"


def _saved(named: LengthRow, series: LengthSeries) -> str:
    if named.cost is None:
        return ""
    return f" Against {series.longest.max_len}: {cost_words(named.cost)}."


def listed(words: Sequence[str]) -> str:
    """``24``, ``24 and 32``, ``24, 32 and 48``."""
    *first, last = words
    return f"{', '.join(first)} and {last}" if first else last
