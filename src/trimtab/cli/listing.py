"""The commands that list what there is."""

from collections.abc import Sequence
from typing import Annotated, Any

import typer

from trimtab.cli.options import DONE

Size = Annotated[str | None, typer.Argument(metavar="[SIZE]", help="A name, or numbers: 2x256/512/4.")]
Vocabulary = Annotated[int, typer.Option("--vocabulary", min=1, metavar="N", help="SIZE: tokens there are.")]
Classes = Annotated[int, typer.Option("--classes", min=1, metavar="N", help="SIZE: classes of its head.")]


def strategies() -> int:
    """The splits and selections there are, with their options; the first value is the default."""
    from trimtab.truncation import describe

    return _print_rows(describe())


def sizes(size: Size = None, vocabulary: Vocabulary = 30_522, classes: Classes = 2) -> int:
    """The model sizes there are; of SIZE, every named tensor, as transformers names them."""
    from trimtab.model.sizes import describe

    return _print_rows(describe()) if size is None else _print_tensors(size, vocabulary, classes)


def _print_tensors(name: str, vocabulary: int, classes: int) -> int:
    from trimtab.study.settings import resolve

    size = resolve({"size": name}, "sizes").size
    from trimtab.model.parameters import parameter_rows

    rows = parameter_rows(size, vocabulary, classes)
    shown = [{"tensor": row.name, "shape": row.shape_words, "parameters": f"{row.numbers:,}"} for row in rows]
    _print_rows(shown)
    print(f"\n{name}: {len(rows)} named tensors, {sum(row.numbers for row in rows):,} parameters")
    return DONE


def datasets() -> int:
    """The data sets and file formats that can be read, with their options."""
    from trimtab.data.readers import describe, option_meanings

    for row in describe():
        print(row["name"])
        for key, value in row.items():
            if key not in ("name", "options"):
                print(f"  {key}: {value}")
        for option, meaning in option_meanings(row["name"]).items():
            print(f"  option {option}: {meaning}")
    return DONE


def _print_rows(rows: Sequence[dict[str, Any]]) -> int:
    from tabulate import tabulate

    print(tabulate(rows, headers="keys", disable_numparse=True))
    return DONE
