"""The commands that inspect texts: audit measures what is cut, show prints one row."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from trimtab.cli.options import DONE, READING, TRUNCATING, Data, First, Second, StudyFile, stages
from trimtab.config import InputError
from trimtab.report.terminal import say

if TYPE_CHECKING:
    from trimtab.plan.audit import Audited

# The default truncations and lengths for the audit of a FILE.
_TRUNCATIONS, _LENGTHS = ("longest_first",), (32, 64, 128, 256)

AuditOut = Annotated[
    Path | None, typer.Option("--out", metavar="DIR", help="Write tables and a figure to this folder.")
]
Label = Annotated[
    str | None,
    typer.Option("--label", metavar="COLUMN", help="Column of FILE: label, to audit each label separately."),
]
TokenizerName = Annotated[
    str | None,
    typer.Option(
        "--tokenizer",
        metavar="NAME|FILE",
        help="For FILE: whitespace, words, vocab.txt, tokenizer.json, or weights such as minilm.",
        show_default="words",
    ),
]
Truncations = Annotated[
    list[str] | None,
    typer.Option(
        "--truncation",
        metavar="SPEC",
        help="For FILE: a truncation; repeatable.",
        show_default="longest_first",
    ),
]
Lengths = Annotated[
    list[int] | None,
    typer.Option(
        "--max-len",
        metavar="N",
        max=2**30,
        help="For FILE: a length in tokens; repeatable.",
        show_default="32, 64, 128, 256",
    ),
]
RowNumber = Annotated[int, typer.Option("--row", min=0, metavar="N", help="Row number, counted from 0.")]
SplitName = Annotated[
    str | None,
    typer.Option(
        "--split", metavar="NAME", help="train, validation or a test set.", show_default="first test set"
    ),
]


def audit(
    what: Annotated[Path, typer.Argument(metavar="STUDY|FILE", help="Study file (.toml) or table of texts.")],
    data: Data = None,
    out: AuditOut = None,
    first: First = None,
    second: Second = None,
    label: Label = None,
    tokenizer: TokenizerName = None,
    truncation: Truncations = None,
    max_len: Lengths = None,
) -> int:
    """Measure what truncation cuts, of a study or of a table.

    With STUDY, prints what each variant cuts of each split. With FILE, prints what each truncation cuts at
    each length.
    """
    columns = {"first": first, "second": second, "label": label, "tokenizer": tokenizer}
    if what.suffix.lower() == ".toml":
        _only_for_files(what, columns | {"truncation": truncation, "max-len": max_len})
        about, audited = _audit_of_study(what, data, out)
    else:
        about, audited = _audit_of_file(what, data, out, columns, truncation, max_len)
    from trimtab.report import audit as document

    written = [] if out is None else document.write(out, audited)  # first, as a terminal may be closed
    say(document.audit_text(about, audited))
    say()
    say("\n".join(map(str, written)) or "To write these tables and a figure to files: --out DIR")
    return DONE


def show(study: StudyFile, row: RowNumber = 0, split: SplitName = None, data: Data = None) -> int:
    """Show one row as each variant sees it, with cut words marked."""
    from trimtab.study.definition import load

    definition = load(study)
    from trimtab.plan.show import show_row
    from trimtab.report.show import print_shown

    with stages() as stage:
        stage("reading the data")
        found = show_row(definition, row, split, data)
    for number, shown in enumerate(found):
        if number:
            say()
        print_shown(shown)
    return DONE


def _audit_of_study(study: Path, data: Path | None, out: Path | None) -> "tuple[list[str], Audited]":
    from trimtab.study.definition import load

    definition = load(study)
    from trimtab.plan.audit import audit_study
    from trimtab.plan.prepare import by_dataset, prepare
    from trimtab.report.audit import claim, data_words

    with _claimed(out, claim), stages() as stage:
        stage(READING)
        variants = prepare(definition, data).variants
        stage(TRUNCATING)
        audited = audit_study(variants)
    return data_words(list(by_dataset(variants))), audited


def _audit_of_file(
    file: Path,
    data: Path | None,
    out: Path | None,
    columns: dict[str, str | None],
    truncation: Sequence[str] | None,
    max_len: Sequence[int] | None,
) -> "tuple[list[str], Audited]":
    from trimtab.truncation import parse

    truncations = [parse(spec) for spec in truncation or _TRUNCATIONS]
    from trimtab.data.dataset import prepare_texts
    from trimtab.data.quoted import quoted_warning
    from trimtab.data.unknown import unknown_warning
    from trimtab.plan.audit import audit_texts
    from trimtab.plan.prepare import tokenizer_of_weights
    from trimtab.report.audit import claim

    tokenizer = columns.pop("tokenizer") or "words"
    with _claimed(out, claim), stages() as stage:
        stage(READING)
        reader = tokenizer_of_weights(tokenizer, data)
        texts = prepare_texts(str(file), data, **columns, tokenizer=tokenizer, reader=reader)
        stage(TRUNCATING)
        audited = audit_texts(texts, truncations, max_len or _LENGTHS)
    about = [f"{texts.counts.source}: {texts.counts.rows:,} rows", f"tokens by {tokenizer}"]
    about += quoted_warning(texts.counts.split, texts.counts.quoted)
    return about + unknown_warning({"the texts": texts.unknown}, f"tokenizer {tokenizer!r}"), audited


@contextmanager
def _claimed(out: Path | None, claim: Callable[[Path], None]) -> Iterator[None]:
    """Make the folders of ``--out`` before any work; where that fails, none of them stays behind empty."""
    made = [] if out is None else [out / "tables", out / "figures", out, *out.parents]
    made = [folder for folder in made if not folder.exists()]
    if out is not None:
        claim(out)
    try:
        yield
    except BaseException:
        for folder in made:
            with suppress(OSError):  # it is not empty
                folder.rmdir()
        raise


def _only_for_files(study: Path, given: dict[str, Any]) -> None:
    for name, value in given.items():
        if value:
            raise InputError(
                f"--{name}: applies only to a table of texts, and {study} is a study; leave it out"
            )
