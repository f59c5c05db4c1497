"""An audit as tables and one figure, on a terminal and as files."""

from collections.abc import Sequence
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np

from trimtab.config import InputError
from trimtab.data.dataset import Counts, Dataset
from trimtab.data.label_remarks import label_warnings
from trimtab.data.quoted import quoted_warning
from trimtab.data.unknown import unknown_warning
from trimtab.plan.audit import Audited, DifferenceRow
from trimtab.report.audit_tables import audit_table, length_table, of_single_texts
from trimtab.report.tables import Column, Table, percent, text_column

_MOST_LABELS = 10  # that are named one by one


def audit_tables(audited: Audited) -> list[Table[Any]]:
    """Lengths, what is cut, the same by label where there are labels, and where truncations differ."""
    single = of_single_texts(audited.profiles)
    tables: list[Table[Any]] = [length_table(audited.lengths), audit_table(audited.rows, single=single)]
    if audited.by_label:
        tables.append(audit_table(audited.by_label, "audit-by-label", single=single))
    if len({row.truncation for row in audited.differences}) > 1:
        tables.append(difference_table(audited.differences))
    return tables


def audit_text(about: Sequence[str], audited: Audited) -> str:
    """An audit as a person reads it on a terminal; ``about`` are lines on the data."""
    titles = {
        "lengths": "How long the rows are, in tokens with the special ones:",
        "audit": "What is cut; tokens lost are over all rows, uncut ones included:",
        "audit-by-label": "The same by label:",
        "audit-differences": "The share of rows on which two truncations keep different tokens:",
    }
    lead = ["\n".join(uncut_words(audited))] if audited.uncut else []
    parts = [*lead, "\n".join(about), *audited.notes]
    parts += [f"{titles[table.name]}\n\n{table.text()}" for table in audit_tables(audited) if table.rows]
    if audited.hardly:
        words = "Hardly any difference can be expected (under 1 % of rows cut): "
        parts.append(words + "; ".join(audited.hardly) + ".")
    return "\n\n".join(parts)


def uncut_words(audited: Audited) -> list[str]:
    """For each split the max_len that most rows need to stay whole, whatever the truncation."""
    lines = []
    for split, found in audited.uncut.items():
        of = f" of {split}" if len(audited.uncut) > 1 else ""
        (least, shortest), *others = found.items()
        words = [f"{percent(least, 0)} % of the rows{of} are uncut from max_len {shortest} on"]
        words += [f"{percent(share, 0)} % from {length} on" for share, length in others]
        lines.append(", ".join(words))
    return lines


def counts_words(counts: Counts) -> str:
    """How much of a split there is, and where it is from."""
    dropped = f", {counts.dropped:,} left out" if counts.dropped else ""
    repeated = f", {counts.repeated:,} of them also in train" if counts.repeated else ""
    rows = f"{counts.rows:,} rows in {counts.clusters:,} clusters"
    if counts.queries:
        rows = f"{counts.rows:,} rows, {counts.queries:,} queries ({counts.ranked:,} with a relevant row)"
        rows += f" in {counts.clusters:,} clusters"
    return f"{counts.split}: {counts.source}: {rows}{repeated}{dropped}"


def data_words(datasets: Sequence[Dataset]) -> list[str]:
    """Lines on a study's splits and on the vocabulary of each tokeniser."""
    counts = datasets[0].counts
    lines = [counts_words(each) for each in counts]
    lines += chain.from_iterable(quoted_warning(each.split, each.quoted) for each in counts)
    lines.append(_label_words(datasets[0]))
    lines += label_warnings(datasets[0].label_names, len(datasets[0].splits["train"]))
    for dataset in datasets:
        name = f" of {dataset.name}" if len(datasets) > 1 else ""
        lines.append(f"vocabulary{name}: {dataset.vocabulary:,} tokens")
        lines += unknown_warning(dataset.unknown, f"tokenizer {dataset.name!r}")
    return lines


def _label_words(dataset: Dataset) -> str:
    """The labels and how common each is in training; of many only that."""
    names, labels = dataset.label_names, dataset.splits["train"].labels
    if dataset.target == "score":
        spread = (
            f"{labels.min():g} to {labels.max():g}, mean {labels.mean():.3f}, deviation {labels.std():.3f}"
        )
        return f"scores of train: {spread}"
    if dataset.target == "relevance":
        return (
            f"relevance of train: {percent(float((labels > 0).mean()), 1)} % of rows, up to {labels.max():g}"
        )
    shares = np.bincount(labels.astype(np.int64), minlength=len(names)) / len(labels)
    if len(names) > _MOST_LABELS:
        least, most = (percent(share, 1) for share in (shares.min(), shares.max()))
        return f"labels: {len(names):,} of them, {least} to {most} % of train each"
    each = (f"{name} {percent(share, 1)} %" for name, share in zip(names, shares, strict=True))
    return f"labels of train: {', '.join(each)}"


def difference_table(rows: Sequence[DifferenceRow]) -> Table[DifferenceRow]:
    """A matrix for each split and max_len, in which truncations have numbers, as their names are long."""
    columns: list[Column[DifferenceRow]] = [
        text_column("split", "split", lambda row: row.split),
        text_column("max_len", "max_len", lambda row: row.max_len),
        Column(
            "truncation",
            lambda row: f"{row.number} {row.truncation}",
            {"number": lambda row: row.number, "truncation": lambda row: row.truncation},
        ),
        *(_different_from(number) for number in sorted({row.number for row in rows})),
    ]
    return Table("audit-differences", columns, rows)


def _different_from(number: int) -> Column[DifferenceRow]:
    def share(row: DifferenceRow) -> float | None:
        return row.different_from.get(number)

    return Column(f"from {number}, %", lambda row: percent(share(row), 1), {f"from_{number}": share})


def claim(folder: Path) -> None:
    """Make the folders, before any work; InputError where that cannot be done."""
    for made in (folder / "tables", folder / "figures"):
        try:
            made.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise _closed(made, error) from error


def write(folder: Path, audited: Audited) -> list[Path]:
    """Write ``tables/`` and ``figures/`` into a folder; the paths that a person opens first."""
    from trimtab.report.audit_figure import audit_figure  # matplotlib takes seconds, and a plan needs none
    from trimtab.report.drawing import save

    tables = audit_tables(audited)
    try:
        for table in tables:
            table.write(folder / "tables")
        save(audit_figure(audited.profiles), folder / "figures", "audit")
    except OSError as error:
        raise _closed(folder, error) from error
    written = [folder / "tables" / f"{table.name}.md" for table in tables]
    return [*written, folder / "figures" / "audit.png"]


def _closed(folder: Path, error: OSError) -> InputError:
    mend = "choose another folder with --out DIR"
    return InputError(f"{folder}: cannot be written ({error.strerror}); {mend}")
