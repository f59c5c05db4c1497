"""The page: one report.md over the tables and figures of a study."""

from dataclasses import dataclass
from pathlib import Path

from trimtab.analysis.analysis import Analysis, SetAnalysis, analyse
from trimtab.atomic import atomic_write
from trimtab.config import InputError
from trimtab.ledger.ledger import Ledger
from trimtab.report.contrast_section import contrast_section
from trimtab.report.cross_section import cross_section
from trimtab.report.curves_section import curves_section
from trimtab.report.data_section import cuts_section, lengths_section
from trimtab.report.output import Output
from trimtab.report.provenance_section import provenance_section
from trimtab.report.scale import notes, scale_named, scale_of
from trimtab.report.score_section import score_section
from trimtab.report.secondary_section import affected_section, checkpoint_section, others_section
from trimtab.report.summary import recommendations, summary
from trimtab.report.throughput_section import throughput_section


@dataclass(frozen=True)
class Written:
    """The path of report.md, and what came out in a few plain lines."""

    path: Path
    summary: list[str]


def write(folder: str | Path) -> Written:
    """Write tables/, figures/ and report.md into a ledger's folder.

    Needs the ledger alone. InputError where the folder holds no results, or cannot be written.
    """
    folder = Path(folder)
    return write_page(analyse(Ledger(folder)), Output(folder))


def write_page(analysis: Analysis, output: Output) -> Written:
    """Write report.md, and through ``output`` its tables and figures; InputError where that fails."""
    path = output.folder / "report.md"
    try:
        page = _page(analysis, output)
        with atomic_write(path) as temporary:
            temporary.write_text(page, encoding="utf-8")
        output.remove_stale()
    except OSError as error:
        raise unwritable(output.folder, error) from error
    return Written(path, _summary(analysis))


def unwritable(folder: Path, error: OSError) -> InputError:
    """The sentence for a folder that a report cannot be written into."""
    mend = "free disk space or fix permissions, or copy the folder and report on the copy"
    return InputError(f"{folder}: the report cannot be written ({error.strerror}); {mend}")


def _page(analysis: Analysis, output: Output) -> str:
    """The page from top to bottom; its tables and figures are written on the way."""
    study = analysis.study
    parts = [f"# {study.name}", study.question]
    parts += _shortfalls(analysis)
    parts += _judged_by(analysis)
    parts += [_bullets(recommendations(analysis.tests, study.compare))]
    parts += lengths_section(study, output)
    for test in analysis.tests:
        parts += _test_set(test, analysis, output)
    parts += throughput_section(analysis, output)
    parts += curves_section(analysis, output)
    parts += cuts_section(analysis, output)
    parts += provenance_section(analysis)
    return "\n\n".join(part for part in parts if part) + "\n"


def _test_set(test: SetAnalysis, analysis: Analysis, output: Output) -> list[str]:
    """All that is said of one test set; what is secondary comes last."""
    settings = analysis.study.compare
    parts = [f"## {scale_of(test).title} on {test.name}", _bullets(summary(test))]
    parts += score_section(test, output)
    parts += contrast_section(test, analysis, output)
    parts += checkpoint_section(test, output)
    parts += affected_section(test, settings, output)
    parts += cross_section(test, settings, output)
    parts += others_section(test, settings, output)
    return parts


def _summary(analysis: Analysis) -> list[str]:
    """What came out in plain lines, for a terminal."""
    several = len(analysis.tests) > 1
    lines = _judged_by(analysis) + recommendations(analysis.tests, analysis.study.compare)
    for test in analysis.tests:
        lines += [f"{test.name}: {line}" if several else line for line in summary(test)]
    return [line.replace("**", "") for line in lines]


def _shortfalls(analysis: Analysis) -> list[str]:
    """What is missing, first: a reader must know it before any figure."""
    failed = [one for one in analysis.missing if one.failure is not None]
    lines = [f"* failed: {one.variant.name}, seed {one.seed}: {one.failure}" for one in failed]
    lines += [
        f"* not run: {one.variant.name}, seed {one.seed}" for one in analysis.missing if one.failure is None
    ]
    if not lines:
        return []
    return [
        f"**Missing: {len(lines)} of the trials.** Variants without any trial are left out. Each mean is "
        "over the seeds that its variant has finished, each contrast over those that both of its variants "
        "have.",
        "\n".join(lines),
    ]


def _judged_by(analysis: Analysis) -> list[str]:
    """What models are judged by, where it is not accuracy, and what a reader must know of it."""
    name = analysis.study.compare.score
    if name == "accuracy":
        return []
    scale = scale_named(name)
    return [f"Judged by {scale.name}. {notes([scale])}".strip()]


def _bullets(lines: list[str]) -> str:
    return "\n".join(f"* {line}" for line in lines)
