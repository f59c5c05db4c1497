"""Texts that still have the quotes which a writer of CSV put round them."""

from collections.abc import Iterable


def quoted(texts: Iterable[str]) -> int:
    """How many of the ``texts`` are quoted as a cell of a CSV is, with the quotes inside it doubled.

    Quotes inside there must be, as many a text stands in quotes of its own.
    """
    return sum(1 for text in texts if text.startswith('"') and text.endswith('"') and _doubled(text[1:-1]))


def _doubled(inside: str) -> bool:
    return '""' in inside and '"' not in inside.replace('""', "")


def quoted_warning(split: str, texts: int) -> list[str]:
    """A sentence where a split has such ``texts``."""
    if not texts:
        return []
    return [
        f"Warning: {texts:,} texts of {split} stand in quotes and double the quotes in them, as in a CSV; if "
        "a program wrote these, give the table the ending .csv and commas, or write it without quoting."
    ]
