"""The commands that list what there is."""

from collections.abc import Sequence
from typing import Any

from trimtab.cli.options import DONE


def strategies() -> int:
    """The splits and selections there are, with their options; the first value is the default."""
    from trimtab.truncation import describe

    return _print_rows(describe())


def sizes() -> int:
    """The model sizes there are."""
    from trimtab.model.sizes import describe

    return _print_rows(describe())


def datasets() -> int:
    """The data sets and file formats that can be read, with their options."""
    from trimtab.data import paragraphs
    from trimtab.data.readers import describe, option_meanings

    for row in describe():
        print(row["name"])
        for key, value in row.items():
            if key not in ("name", "options"):
                print(f"  {key}: {value}")
        for option, meaning in option_meanings(row["name"]).items():
            print(f"  option {option}: {meaning}")
    print("to pretrain on:")
    for row in paragraphs.describe():
        print(f"  {row['name']}: {row['what']} ({row['licence']})")
    return DONE


def _print_rows(rows: Sequence[dict[str, Any]]) -> int:
    from tabulate import tabulate

    print(tabulate(rows, headers="keys", disable_numparse=True))
    return DONE
