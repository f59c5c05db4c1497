"""The page of a pretraining: what its losses came to, how fast it was, and its curves."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
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
from trimtab.report.drawing import save
from trimtab.report.page import Written, unwritable
from trimtab.report.pretraining_figure import CHANCE, losses_figure
from trimtab.report.tables import Column, RowT, Table, share_column, text_column

# Each loss: what it is called, its mean over a stretch or on validation, its mean over all steps so far.
_LOSSES: tuple[
    tuple[
        str,
        Callable[[StretchRecord | ValidationRecord], float | None],
        Callable[[StretchRecord], float | None],
    ],
    ...,
] = (
    (
        "masked words, over real masked words",
        lambda record: record.masked_words,
        lambda record: record.running_masked_words,
    ),
    (
        "masked words, the tutorial's average over padding too",
        lambda record: record.masked_words_padded,
        lambda record: record.running_masked_words_padded,
    ),
    (
        "next sentence",
        lambda record: record.next_sentence,
        lambda record: record.running_next_sentence,
    ),
)
_LAST = 0.1  # of the training: its last stretches together

_DEFINITIONS = """\
The first line is the mean cross-entropy over the masked words. The tutorial's loss is another: there each
row has slots for 15 % of max_len words. The slots that a shorter row leaves unused point at `<cls>` with
word 0 as their target, and the mean is taken over all slots (`nn.CrossEntropyLoss()` averages before those
slots get their weight of 0). A model trained with it learns to predict word 0 at `<cls>`, which lowers that
mean and says nothing about masked words. {own}

Losses are in nats; chance is {chance:.3f} for the next sentence. Training has dropout, validation has none.
The means over all steps count each step once, from the first, as the tutorial's figures do; the tutorial's
average is known of the last step of each stretch alone, and of all steps where it is what is minimised."""
_OWN = {
    "real": "This training minimised the first. The second is what the tutorial would have computed for it; "
    "nothing taught this model to predict word 0.",
    "padded": "This training minimised the second, so that it can be compared with the tutorial's figure.",
}


@dataclass(frozen=True)
class LossRow:
    """One of the losses: its means over ``every`` step, over the last ones, and on validation."""

    loss: str
    every: float | None
    last: float | None
    validation: float | None


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
        raise unwritable(path, error) from error
    return Written(path / "report.md", _summary(training[-1], validation))


def _page(
    begun: PretrainingRecord,
    training: Sequence[StretchRecord],
    validation: Sequence[ValidationRecord],
    table: Table[LossRow],
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


def _losses(training: Sequence[StretchRecord], validation: Sequence[ValidationRecord]) -> Table[LossRow]:
    last = training[-max(1, round(_LAST * len(training))) :]
    rows = [
        LossRow(
            loss=head,
            every=running(training[-1]),
            last=_mean([mean(record) for record in last]),
            validation=mean(validation[-1]) if validation else None,
        )
        for head, mean, running in _LOSSES
    ]
    head = f"mean over the last {training[-1].step - _before(training, last):,} steps"
    columns: list[Column[LossRow]] = [
        text_column("loss", "loss", lambda row: row.loss),
        _number("mean over all steps", "all", lambda row: row.every),
        _number(head, "last", lambda row: row.last),
        _number("validation, at the end", "validation", lambda row: row.validation),
    ]
    return Table("losses", columns, rows)


def _before(training: Sequence[StretchRecord], last: Sequence[StretchRecord]) -> int:
    return training[-len(last) - 1].step if len(last) < len(training) else 0


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None


def _number(head: str, name: str, value: Callable[[RowT], float | None]) -> Column[RowT]:
    return Column(head, lambda row: "" if (found := value(row)) is None else f"{found:.3f}", {name: value})


def _epochs(validation: Sequence[ValidationRecord]) -> Table[ValidationRecord]:
    columns: list[Column[ValidationRecord]] = [
        text_column("epoch", "epoch", lambda row: row.epoch),
        text_column("step", "step", lambda row: row.step),
        _number("masked words", "masked_words", lambda row: row.masked_words),
        share_column("right %", "masked_words_accuracy", lambda row: row.masked_words_accuracy),
        _number("next sentence", "next_sentence", lambda row: row.next_sentence),
        share_column("right %", "next_sentence_accuracy", lambda row: row.next_sentence_accuracy),
    ]
    return Table("validation", columns, validation)


def _described(begun: PretrainingRecord, last: StretchRecord) -> list[str]:
    asked, runtime = begun.asked, begun.runtime
    rate = last.pairs / last.seconds
    lines = [
        f"text: {begun.source}, {begun.paragraphs:,} paragraphs of {begun.sentences:,} sentences; "
        f"{begun.pairs:,} pairs in the first epoch, re-drawn in every epoch; vocabulary "
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
