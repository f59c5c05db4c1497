"""What a report says of the data: how long its rows are, and what each variant cuts of them."""

from trimtab.analysis.analysis import Analysis
from trimtab.ledger.records import StudyRecord
from trimtab.report.audit_figure import audit_figure
from trimtab.report.audit_tables import audit_table, length_table, of_single_texts
from trimtab.report.blocks import Block, Section
from trimtab.report.escaping import as_markdown
from trimtab.report.output import Output


def lengths_section(study: StudyRecord, output: Output) -> Section:
    """How long the rows of each split are before any cut."""
    split, lengths = max(study.lengths.items(), key=lambda item: item[1].longest)
    words = (
        "In tokens, special ones included, before any cut: the longest row has "
        f"{lengths.longest:,} ({as_markdown(split)})."
    )
    blocks: list[Block] = [words, output.table(length_table(study.lengths))]
    return Section("lengths", "How long the rows are", blocks)


def cuts_section(analysis: Analysis, study: StudyRecord, output: Output) -> Section:
    """What each variant cuts of each split, and of each label of the test sets."""
    single = of_single_texts(study.profiles)
    figure = audit_figure(study.profiles, variants=study.variants)
    by_label = audit_table(analysis.label_audits, "audit-by-label", single=single)
    blocks: list[Block] = [
        _words(study),
        output.figure(figure, "audit", "Lengths of texts, and what is cut at any max_len"),
        output.table(audit_table(analysis.audits, single=single)),
        "By label, on the test sets:",
        output.table(by_label),
    ]
    return Section("cuts", "What is cut", blocks)


def _words(study: StudyRecord) -> str:
    words = "Figures of lost tokens are over all rows, including those that are not cut."
    hardly = [variant.name for variant in study.variants if variant.hardly_cut]
    if hardly:
        words += (
            " Hardly any difference can be expected from variants that cut fewer than 1 % of rows: "
            + "; ".join(map(as_markdown, hardly))
            + "."
        )
    return words
