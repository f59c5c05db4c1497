"""What a report says of looks: the planned ones, what stopped at each and what that saved; unplanned ones."""

from trimtab.analysis.analysis import Analysis, SetAnalysis
from trimtab.analysis.contrasts import ContrastRow
from trimtab.report.escaping import as_markdown
from trimtab.report.shortest_words import listed
from trimtab.report.tables import Column
from trimtab.statistics.stopping import Course

_REASONS = {
    "equivalent": "equivalent",
    "open": "hardly any chance left to show a difference",
    "withheld": "a seed diverged",
    "last look": "last look",
}
EXAGGERATED = "difference likely exaggerated"


def planned_words(analysis: Analysis) -> str:
    """At what numbers of seeds the study is analysed, how far it is, and how many trials were not needed."""
    looks = analysis.looks
    if looks is None:
        return ""
    words = f"Planned looks at {listed([str(size) for size in looks.planned])} seeds: "
    going_on = sum(course.reason is None for course in looks.courses.values())
    if going_on:
        words += f"{looks.taken} taken, {_contrasts(going_on)} still open."
    else:
        words += f"over after {looks.planned[looks.taken - 1]}." if looks.taken else "over."
    stopped = len(analysis.stopped)
    return words + (f" {stopped:,} of {len(analysis.trials):,} trials were not needed." if stopped else "")


def look_lines(test: SetAnalysis, analysis: Analysis) -> list[str]:
    """What stopped at each look on a test set, and why, as Markdown; none without looks."""
    looks = analysis.looks
    if looks is None:
        return []
    lines = [planned_words(analysis)]
    for look in range(1, looks.taken + 1):
        stopped = [
            f"{as_markdown(row.variant.name)} against {as_markdown(row.baseline.name)} ({stop_words(row)})"
            for row in test.contrasts
            if row.course and row.course.reason and row.course.look == look
        ]
        if stopped:
            lines.append(f"Stopped at {looks.planned[look - 1]} seeds: {'; '.join(stopped)}.")
    return lines


def stop_words(row: ContrastRow) -> str:
    """Why a contrast stopped; nothing where it goes on or there are no looks."""
    course = row.course
    if course is None or course.reason is None:
        return ""
    if course.reason != "different":
        return _REASONS[course.reason]
    return row.contrast.verdict + (f"; {EXAGGERATED}" if course.is_exaggerated else "")


def look_columns() -> list[Column[ContrastRow]]:
    """The look that a contrast's numbers are of, and why it stopped there."""
    return [
        Column(
            "look",
            lambda row: f"{row.course.look} of {row.course.of}" if row.course else "",
            {"look": lambda row: row.course.look if row.course else None},
        ),
        Column(
            "stopped because",
            stop_words,
            {
                "stopped": lambda row: row.course.reason if row.course else None,
                "exaggerated": lambda row: _is_exaggerated(row.course),
            },
        ),
    ]


def _is_exaggerated(course: Course | None) -> bool | None:
    return None if course is None else course.is_exaggerated


def look_meaning(analysis: Analysis) -> str:
    """What p and intervals of a study with planned looks are."""
    if analysis.looks is None:
        return ""
    return (
        "The looks were planned, so p is sequential: the smallest level at which some look so far shows it, "
        "adjusted over all contrasts that the study declares. Intervals hold at every look, and are wider "
        "than a plain one the earlier the look. A contrast that stops early as better or worse does so while "
        "its difference is large by chance too, so that the difference is likely exaggerated. One that stops "
        "as it has hardly any chance left (under 10 %) is open, not shown to be equal."
    )


def unplanned_words(analysis: Analysis) -> str:
    """That the study was complete before with other seeds, without having planned it, and what that does."""
    study = analysis.study
    if not study.looked_at:
        return ""
    numbers = listed([str(number) for number in study.looked_at])
    words = f"**This study was complete before, with {numbers} seeds, and could be looked at then.** "
    if study.compare.looks:
        return words + "Its looks were planned or changed after that, so that its p-values promise too much."
    return words + (
        "Seeds added in the light of earlier results make its tests err more often than `alpha` says: with a "
        "seed noise of one point, one comparison of equal variants errs in 4.6 % of simulated studies that "
        "are tested once, in 11.4 % of those tested after 3, 5, 8 and 12 seeds, and in 17.9 % of those "
        "tested after every seed up to 20. `looks` in `[compare]` plans looks that keep the level."
    )


def _contrasts(number: int) -> str:
    return f"{number} contrast{'s' * (number > 1)}"
