"""The commands that use a model: embed, and out of a ledger export and predict."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from trimtab.cli.options import DONE, Data, stages
from trimtab.config import InputError

if TYPE_CHECKING:
    from tokenizers import Tokenizer

    from trimtab.model.heads import Bert
    from trimtab.report.representations import Represented
    from trimtab.truncation import Truncation

Pooling = Annotated[
    Literal["none", "cls", "mean"],
    typer.Option("--pooling", help="A vector for each token, the first token's, or the mean of all."),
]
TextArguments = Annotated[
    list[str] | None, typer.Argument(metavar="TEXT [TEXT]", help="A text, or the two of a pair.")
]
Table = Annotated[
    Path | None, typer.Option("--file", metavar="FILE", help="A table of texts; its vectors go to --out.")
]
First = Annotated[str | None, typer.Option("--first", metavar="COLUMN", help="FILE: the first text.")]
Second = Annotated[
    str | None, typer.Option("--second", metavar="COLUMN", help="FILE: the second text, if there is one.")
]
VectorsOut = Annotated[
    Path | None, typer.Option("--out", metavar="FILE", help="Write the vectors there, .npz or .npy.")
]
Spec = Annotated[
    str | None,
    typer.Option("--truncation", metavar="SPEC", help="How to cut what is too long [not at all: an error]."),
]
MaxLen = Annotated[
    int | None, typer.Option("--max-len", metavar="N", help="Tokens of a row [as many as the model knows].")
]


def embed(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="A name such as minilm, a folder or a zip.")],
    texts: Annotated[
        list[str] | None, typer.Argument(metavar="[TEXT [TEXT]]", help="A text or pair.")
    ] = None,
    pooling: Pooling = "none",
    file: Table = None,
    first: First = None,
    second: Second = None,
    truncation: Spec = None,
    max_len: MaxLen = None,
    out: VectorsOut = None,
    data: Data = None,
) -> int:
    """What MODEL makes of a text or a pair: a vector for each token, or one."""
    _check_texts(texts, {"first": first, "second": second}, file, out)
    from trimtab.report import representations as document
    from trimtab.truncation import parse

    cut = parse(truncation) if truncation else None
    if out is not None:
        document.check(out)
    from trimtab.data.table import read_texts
    from trimtab.model import load

    with stages() as stage:
        stage("loading the model")
        loaded = load(model, data)
        sides = [[text] for text in texts or ()]
        if file is not None:
            stage("reading the texts")
            examples = read_texts(str(file), data, first, second)
            sides = [side for side in (examples.first, examples.second) if side is not None]
        stage("computing vectors")
        found = _represented(*loaded, sides, None if pooling == "none" else pooling, max_len, cut)
    if file is None:
        print(document.row_text(found))
    if out is not None:
        print(document.write(out, found))
    return DONE


def _check_texts(
    texts: list[str] | None, columns: dict[str, str | None], file: Path | None, out: Path | None
) -> None:
    """InputError unless there is a text, or a pair, or a file of them that goes to a file."""
    if file is not None:
        if texts:
            raise InputError(f"TEXT: {texts[0]!r} stands beside --file {file}; give one of them")
        if out is None:
            raise InputError("--file: the vectors of many texts go to a file; name it with --out FILE.npz")
        return
    for name, value in columns.items():
        if value is not None:
            raise InputError(
                f"--{name}: names a column of a table; give the table with --file, or leave it out"
            )
    if not texts or len(texts) > 2:
        what = "is missing" if not texts else f"stands there {len(texts)} times"
        raise InputError(
            f"TEXT: {what}; give one text, or the two of a pair, in quotes, or a table with --file"
        )
    if blank := [text for text in texts if not text.strip()]:
        raise InputError(f"TEXT: {blank[0]!r} holds no word; leave it out, or write some")


def _represented(
    model: "Bert",
    tokenizer: "Tokenizer",
    sides: list[list[str]],
    pooling: Literal["cls", "mean"] | None,
    max_len: int | None,
    cut: "Truncation | None",
) -> "Represented":
    from trimtab.model import representations
    from trimtab.report.representations import Represented

    pairs = representations.inputs(*sides, model=model, tokenizer=tokenizer, max_len=max_len, truncation=cut)
    rows = (pairs.tokens[row].tolist() for row in range(len(pairs)))
    tokens = [[str(tokenizer.id_to_token(number)) for number in row] for row in rows]
    if pooling is None:
        return Represented(tokens, representations.token_vectors(model, pairs))
    return Represented(tokens, representations.row_vectors(model, pairs, pooling), pooling)
