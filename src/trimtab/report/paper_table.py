"""The compact table of a test set for a paper: score, difference, adjusted p, verdict, tokens and speed."""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from trimtab.analysis.analysis import SetAnalysis
from trimtab.analysis.contrasts import ContrastRow
from trimtab.analysis.means import MeanRow
from trimtab.analysis.throughput import ThroughputRow
from trimtab.report.escaping import in_latex, plain
from trimtab.report.latex import latex_row
from trimtab.report.relevance import relevant_means
from trimtab.report.scale import Scale, scale_of
from trimtab.report.tables import Column, Table, number_column, text_column
from trimtab.report.wrapping import pieces_of, wrapped
from trimtab.statistics import Contrast
from trimtab.statistics.multiplicity import CORRECTIONS
from trimtab.study.compare_section import Compare
from trimtab.study.compared import ComparedVariant

MARKS = {"better": "▲", "worse": "▼", "equivalent": "≈", "inconclusive": "?", "identical": "≡"}
_NAMED = 4  # baselines in a note
_AFTER_UNDERSCORE = re.compile(r"(?<=_)")
_UNBROKEN = 6  # letters that fit into the narrowest column for names


@dataclass(frozen=True)
class PaperRow:
    """A variant: its mean, the first contrast in which it is compared, and its cost.

    contrast: None for a baseline. is_best: whether it has the best mean and every contrast of its own says
    so. tokens: of a row of the test set, the mean; speed: examples/s of training, relative to ``reference``.
    """

    mean: MeanRow
    contrast: ContrastRow | None
    is_best: bool
    tokens: float
    speed: float


@dataclass(frozen=True)
class PaperTable(Table[PaperRow]):
    """A table whose LaTeX is as wide as a line of text or a column of a paper, with its notes below.

    notes: what a reader must know of the columns, one sentence each.
    """

    notes: tuple[str, ...] = ()

    def latex(self) -> str:
        """The table for the packages booktabs and tabularx; names are wrapped, the best is bold."""
        first, *others = self.heads
        heads = [in_latex(first), *(_stacked(head) for head in others)]
        columns = "@{}>{\\raggedright\\arraybackslash\\hspace{0pt}}X" + "r" * len(others) + "@{}"
        lines = [
            "% \\usepackage{booktabs,tabularx}; as wide as the text or column where it stands",
            "{\\scriptsize\\setlength{\\tabcolsep}{2pt}%",
            f"\\noindent\\begin{{tabularx}}{{\\linewidth}}{{{columns}}}",
            "\\toprule",
            latex_row(heads),
            "\\midrule",
        ]
        lines += [latex_row(_cells(shown, row)) for shown, row in zip(self.cells, self.shown, strict=True)]
        lines += ["\\bottomrule", "\\end{tabularx}\\par\\smallskip"]
        lines += [f"\\noindent\\raggedright {' '.join(map(_breakable, self.notes))}\\par}}"]
        return "\n".join(lines)


def paper_table(test: SetAnalysis, speeds: Sequence[ThroughputRow], settings: Compare) -> PaperTable:
    """The table ``paper-TEST``: one row per variant, the study's order; of very many the most relevant."""
    means, note = relevant_means(test)
    scale, rows = scale_of(test), _rows(test, means, {row.variant.number: row for row in speeds})
    notes = (*_notes(test, settings, scale, rows), *([f"Shown: {note}."] if note else []))
    columns = _columns(scale, compared=any(row.contrast for row in rows))
    return PaperTable(f"paper-{test.name}", columns, rows, notes)


def _rows(test: SetAnalysis, means: Sequence[MeanRow], speeds: Mapping[int, ThroughputRow]) -> list[PaperRow]:
    first: dict[int, ContrastRow] = {}
    for contrast in test.contrasts:
        first.setdefault(contrast.variant.number, contrast)
    reference = speeds[_reference(test, first).number].examples_per_second
    best = _best(test)
    return [
        PaperRow(
            mean=row,
            contrast=first.get(row.variant.number),
            is_best=row.variant.number == best,
            tokens=speeds[row.variant.number].variant.tokens[test.name],
            speed=speeds[row.variant.number].examples_per_second / reference,
        )
        for row in means
    ]


def _reference(test: SetAnalysis, first: Mapping[int, ContrastRow]) -> ComparedVariant:
    """The variant that speeds are relative to: the first baseline, else the first variant."""
    baselines = [contrast.baseline for contrast in first.values()]
    return baselines[0] if baselines else test.means[0].variant


def _best(test: SetAnalysis) -> int | None:
    """The number of the variant with the best mean, if its contrasts show that; None otherwise."""
    best = max(test.means, key=lambda row: row.estimate.mean).variant.number
    won = [row.contrast.verdict == "better" for row in test.contrasts if row.variant.number == best]
    won += [row.contrast.verdict == "worse" for row in test.contrasts if row.baseline.number == best]
    return best if won and all(won) else None


def _columns(scale: Scale, compared: bool) -> list[Column[PaperRow]]:
    differences: list[Column[PaperRow]] = [
        Column(
            f"Δ{scale.difference_end}",
            lambda row: _difference(row, scale),
            {
                "delta": lambda row: row.contrast.contrast.delta if row.contrast else None,
                "verdict": lambda row: row.contrast.contrast.verdict if row.contrast else None,
                "baseline": lambda row: row.contrast.baseline.name if row.contrast else None,
            },
        ),
        Column(
            "adjusted p",
            lambda row: _short_p(_p(row.contrast.contrast)) if row.contrast else "",
            {
                "p_adjusted": lambda row: row.contrast.contrast.p_adjusted if row.contrast else None,
                "p_equivalence": lambda row: row.contrast.contrast.p_equivalence if row.contrast else None,
            },
        ),
    ]
    return [
        text_column("variant", "name", lambda row: row.mean.variant.name),
        Column(
            scale.head,
            lambda row: _score(row.mean, scale),
            {
                "mean": lambda row: row.mean.estimate.mean,
                "ci_low": lambda row: row.mean.estimate.ci_low,
                "ci_high": lambda row: row.mean.estimate.ci_high,
                "best": lambda row: row.is_best,
            },
        ),
        *(differences if compared else []),
        number_column("tokens per row", "tokens", lambda row: row.tokens, ",.1f"),
        number_column("relative speed", "relative_speed", lambda row: row.speed, ".2f"),
    ]


def _score(row: MeanRow, scale: Scale) -> str:
    mean = scale.level(row.estimate.mean)
    if math.isnan(row.estimate.ci_low):
        return mean
    return f"{mean} ± {scale.level((row.estimate.ci_high - row.estimate.ci_low) / 2)}"


def _difference(row: PaperRow, scale: Scale) -> str:
    if row.contrast is None:
        return "baseline"
    contrast = row.contrast.contrast
    return f"{scale.difference(contrast.delta)} {MARKS[contrast.verdict]}"


def _p(contrast: Contrast) -> float:
    """The adjusted p that the verdict rests on."""
    return contrast.p_equivalence if contrast.verdict == "equivalent" else contrast.p_adjusted


def _short_p(p: float) -> str:
    if math.isnan(p):
        return ""
    return "< 0.001" if p < 0.001 else f"{p:.3f}"


def _notes(test: SetAnalysis, settings: Compare, scale: Scale, rows: Sequence[PaperRow]) -> list[str]:
    """What a reader must know of the columns."""
    first = {row.mean.variant.number: row.contrast for row in rows if row.contrast}
    notes = []
    if any(not math.isnan(row.mean.estimate.ci_low) for row in rows):
        notes.append(f"± half the {100 * (1 - test.alpha):g} % interval over seeds and {test.units}.")
    if first:
        baselines = list(dict.fromkeys(plain(contrast.baseline.name) for contrast in first.values()))
        more = f" and {len(baselines) - _NAMED} more" if len(baselines) > _NAMED else ""
        tested, sets = test.family.tested, test.family.sets
        how = f"{CORRECTIONS[settings.correction].words} over {tested} contrasts"
        how += f" of {sets} test sets" if sets > 1 else ""
        how += f", sequential over {len(settings.looks)} planned looks" if settings.looks else ""
        notes += [f"Δ: difference from {'; '.join(baselines[:_NAMED])}{more}.", f"p: {how}."]
        verdicts = {contrast.contrast.verdict for contrast in first.values()}
        if "equivalent" in verdicts:
            notes[-1] = f"p: {how}; beside {MARKS['equivalent']} that of the two one-sided tests."
        words = {"equivalent": f"equivalent within {scale.amount(settings.margin)}"}
        marks = [
            f"{mark} {words.get(verdict, verdict)}" for verdict, mark in MARKS.items() if verdict in verdicts
        ]
        notes.append(f"{', '.join(marks)}.")
    early = [contrast for contrast in first.values() if contrast.course and contrast.course.is_exaggerated]
    if early:
        names = "; ".join(plain(row.variant.name) for row in early[:_NAMED])
        names += f" and {len(early) - _NAMED} more" if len(early) > _NAMED else ""
        notes.append(f"Stopped early, so that Δ is likely exaggerated: {names}.")
    if any(row.is_best for row in rows):
        notes.append("Bold: the best mean, which every contrast with it confirms.")
    notes.append(f"Speed of training is relative to {plain(_reference(test, first).name)}.")
    if min(len(row.mean.seeds) for row in rows) == 1:
        notes.append("One seed permits no claim about strategies.")
    return notes


def _stacked(head: str) -> str:
    """A head in lines of a few letters, right-aligned."""
    lines = " \\\\ ".join(f"\\strut {in_latex(line)}" for line in wrapped(head, 9).splitlines())
    return f"\\shortstack[r]{{{lines}}}"


def _cells(shown: Sequence[str], row: PaperRow) -> list[str]:
    name, score, *others = shown
    score = in_latex(score)
    return [_breakable(name), f"\\textbf{{{score}}}" if row.is_best else score, *map(in_latex, others)]


def _breakable(words: str) -> str:
    """Words that LaTeX may break where a reader would, and anywhere where it must."""
    pieces = [
        [_breakable_piece(piece) for part in pieces_of(word) for piece in _AFTER_UNDERSCORE.split(part)]
        for word in words.split(" ")
    ]
    return " ".join("\\allowbreak{}".join(word) for word in pieces)


def _breakable_piece(piece: str) -> str:
    parts = [piece[start : start + _UNBROKEN] for start in range(0, len(piece), _UNBROKEN)]
    return "\\penalty500 ".join(map(in_latex, parts))
