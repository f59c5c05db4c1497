"""Labels that are probably not meant: those that stand for a missing one, and too many of them."""

from collections.abc import Sequence

# What programs write where a row has no label.
_MISSING = ("", "-", "-1", "?", "nan", "none", "null", "n/a", "na")
_MANY, _FEW_ROWS = 20, 5  # more labels than so many, of fewer rows each, are rather ids or scores


def may_be_missing(label: str) -> bool:
    """Whether a label is what programs write where there is none."""
    return label.strip().casefold() in _MISSING


def label_warnings(names: Sequence[str], rows: int) -> list[str]:
    """Sentences on the labels of ``rows`` training rows that are probably not meant.

    Of two labels neither is suspected: -1 beside 1 is a common pair.
    """
    strange = [name for name in names if may_be_missing(name)] if len(names) > 2 else []
    found = [
        f"Warning: label {name!r} is a class like the others, and may stand for rows without a label; "
        f"drop = [{name!r}] in [data], with reader table, leaves them out."
        for name in strange
    ]
    if len(names) > _MANY and rows < _FEW_ROWS * len(names):
        found.append(
            f"Warning: there are {len(names):,} labels for {rows:,} rows of train; if their column holds ids "
            "or scores, name another."
        )
    return found
