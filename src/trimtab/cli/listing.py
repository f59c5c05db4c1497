"""The commands that list what can be used: strategies, sizes and data sets."""

from collections.abc import Sequence
from typing import Annotated, Any

import typer

from trimtab.cli.options import DONE
from trimtab.config import InputError, nearest
from trimtab.report.terminal import say

_OTHERS = "through transformers, in padded batches: implementation = 'transformers'"

DataSet = Annotated[str | None, typer.Argument(metavar="NAME", help="Data set or reader to describe.")]

Size = Annotated[
    str | None,
    typer.Argument(
        metavar="SIZE", help="Size whose tensors to list: a name, or numbers such as 2x256/512/4."
    ),
]
Vocabulary = Annotated[
    int | None,
    typer.Option("--vocabulary", min=1, metavar="N", help="For SIZE: vocabulary size.", show_default="30522"),
]
Classes = Annotated[
    int | None,
    typer.Option("--classes", min=1, metavar="N", help="For SIZE: classes of the head.", show_default="2"),
]


def strategies() -> int:
    """List the splits and selections of a truncation.

    The first value of each option is its default.
    """
    from trimtab.truncation import describe

    return _print_rows(describe())


def sizes(size: Size = None, vocabulary: Vocabulary = None, classes: Classes = None) -> int:
    """List the model sizes, or the tensors of one.

    Also lists the packed architectures, which train without padding. Tensors are named as in Hugging Face
    transformers.
    """
    from trimtab.model.kinds import KINDS
    from trimtab.model.sizes import describe

    if size is not None:
        return _print_tensors(size, vocabulary or 30_522, classes or 2)
    if vocabulary or classes:
        raise InputError("--vocabulary and --classes apply to one size; name it, as in: trimtab sizes base")
    _print_rows(describe())
    say("\nArchitectures of pretrained weights that train without padding, by transformers' model_type:\n")
    kinds = [{"architecture": kind.model_type, "what": kind.meaning} for kind in KINDS.values()]
    return _print_rows([*kinds, {"architecture": "any other", "what": _OTHERS}])


def _print_tensors(name: str, vocabulary: int, classes: int) -> int:
    from trimtab.study.settings import resolve

    size = resolve({"size": name}, "sizes").size
    from trimtab.model.parameters import parameter_rows

    rows = parameter_rows(size, vocabulary, classes)
    shown = [{"tensor": row.name, "shape": row.shape_words, "parameters": f"{row.numbers:,}"} for row in rows]
    _print_rows(shown)
    say(f"\n{name}: {len(rows)} named tensors, {sum(row.numbers for row in rows):,} parameters")
    return DONE


def datasets(name: DataSet = None) -> int:
    """List the data sets and file formats, or describe one.

    A reader is described with its options.
    """
    from trimtab.data import paragraphs
    from trimtab.data.readers import describe

    rows = describe()
    if name is not None:
        return _print_details(name, rows)
    shown = ("name", "reader", "rows", "labels", "metric", "licence")
    _print_rows([{key: row[key] for key in shown} for row in rows])
    say("\nFor pretraining:")
    for text in paragraphs.describe():
        say(f"  {text['name']}: {text['what']} ({text['licence']})")
    say("\nFor columns, clusters, source and reader options: trimtab datasets NAME")
    return DONE


def _print_details(name: str, rows: Sequence[dict[str, str]]) -> int:
    from trimtab.data import paragraphs
    from trimtab.data.readers import option_meanings

    chosen = [row for row in rows if name in (row["name"], row["reader"])]
    texts = [text | {"read by": "trimtab pretrain"} for text in paragraphs.describe() if text["name"] == name]
    if not chosen and not texts:
        known = {row[key] for row in rows for key in ("name", "reader")}
        known |= {text["name"] for text in paragraphs.describe()}
        raise InputError(f"no data set is called {name!r}; {nearest(name, known)}")
    for row in chosen + texts:
        say(row["name"])
        for key, value in row.items():
            if key != "name":
                say(f"  {key}: {value}")
    for reader in dict.fromkeys(row["reader"] for row in chosen):
        say(f"options of reader {reader}")
        for option, meaning in option_meanings(reader).items():
            say(f"  {option}: {meaning}")
    return DONE


def _print_rows(rows: Sequence[dict[str, Any]]) -> int:
    from trimtab.report.terminal import table_text

    say(table_text([[str(cell) for cell in row.values()] for row in rows], list(rows[0])))
    return DONE
