"""The commands that use a trained model: embed, export and predict."""

import sys
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from trimtab.cli.options import DONE, Data, First, Second, stages
from trimtab.config import InputError
from trimtab.model.architecture import AUTO
from trimtab.model.formats import FORMATS
from trimtab.report.terminal import say

if TYPE_CHECKING:
    from tokenizers import Tokenizer

    from trimtab.model.padded import AnyModel
    from trimtab.report.representations import Represented
    from trimtab.truncation import Truncation

Pooling = Annotated[
    Literal["none", "cls", "mean"],
    typer.Option("--pooling", help="One vector per token, the first token's, or the mean."),
]
Texts = Annotated[list[str] | None, typer.Argument(metavar="TEXT", help="One text, or the two of a pair.")]
Table = Annotated[
    Path | None, typer.Option("--file", metavar="FILE", help="Table of texts, whose vectors go to --out.")
]
VectorsOut = Annotated[
    Path | None, typer.Option("--out", metavar="FILE", help="Write the vectors to this .npz or .npy file.")
]
Spec = Annotated[
    str | None,
    typer.Option(
        "--truncation",
        metavar="SPEC",
        help="How to truncate; without it, a row that is too long is an error.",
    ),
]
MaxLen = Annotated[
    int | None,
    typer.Option(
        "--max-len", metavar="N", help="Maximum tokens per row.", show_default="the model's positions"
    ),
]
_FORMATS = " or ".join(f"{key} ({each.name})" for key, each in FORMATS.items()) + "."
Format = Annotated[
    str | None,
    typer.Option("--format", help=_FORMATS, show_default="the first that can hold the model"),
]
Seed = Annotated[
    int | None,
    typer.Option("--seed", metavar="N", help="Seed of the trial.", show_default="the best on validation"),
]
Truth = Annotated[
    str | None,
    typer.Option("--label", metavar="COLUMN", help="Column of FILE: true label, to measure accuracy."),
]
LabelsOut = Annotated[
    Path | None, typer.Option("--out", metavar="FILE", help="Write the label of every row to this .csv file.")
]


def embed(
    model: Annotated[
        str, typer.Argument(metavar="MODEL", help="A name such as minilm, a folder or a zip file.")
    ],
    texts: Texts = None,
    pooling: Pooling = "none",
    file: Table = None,
    first: First = None,
    second: Second = None,
    truncation: Spec = None,
    max_len: MaxLen = None,
    out: VectorsOut = None,
    data: Data = None,
) -> int:
    """Compute the vectors of a text or a pair.

    One vector per token, or one in all with --pooling.
    """
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
        weights, tokenizer = read(model, data, implementation=AUTO)
        sides = [[text] for text in texts or ()]
        if file is not None:
            stage("reading the texts")
            examples = read_texts(str(file), data, first, second)
            sides = [side for side in (examples.first, examples.second) if side is not None]
        stage("computing vectors")
        pooled = None if pooling == "none" else pooling
        found = _represented(weights.model(), tokenizer, sides, pooled, max_len, cut)
    if weights.ignored:
        print(f"{model}: ignored: {', '.join(weights.ignored)}", file=sys.stderr)
    written = None if out is None else document.write(out, found)  # first, as a terminal may be closed
    if file is None:
        say(document.row_text(found))
    if written is not None:
        say(written)
    return DONE


def _check_texts(
    texts: list[str] | None, columns: dict[str, str | None], file: Path | None, out: Path | None
) -> None:
    """Raise InputError unless there is a text, a pair, or a table with a file for its vectors."""
    if file is not None:
        if texts:
            raise InputError(
                f"TEXT: {texts[0]!r} is given together with --file {file}; give only one of them"
            )
        if out is None:
            raise InputError(
                "--file: the vectors of a table are written to a file; name it with --out FILE.npz"
            )
        return
    for name, value in columns.items():
        if value is not None:
            raise InputError(
                f"--{name}: names a column of a table; give the table with --file, or leave it out"
            )
    if not texts or len(texts) > 2:
        what = "missing" if not texts else f"given {len(texts)} times"
        raise InputError(
            f"TEXT: {what}; give one text, or the two of a pair, each in quotes, or a table with --file"
        )
    if blank := [text for text in texts if not text.strip()]:
        raise InputError(f"TEXT: {blank[0]!r} contains no word; leave it out, or write a text")


def _represented(
    model: "AnyModel",
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
    results: Annotated[Path, typer.Argument(metavar="DIR", help="Folder of a study's results.")],
    variant: Annotated[
        str, typer.Argument(metavar="VARIANT", help="Its name in the report, or its number, counted from 0.")
    ],
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="New folder for the model.")],
    form: Format = None,
    seed: Seed = None,
) -> int:
    """Export a trained model with its tokeniser and truncation."""
    from trimtab.deploy.export import export
    from trimtab.ledger.ledger import Ledger

    chosen, written = export(Ledger(results), variant, folder, form, seed)
    best = f"{chosen.result.validation.words} on validation"
    if seed is None:
        best += f", the best of {chosen.seeds} seed{'s' * (chosen.seeds > 1)} with weights"
    say(f"{chosen.variant.name}, seed {chosen.seed}: {best}")
    say(f"{folder}: in {written} format; to use it: trimtab predict {folder} FILE")
    return DONE


def predict(
    folder: Annotated[
        Path,
        typer.Argument(
            metavar="FOLDER", help="Folder of trimtab export, or of any classifier or cross-encoder."
        ),
    ],
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Table of texts or pairs.")],
    first: First = None,
    second: Second = None,
    label: Truth = None,
    out: LabelsOut = None,
    data: Data = None,
) -> int:
    """Label or score new texts or pairs with a trained model.

    An exported model truncates them as in its training. With --label, says how many are right.
    """
    from trimtab.report import predictions as document

    if out is not None:
        document.check(out)
    from trimtab.data.table import text_blocks
    from trimtab.deploy import exported
    from trimtab.deploy.prediction import labels_among
    from trimtab.deploy.streaming import BLOCK, predicted_blocks

    with ExitStack() as open_files:
        stage = open_files.enter_context(stages())
        stage("loading the model")
        classifier = exported.read(folder)
        if label and classifier.gives_scores:
            raise InputError("--label: the model gives a score to each row and no labels; leave --label out")
        stage("reading the texts")
        summary = document.Summary(classifier.labels)
        write = open_files.enter_context(document.written(out, classifier.labels)) if out else None
        blocks = text_blocks(str(file), data, first, second, label, rows=BLOCK)
        for texts, found in predicted_blocks(classifier, blocks, lambda pace: stage(str(pace))):
            truth = labels_among(texts, classifier.labels, str(file)) if label else None
            summary.add(found, [side for side in (texts.first, texts.second) if side is not None], truth)
            if write is not None:
                write(found)
    about = classifier.about
    say(about if classifier.described else f"{about}, by default: {folder} does not record its truncation")
    say()
    say(summary.text())
    if label:
        say(f"\n{summary.accuracy_words()}")
    say()
    what = "score" if classifier.gives_scores else "label"
    say(str(out or f"To write the {what} of every row to a file: --out FILE.csv"))
    return DONE
