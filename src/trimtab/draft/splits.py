"""A column that says of each row which split it is of: found, or why it is not used."""

from collections.abc import Sequence

from trimtab.config import toml_value
from trimtab.data.columns import Column
from trimtab.draft import names
from trimtab.draft.labels import MOST_CLASSES

_SHOWN = 3


def find_splits(columns: Sequence[Column], *, has_test: bool) -> tuple[str | None, dict[str, str], list[str]]:
    """The first column whose cells all name splits, train and another, with the cell of each split.

    And sentences: on what it holds, on rows that belong to none of the splits, or on a column that looks like
    one and is not used. has_test: whether the test rows lie in another file, so that none is used.
    """
    for column in columns:
        if not 2 <= column.distinct <= MOST_CLASSES:
            continue
        cells = {cell: names.split_of(cell) for cell, _ in column.counts.most_common()}
        strange = [cell for cell, split in cells.items() if split is None]
        place = toml_value(column.name)
        is_named = names.plain(column.name) in names.SPLIT_COLUMNS and len(strange) < len(cells)
        if "train" not in cells.values() or len(set(cells.values())) < 2 or strange:
            if strange and (is_named or "train" in cells.values()):
                shown = ", ".join(map(toml_value, strange[:_SHOWN]))
                why = f"as it has values that name no split: {shown}"
                return None, {}, [f"Warning: {place} is not used, {why}"]
            continue
        if has_test:
            return None, {}, [f"Warning: {place} names splits, and is not used beside --test"]
        found = _chosen(cells)
        each = ", ".join(f"{split} where it is {toml_value(cell)}" for split, cell in found.items())
        said = [f"splits: {place} names them: {each}"]
        left = len(column.cells) - sum(column.counts[cell] for cell in found.values())
        if left:
            said.append(f"Warning: {left:,} rows are of no split: their {place} is blank or another word")
        return column.name, found, said
    return None, {}, []


def _chosen(cells: dict[str, str | None]) -> dict[str, str]:
    """The most frequent cell of each split; a development split is the test set where there is no other."""
    found: dict[str, str] = {}
    for cell, split in cells.items():
        assert split is not None
        found.setdefault(split, cell)
    if "test" not in found:
        found["test"] = found.pop("validation")  # as in data sets whose test labels are secret
    return {split: found[split] for split in names.SPLITS if split in found}
