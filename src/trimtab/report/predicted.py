"""What came out of predictions made by anything: on a terminal, and as the report of a study."""

from pathlib import Path

from trimtab.analysis.analysis import Analysis, SetAnalysis
from trimtab.config import InputError
from trimtab.report.checkpoint_section import checkpoint_table, checkpoint_words
from trimtab.report.contrast_section import contrast_table, contrast_words
from trimtab.report.escaping import plain, unmarked
from trimtab.report.output import Output
from trimtab.report.page import summary_lines, unwritable, write_page
from trimtab.report.score_section import score_table

_OURS = ("report.html", "report.md", "tables", "figures")


def text(analysis: Analysis) -> str:
    """The answer, and for each test set its scores, contrasts and what they rest on; blocks of lines."""
    blocks = ["\n".join(summary_lines(analysis))]
    for test in analysis.tests:
        blocks += _of_set(test, analysis)
    return "\n\n".join(blocks)


def _of_set(test: SetAnalysis, analysis: Analysis) -> list[str]:
    blocks = [f"{plain(test.name)}:"] if len(analysis.tests) > 1 else []
    blocks.append(score_table(test).text())
    if test.contrasts:
        blocks += [contrast_table(test).text(), unmarked("\n".join(contrast_words(test, analysis)))]
    if test.checkpoints:
        words, scale = checkpoint_words(test, analysis.study)
        blocks += [words, checkpoint_table(test, scale).text()]
    return blocks


def write(folder: Path, analysis: Analysis) -> Path:
    """Write the report into a folder; the path of report.html.

    InputError where the folder holds other things than such a report, or cannot be written.
    """
    try:
        others = [path.name for path in folder.iterdir()] if folder.exists() else []
        odd = sorted(set(others) - set(_OURS))
        if odd:
            raise InputError(
                f"{folder}: holds {odd[0]!r}, which no report has; choose another folder with --out DIR"
            )
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise unwritable(folder, error) from error
    return write_page(analysis, Output(folder)).path
