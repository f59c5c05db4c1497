"""Sections as Markdown, and report.md: the answer, the main table, the main figure, and where the rest is."""

from trimtab.analysis.analysis import Analysis
from trimtab.report.answer_words import answer_words
from trimtab.report.blocks import bullets
from trimtab.report.escaping import as_markdown
from trimtab.report.look_words import planned_words, unplanned_words
from trimtab.report.scale import notes, scale_named, scale_of
from trimtab.report.score_section import score_table
from trimtab.report.shortest_words import shortest_words


def short(analysis: Analysis) -> str:
    """report.md: what a person needs who reads one page."""
    study = analysis.study
    parts = [
        f"# {as_markdown(study.name)}",
        as_markdown(study.question, len(study.question)),
        *shortfalls(analysis),
        *judged_by(analysis),
        unplanned_words(analysis),
        planned_words(analysis),
    ]
    for test in analysis.tests:
        words = answer_words(test, analysis)
        if len(analysis.tests) > 1:
            parts.append(f"## {as_markdown(test.name)}")
        said = (words.verdict, words.why, words.savings, words.settle)
        parts += [f"**{words.title}:** {' '.join(filter(None, said))}"]
        parts += [f"**max_len:** {line}" for line in shortest_words(test, study)]
        parts += [score_table(test).markdown()]
        if test.prior_baseline is not None:
            level = scale_of(test).level_with_unit(test.prior_baseline)
            parts.append(f"Label-prior baseline, which ignores the text: {level}.")
        parts.append(f"![{scale_of(test).title} over max_len](figures/{test.score}-{test.name}.svg)")
        if test.contrasts:
            parts.append(f"![Contrasts with their intervals](figures/contrasts-{test.name}.svg)")
    parts.append(
        "Everything else (contrasts, what is cut, rows, curves, each trial, the study file) is in "
        f"report.html beside this file, which `trimtab report results/{study.name}` writes: one file, which "
        "needs no network. Each table is in [tables](tables), each figure in [figures](figures)."
    )
    return "\n\n".join(part for part in parts if part) + "\n"


def shortfalls(analysis: Analysis) -> list[str]:
    """What is missing: a reader must know it before any figure."""
    missing = analysis.missing
    if not missing:
        return []
    failed = [trial for trial in missing if trial.failure is not None]
    lines = [
        f"failed: {as_markdown(t.variant.name)}, seed {t.seed}: {as_markdown(t.failure, 2_000)}"
        for t in failed
    ]
    lines += [f"not run: {as_markdown(t.variant.name)}, seed {t.seed}" for t in missing if t.failure is None]
    more = len(lines) - _LISTED
    if more > 0:
        lines = [*lines[:_LISTED], f"{more:,} more"]
    return [
        f"**Missing: {len(missing)} of {len(analysis.trials)} trials.** Variants without any trial are left "
        "out. Each mean is over the seeds that its variant has finished, each contrast over those that both "
        "of its variants have.",
        bullets(lines),
    ]


_LISTED = 10  # missing trials; the table of trials has all


def judged_by(analysis: Analysis) -> list[str]:
    """What models are judged by, where it is not accuracy, and what a reader must know of it."""
    name = analysis.study.compare.score
    if name == "accuracy":
        return []
    scale = scale_named(name)
    return [f"Judged by {scale.name}. {notes([scale])}".strip()]
