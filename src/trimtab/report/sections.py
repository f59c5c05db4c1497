"""The sections of a report, from top to bottom; their tables and figures are written on the way."""

from trimtab.analysis.analysis import Analysis, SetAnalysis
from trimtab.ledger.records import StudyRecord
from trimtab.predictions.study import PredictedStudy
from trimtab.report.blocks import Block, RowsBlock, Section
from trimtab.report.checkpoint_section import checkpoint_section
from trimtab.report.contrast_section import contrast_section
from trimtab.report.cross_section import cross_section
from trimtab.report.curves_section import curves_section
from trimtab.report.data_section import cuts_section, lengths_section
from trimtab.report.equal_tokens_section import equal_tokens_section
from trimtab.report.length_section import length_section
from trimtab.report.output import Output
from trimtab.report.provenance_section import provenance_section
from trimtab.report.score_section import score_section
from trimtab.report.secondary_section import affected_section, others_section
from trimtab.report.shortest_section import shortest_section
from trimtab.report.sources_section import sources_section
from trimtab.report.throughput_section import throughput_section
from trimtab.report.trials_section import trials_section


def sections(analysis: Analysis, output: Output) -> list[Section]:
    """All sections that have something to say; what is secondary comes last, and is folded."""
    settings, study = analysis.study.compare, analysis.study
    found = [
        *(section for test in analysis.tests for section in _first(test, analysis, output)),
    ]
    if isinstance(study, StudyRecord):
        found += [
            cuts_section(analysis, study, output),
            lengths_section(study, output),
            *(_rows(test, study.labels) for test in analysis.tests),
        ]
    for test in analysis.tests:
        found += [
            affected_section(test, settings, output),
            cross_section(test, settings, output),
            others_section(test, settings, output),
        ]
    if isinstance(study, StudyRecord):
        found += [
            throughput_section(analysis, study, output),
            curves_section(analysis, study, output),
            trials_section(analysis, study, output),
            provenance_section(analysis, study),
        ]
    if isinstance(study, PredictedStudy):
        found.append(sources_section(analysis, study))
    return [section for section in found if any(section.blocks)]


def _first(test: SetAnalysis, analysis: Analysis, output: Output) -> list[Section]:
    return [
        score_section(test, output),
        contrast_section(test, analysis, output),
        shortest_section(test, analysis, output),
        checkpoint_section(test, analysis.study, output),
        equal_tokens_section(test, analysis, output),
        length_section(test, output),
    ]


def _rows(test: SetAnalysis, labels: tuple[str, ...]) -> Section:
    if not test.rows:
        return Section("rows", "")
    words = (
        "Some rows of the test set, those first on which variants disagree most. What a cut removes is "
        "struck through."
    )
    blocks: list[Block] = [words, RowsBlock(test.rows, labels)]
    return Section("rows", "Rows as each variant reads them", blocks, test.name)
