"""What a report says of single trials: what came out of each, and what each variant was trained with."""

from collections.abc import Callable, Sequence

from trimtab.analysis.analysis import Analysis
from trimtab.analysis.trials import TrialRow
from trimtab.ledger.records import StudyRecord, VariantRecord
from trimtab.report.blocks import Block, Section
from trimtab.report.escaping import as_markdown
from trimtab.report.output import Output
from trimtab.report.tables import Column, Table, percent, text_column


def trials_section(analysis: Analysis, study: StudyRecord, output: Output) -> Section:
    """Every trial, and how each variant's settings were resolved."""
    alike, apart = _settings(study.variants)
    words = ", ".join(f"{key} {as_markdown(value)}" for key, value in alike.items())
    blocks: list[Block] = [
        output.table(trial_table(analysis.trials)),
        f"All variants have: {words}." if alike else "",
        output.table(_settings_table(study, apart)),
    ]
    return Section("trials", "Each trial, and its settings", blocks, folded=True)


def trial_table(rows: Sequence[TrialRow]) -> Table[TrialRow]:
    """Every trial: whether it is finished, what came out, and why it failed."""
    columns: list[Column[TrialRow]] = [
        text_column("variant", "name", lambda row: row.variant.name),
        text_column("seed", "seed", lambda row: row.seed),
        text_column("status", "status", lambda row: row.status),
        _number("validation accuracy %", "validation_accuracy", lambda r: r.validation.accuracy, percent),
        _number("validation loss", "validation_loss", lambda r: r.validation.loss, "{:.4f}".format),
        _number("epoch evaluated", "evaluated_epoch", lambda r: r.evaluated_epoch, str),
        _number("examples/s", "examples_per_second", lambda r: r.examples_per_second, "{:,.0f}".format),
        _number("seconds", "seconds", lambda r: r.seconds, "{:,.1f}".format),
        text_column("failure", "failure", lambda row: row.failure),
        text_column("key", "key", lambda row: row.key),
    ]
    return Table("trials", columns, rows)


def _number(
    head: str, name: str, value: Callable[..., float], show: Callable[[float], str]
) -> Column[TrialRow]:
    """A number of the trial's result, nothing where there is none."""
    return Column(
        head,
        lambda row: "" if row.result is None else show(value(row.result)),
        {name: lambda row: None if row.result is None else value(row.result)},
    )


def _settings(variants: Sequence[VariantRecord]) -> tuple[dict[str, str], list[str]]:
    """The settings that all variants share, and the names of those that tell some apart."""
    tables = [_of(variant) for variant in variants]
    alike = {key: value for key, value in tables[0].items() if all(t[key] == value for t in tables)}
    return alike, [key for key in tables[0] if key not in alike]


def _of(variant: VariantRecord) -> dict[str, str]:
    return {key: str(value) for key, value in variant.settings.items()}


def _settings_table(study: StudyRecord, keys: Sequence[str]) -> Table[VariantRecord]:
    columns: list[Column[VariantRecord]] = [text_column("variant", "name", lambda row: row.name)]
    columns += [_setting(key) for key in keys]
    return Table("settings", columns, study.variants)


def _setting(key: str) -> Column[VariantRecord]:
    return text_column(key, key.replace(" ", "_"), lambda row: _of(row)[key])
