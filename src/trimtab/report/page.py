"""The report of a study: report.html, report.md, and the tables and figures that both point to."""

from dataclasses import dataclass
from pathlib import Path

from trimtab.analysis.analysis import Analysis, analyse
from trimtab.atomic import atomic_write
from trimtab.config import InputError
from trimtab.ledger.ledger import Ledger
from trimtab.report.answer_words import answer_lines
from trimtab.report.escaping import unmarked
from trimtab.report.html_page import html_page
from trimtab.report.look_words import planned_words, unplanned_words
from trimtab.report.markdown import judged_by, short
from trimtab.report.output import Output
from trimtab.report.sections import sections
from trimtab.report.shortest_words import shortest_lines
from trimtab.report.summary import summary


@dataclass(frozen=True)
class Written:
    """The path of report.html, and what came out in a few plain lines."""

    path: Path
    summary: list[str]


def write(folder: str | Path, *, paper: bool = False) -> Written:
    """Write tables/, figures/, report.md and report.html into a ledger's folder; needs the ledger alone.

    paper: figures also as PNG and for one column of a paper. InputError where the folder holds no results, or
    cannot be written.
    """
    folder = Path(folder)
    return write_page(analyse(Ledger(folder)), Output(folder, paper=paper))


def write_page(analysis: Analysis, output: Output) -> Written:
    """Write both reports, and through ``output`` their tables and figures; InputError where that fails."""
    folder = output.folder
    try:
        found = sections(analysis, output)
        for name, text in (
            ("report.md", short(analysis)),
            ("report.html", html_page(analysis, found, output.figures)),
        ):
            with atomic_write(folder / name) as temporary:
                temporary.write_text(text, encoding="utf-8")
        output.remove_stale()
    except OSError as error:
        raise unwritable(folder, error) from error
    return Written(folder / "report.html", summary_lines(analysis))


def unwritable(folder: Path, error: OSError) -> InputError:
    """The sentence for a folder that a report cannot be written into."""
    mend = "free disk space or fix permissions, or copy the folder and report on the copy"
    return InputError(f"{folder}: the report cannot be written ({error.strerror}); {mend}")


def summary_lines(analysis: Analysis) -> list[str]:
    """What came out in plain lines, for a terminal; the answer comes first."""
    several = len(analysis.tests) > 1
    lines = answer_lines(analysis) + shortest_lines(analysis) + judged_by(analysis)
    lines += filter(None, (unplanned_words(analysis), planned_words(analysis)))
    for test in analysis.tests:
        lines += [f"{test.name}: {line}" if several else line for line in summary(test)]
    return [unmarked(line) for line in lines]
