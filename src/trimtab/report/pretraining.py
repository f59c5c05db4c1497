"""The page of a pretraining: what its losses came to, how fast it was, and its curves."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from trimtab.atomic import atomic_write
from trimtab.config import InputError
from trimtab.ledger.pretraining_folder import PretrainingFolder
from trimtab.ledger.pretraining_records import (
    AskedRecord,
    PretrainingRecord,
    StretchRecord,
    ValidationRecord,
)
from trimtab.report.figures import save
from trimtab.report.page import Written
from trimtab.report.pretraining_figure import CHANCE, losses_figure
from trimtab.report.tables import Column, Table, text_cell

_MEANS = (
    ("masked words, over real masked words", "masked_words"),
    ("masked words, the tutorial's average over padding too", "masked_words_padded"),
    ("next sentence", "next_sentence"),
)
_LAST = 0.1  # of the training: its last stretches together

_DEFINITIONS = """\
The first line is the mean cross-entropy over the words that were masked. The tutorial's loss is another: a
row has places for 15 % of max_len words there, those that a shorter row leaves free hold the place of `<cls>`
and the word 0, and the mean is taken over all places (`nn.CrossEntropyLoss()` averages before the weights
of 0 come in). A model that is trained with it learns to say word 0 at `<cls>`, which pulls that mean down
and says nothing of masked words. {own}

Losses are in nats; chance is {chance:.3f} for the next sentence. Training has dropout, validation has none.
The means over all steps count each step once, from the first, as the tutorial's figures do; the tutorial's
average is known of each stretch's last step, and where it is what is minimised, of all."""
_OWN = {
    "real": "This training minimised the first; the second is what it would have been called there, where "
    "nothing taught it to say word 0.",
    "padded": "This training minimised the second, so that it can be compared with the tutorial's figure.",
}


def write(path: Path) -> Written:
    """Write report.md, tables/ and figures/ into the folder of a pretraining that is complete.

    InputError where it is not, or the folder cannot be written.
    """
    folder = PretrainingFolder(path)
    begun, result = folder.begun, folder.result
    if begun is None or result is None:
        raise InputError(f"{path}: holds no pretraining that is done; run trimtab pretrain with its study")
    training, validation = folder.stretches(), folder.validations()
    try:
        table = _losses(training, validation)
        table.write(path / "tables")
        save(losses_figure(training, validation), path / "figures", "losses")
        with atomic_write(path / "report.md") as temporary:
            temporary.write_text(_page(begun, training, validation, table), encoding="utf-8")
    except OSError as error:
        mend = "give it room and leave to write, or copy the folder and name the copy"
        raise InputError(f"{path}: the report cannot be written ({error.strerror}); {mend}") from error
    return Written(path / "report.md", _summary(training[-1], validation))


def _page(
    begun: PretrainingRecord,
    training: Sequence[StretchRecord],
    validation: Sequence[ValidationRecord],
    table: Table,
) -> str:
    words = _DEFINITIONS.format(own=_OWN[begun.asked.average], chance=CHANCE)
    parts = [f"# {begun.name}", begun.question, _bullets(_summary(training[-1], validation))]
    parts += ["## Losses", table.markdown(), words, "![losses](figures/losses.svg)"]
    if len(validation) > 1:
        parts += ["## Validation, epoch by epoch", _epochs(validation).markdown()]
    parts += ["## What was trained", *_described(begun, training[-1])]
    return "\n\n".join(parts) + "\n"


def _summary(last: StretchRecord, validation: Sequence[ValidationRecord]) -> list[str]:
    lines = [
        f"{last.step:,} steps, {last.seconds:,.0f} seconds: mean over all steps "
        f"{last.running_masked_words:.3f} (masked words), "
        f"{last.running_next_sentence:.3f} (next sentence)"
    ]
    if validation:
        judged = validation[-1]
        lines.append(
            f"validation: {judged.masked_words:.3f} (masked words, "
            f"{100 * judged.masked_words_accuracy:.1f} % right), {judged.next_sentence:.3f} (next "
            f"sentence, {100 * judged.next_sentence_accuracy:.1f} % right)"
        )
    return lines


def _bullets(lines: list[str]) -> str:
    return "\n".join(f"- {line}" for line in lines)


def _losses(training: Sequence[StretchRecord], validation: Sequence[ValidationRecord]) -> Table:
    last = training[-max(1, round(_LAST * len(training))) :]
    rows = [
        {
            "loss": head,
            "all": getattr(training[-1], f"running_{key}"),
            "last": _mean([getattr(record, key) for record in last]),
            "validation": getattr(validation[-1], key) if validation else None,
        }
        for head, key in _MEANS
    ]
    head = f"mean over the last {training[-1].step - _before(training, last):,} steps"
    columns = [Column("loss", "loss", text_cell("loss")), _number("mean over all steps", "all")]
    columns += [_number(head, "last"), _number("validation, at the end", "validation")]
    return Table("losses", columns, rows)


def _before(training: Sequence[StretchRecord], last: Sequence[StretchRecord]) -> int:
    return training[-len(last) - 1].step if len(last) < len(training) else 0


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None


def _number(head: str, key: str, factor: float = 1, digits: int = 3) -> Column:
    return Column(head, key, lambda row: "" if row[key] is None else f"{factor * row[key]:.{digits}f}")


def _epochs(validation: Sequence[ValidationRecord]) -> Table:
    columns = [Column(key, key, text_cell(key)) for key in ("epoch", "step")]
    columns += [_number("masked words", "masked_words")]
    columns += [_number("right %", "masked_words_accuracy", 100, 1)]
    columns += [_number("next sentence", "next_sentence")]
    columns += [_number("right %", "next_sentence_accuracy", 100, 1)]
    return Table("validation", columns, [record.model_dump() for record in validation])


def _described(begun: PretrainingRecord, last: StretchRecord) -> list[str]:
    asked, runtime = begun.asked, begun.runtime
    rate = last.pairs / last.seconds
    lines = [
        f"text: {begun.source}, {begun.paragraphs:,} paragraphs of {begun.sentences:,} sentences; "
        f"{begun.pairs:,} pairs in the first epoch, drawn anew in every epoch; vocabulary "
        f"{begun.vocabulary:,} ({asked.tokenizer})",
        f"model: {_words(asdict(asked.size))}; max_len {asked.max_len}",
        f"recipe: {_words(_recipe(asked))}",
        f"throughput: {rate:,.0f} sentence pairs a second in training, {runtime.precision}, "
        f"{runtime.threads} threads, {begun.machine} ({runtime.device})",
    ]
    return [_bullets(lines), f"Made with {begun.signature}."]


def _recipe(asked: AskedRecord) -> dict[str, Any]:
    recipe = asdict(asked.recipe)
    if asked.steps is not None:
        recipe["epochs"] = f"as many as {asked.steps} steps take"
    return recipe | {"seed": asked.seed, "tied": asked.tied}


def _words(table: dict[str, Any]) -> str:
    return ", ".join(f"{key} {value}" for key, value in table.items())
