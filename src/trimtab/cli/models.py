"""The commands that use a model: embed, and out of a ledger export and predict."""

import sys
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


Format = Annotated[
    Literal["hf", "d2l"] | None,
    typer.Option("--format", help="Hugging Face's or d2l's [the first that can express the model]."),
]
Seed = Annotated[
    int | None, typer.Option("--seed", metavar="N", help="A seed of the study [the best on validation].")
]
LabelsOut = Annotated[
    Path | None, typer.Option("--out", metavar="FILE", help="Write every row's label there, as .csv.")
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
    from trimtab.model.loading import read

    with stages() as stage:
        stage("loading the model")
        weights, tokenizer = read(model, data)
        sides = [[text] for text in texts or ()]
        if file is not None:
            stage("reading the texts")
            examples = read_texts(str(file), data, first, second)
            sides = [side for side in (examples.first, examples.second) if side is not None]
        stage("computing vectors")
        pooled = None if pooling == "none" else pooling
        found = _represented(weights.model(), tokenizer, sides, pooled, max_len, cut)
    if weights.ignored:
        print(f"{model}: not used: {', '.join(weights.ignored)}", file=sys.stderr)
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
            raise InputError(f"--{name}: names a column of a table; name that with --file, or leave it out")
    if not texts or len(texts) > 2:
        what = "is missing" if not texts else f"stands there {len(texts)} times"
        raise InputError(
            f"TEXT: {what}; give one text or the two of a pair, in quotes, or a table with --file"
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


def export(
    results: Annotated[Path, typer.Argument(metavar="DIR", help="A ledger's folder.")],
    variant: Annotated[
        str, typer.Argument(metavar="VARIANT", help="Its name in the report, or number from 0.")
    ],
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Where to write the model.")],
    form: Format = None,
    seed: Seed = None,
) -> int:
    """Write a trained model of VARIANT to FOLDER, with its tokeniser and truncation."""
    from trimtab.deploy.export import export
    from trimtab.ledger.ledger import Ledger

    chosen, written = export(Ledger(results), variant, folder, form, seed)
    best = f"accuracy {chosen.result.validation.accuracy:.4f} on validation"
    if seed is None:
        best += f", the best of {chosen.seeds} seed{'s' * (chosen.seeds > 1)} with weights"
    print(f"{chosen.variant.name}, seed {chosen.seed}: {best}")
    print(f"{folder}: in {written} format; trimtab predict {folder} FILE uses it")
    return DONE


def predict(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="What trimtab export wrote.")],
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A table of texts or pairs.")],
    first: First = None,
    second: Second = None,
    out: LabelsOut = None,
    data: Data = None,
) -> int:
    """Label new texts or pairs with an exported model, cut as in its training."""
    from trimtab.report import predictions as document

    if out is not None:
        document.check(out)
    from trimtab.data.table import read_texts
    from trimtab.deploy import exported, prediction

    with stages() as stage:
        stage("loading the model")
        classifier = exported.read(folder)
        stage("reading the texts")
        texts = read_texts(str(file), data, first, second)
        stage("predicting")
        found = prediction.predict(classifier, texts.first, texts.second)
    about = f"{classifier.truncation}, max_len {classifier.max_len}"
    print(about if classifier.described else f"{about}, as {folder} does not say how its texts were cut")
    print()
    sides = [side for side in (texts.first, texts.second) if side is not None]
    print(document.predictions_text(found, sides))
    if out is not None:
        document.write(out, found)
    print()
    print(out or "Every row's label, as a table: --out FILE.csv")
    return DONE
