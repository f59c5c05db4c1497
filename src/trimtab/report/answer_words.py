"""The answer of a study in a few sentences: what to take, why, what it saves, and what to do next."""

import math
from dataclasses import dataclass

from trimtab.analysis.analysis import Analysis, SetAnalysis
from trimtab.analysis.answer import Answer, Kind, Savings
from trimtab.analysis.recommendation import Candidate, Recommendation
from trimtab.ledger.records import StudyRecord, VariantRecord
from trimtab.report.chances import settle_words
from trimtab.report.escaping import as_markdown
from trimtab.report.scale import Scale, scale_of
from trimtab.report.tables import p_value
from trimtab.statistics import Contrast
from trimtab.study.compared import ComparedStudy

_SEEDS = 5  # what a study of one seed is advised to have
_TITLES: dict[Kind, str] = {
    "take": "Take",
    "undecided": "Undecided",
    "one seed": "Undecided",
    "nothing learned": "Nothing learned",
    "nothing to choose": "Nothing to choose",
}


@dataclass(frozen=True)
class AnswerWords:
    """The answer on a test set, as Markdown. title: in a word or two; verdict: one sentence; why: on what it
    rests; savings, settle: nothing where there is none; command: what to type next, as it is, nothing for
    predictions that were made elsewhere.
    """

    kind: Kind
    title: str
    verdict: str
    why: str
    savings: str
    settle: str
    command: str


def answer_words(test: SetAnalysis, analysis: Analysis) -> AnswerWords:
    """The answer on one test set."""
    found, scale, study = test.answer, scale_of(test), analysis.study
    unfinished = len(analysis.missing) if found.kind != "take" else 0
    return AnswerWords(
        kind=found.kind,
        title=_TITLES[found.kind],
        verdict=_verdict(test, study, scale),
        why=_why(test, study, scale),
        savings=_savings(found),
        settle=_unfinished(unfinished, analysis) if unfinished else _settle(test, study),
        command=f"trimtab run {study.name}.toml" if unfinished else _command(found, study),
    )


def answer_lines(analysis: Analysis) -> list[str]:
    """One line per test set, as Markdown: what to take, and why."""
    several = len(analysis.tests) > 1
    lines = []
    for test in analysis.tests:
        words = answer_words(test, analysis)
        said = " ".join(filter(None, (words.verdict, words.why)))
        lines.append((f"{as_markdown(test.name)}: " if several else "") + f"{words.title}: {said}")
    return lines


def _verdict(test: SetAnalysis, study: ComparedStudy, scale: Scale) -> str:
    found = test.answer
    if found.kind == "nothing learned":
        return f"no variant is shown to beat guessing ({_guessing(test, scale)})."
    if found.recommendation is None:
        return f"the best mean is that of **{as_markdown(found.best.variant.name)}**, {_mean(test, scale)}."
    name = f"**{as_markdown(found.recommendation.candidate.variant.name)}**"
    if found.kind == "take":
        return f"{name}."
    if found.kind == "one seed":
        what = "strategies" if isinstance(study, StudyRecord) else "methods, only about checkpoints"
        return f"comparisons with {name} rest on one seed, which permits no claim about {what}."
    return f"no variant is shown to be {_margin(found.recommendation, study, scale)}."


def _guessing(test: SetAnalysis, scale: Scale) -> str:
    assert test.prior_baseline is not None
    return f"{scale.level_with_unit(test.prior_baseline)}, the label-prior baseline, which ignores the text"


def _mean(test: SetAnalysis, scale: Scale) -> str:
    estimate = test.answer.best.estimate
    if math.isnan(estimate.ci_low):
        return scale.level_with_unit(estimate.mean)
    interval = f"{scale.level(estimate.ci_low)} to {scale.level(estimate.ci_high)}"
    return f"{scale.level_with_unit(estimate.mean)} ({interval})"


def _margin(what: Recommendation, study: ComparedStudy, scale: Scale) -> str:
    margin = f"less than {scale.amount(study.compare.margin)} worse than every other variant"
    if what.compared < what.asked:
        margin += f" ({what.compared} of {what.asked} have finished a trial)"
    return margin


def _why(test: SetAnalysis, study: ComparedStudy, scale: Scale) -> str:
    found, what = test.answer, test.answer.recommendation
    if found.kind == "nothing learned":
        return f"The best mean is {_mean(test, scale)}, of {as_markdown(found.best.variant.name)}."
    if what is None or found.kind == "one seed":
        return ""
    if found.kind == "undecided":
        return f"{_closest(what, scale)}{_behind_best(what, test, scale)}."
    best = "; it has the best mean" if what.candidate is what.best else ""
    alike = ", ".join(as_markdown(one.name) for one in what.candidate.alike)
    same = f" The same inputs come from {alike}." if alike else ""
    exploratory = "; exploratory, two seeds" if what.fewest_seeds == 2 else ""
    if what.candidate.examples_per_second is None:
        best = "has the best mean" if what.candidate is what.best else "has the best mean of those that are"
        return (
            f"It is shown to be {_margin(what, study, scale)} and {best} ({_price(what.candidate, scale)}): "
            f"{_hardest(what, scale)}; adjusted p {p_value(what.p)}{exploratory}.{same}"
        )
    return (
        f"It is the cheapest shown to be {_margin(what, study, scale)} ({_price(what.candidate, scale)}): "
        f"{_hardest(what, scale)}{best}; adjusted p {p_value(what.p)}{exploratory}.{same}"
    )


def _closest(what: Recommendation, scale: Scale) -> str:
    if what.hardest is None:
        return "Some variants share no finished seed"
    return f"Closest is {as_markdown(what.candidate.variant.name)}, {_hardest(what, scale)}"


def _behind_best(what: Recommendation, test: SetAnalysis, scale: Scale) -> str:
    behind = test.behind_best.get(what.candidate.variant.number, math.nan)
    return "" if math.isnan(behind) else f"; it is at most {scale.amount(behind)} worse than the best"


def _hardest(what: Recommendation, scale: Scale) -> str:
    """The difference in which the candidate comes off worst."""
    assert what.hardest is not None
    contrast, other = what.hardest.contrast, what.hardest.baseline
    words = interval(contrast, scale)
    if math.isnan(contrast.ci_low):
        words = "(no interval: too little varies)"
    best = ""
    if other.number == what.best.variant.number:
        best = f", the best mean ({_price(what.best, scale)})"
    difference = scale.difference_with_unit(contrast.delta)
    return f"in the hardest comparison {difference} {words} against {as_markdown(other.name)}{best}"


def interval(contrast: Contrast, scale: Scale) -> str:
    """An interval in brackets."""
    return f"({scale.difference(contrast.ci_low)} to {scale.difference(contrast.ci_high)})"


def _price(candidate: Candidate, scale: Scale) -> str:
    mean, rate = scale.level_with_unit(candidate.mean), candidate.examples_per_second
    return mean if rate is None else f"{mean}, {rate:,.0f} examples/s"


def _savings(answer: Answer) -> str:
    known = answer.recommendation is not None and answer.recommendation.candidate.peak_bytes is not None
    if answer.kind != "take" or not known:
        return ""
    found = answer.savings
    if found is None:
        return "It is the slowest to train: nothing cheaper is shown to be as good."
    return f"Against {as_markdown(found.dearest.name)}, the slowest to train: {cost_words(found)}."


def cost_words(cost: Savings) -> str:
    """How much less, or more, of each thing: ``45 % fewer tokens a row, the same training time``."""
    parts = (
        ("fewer", "tokens a row", cost.tokens),
        ("less", "training time", cost.seconds),
        ("less", "peak memory", cost.peak_bytes),
    )
    return ", ".join(f"{_change(share, less)} {what}" for less, what, share in parts if math.isfinite(share))


def _change(share: float, less: str) -> str:
    percent = round(100 * (1 - share))
    if percent == 0:
        return "the same"
    return f"{abs(percent)} % {less if percent > 0 else 'more'}"


def _unfinished(missing: int, analysis: Analysis) -> str:
    return f"{missing:,} of {len(analysis.trials):,} trials are missing: first finish them."


def _settle(test: SetAnalysis, study: ComparedStudy) -> str:
    found = test.answer
    if found.kind == "one seed":
        what = "the study" if isinstance(study, StudyRecord) else "a comparison"
        return f"With {_SEEDS} seeds {what} can tell a difference from chance."
    if found.kind == "nothing learned" and not isinstance(study, StudyRecord):
        return "Until a variant does, none can be preferred."
    if found.kind == "nothing learned":
        return (
            "More training rows, more epochs, another learning_rate or pretrained weights may teach the "
            "models something; until then no cut can be judged."
        )
    if found.kind != "undecided":
        return ""
    if study.compare.looks:
        return "No seed beyond the last look is planned: a larger margin or more test rows may settle it."
    if found.to_settle is not None:
        return settle_words(found.to_settle, test.contrasts, scale_of(test))
    return "A larger margin, more seeds or more test rows would settle it."


def _command(found: Answer, study: ComparedStudy) -> str:
    name = study.name
    if not isinstance(study, StudyRecord):
        return ""
    if found.kind == "take" and found.recommendation is not None:
        variant = found.recommendation.candidate.variant
        if isinstance(variant, VariantRecord) and variant.kept_tokenizer is not None:
            return f"trimtab export results/{name} {variant.number} model"
        return f"keep_weights = true at the top of {name}.toml, then run the study again"
    if found.kind == "one seed":
        return f"seeds = {_SEEDS} in [grid] of {name}.toml, then run the study again"
    if found.kind == "undecided" and (seeds := _enough(found)):
        return f"seeds = {seeds} in [grid] of {name}.toml, then run the study again"
    return f"trimtab plan {name}.toml"


def _enough(found: Answer) -> int | None:
    return found.to_settle.chances.enough if found.to_settle and found.to_settle.chances else None
