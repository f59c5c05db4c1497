"""The folder of a pretraining: its settings, its records, its checkpoint, its result. Free of torch."""

from pathlib import Path

from pydantic import TypeAdapter

from trimtab.atomic import atomic_write
from trimtab.config import InputError
from trimtab.ledger.files import damaged, read_record, write_record
from trimtab.ledger.ledger import Ledger
from trimtab.ledger.pretraining_records import (
    AskedRecord,
    MetricsRecord,
    PretrainingRecord,
    PretrainingResult,
    StretchRecord,
    ValidationRecord,
)

_BEGUN, _METRICS, _RESULT = "pretraining.json", "metrics.jsonl", "result.json"
_LINE: TypeAdapter[StretchRecord | ValidationRecord] = TypeAdapter(MetricsRecord)


class PretrainingFolder:
    """A folder of results; ``result.json``, written last, means that it is complete.

    pretraining.json: its settings, and what it runs on; metrics.jsonl: records, appended; checkpoint.pt
    until it is complete; model/: weights and tokeniser.
    """

    def __init__(self, path: Path) -> None:
        self.path, self.checkpoint, self.model = path, path / "checkpoint.pt", path / "model"

    @property
    def is_begun(self) -> bool:
        """Whether a pretraining was begun here."""
        return (self.path / _BEGUN).exists()

    @property
    def begun(self) -> PretrainingRecord | None:
        """Its settings and what it runs on, None where none was begun; InputError for another schema."""
        Ledger(self.path).check_schema()
        return read_record(self.path / _BEGUN, PretrainingRecord)

    @property
    def result(self) -> PretrainingResult | None:
        """What came out, or None while it is not complete."""
        return read_record(self.path / _RESULT, PretrainingResult)

    def check(self, asked: AskedRecord) -> None:
        """InputError where results or a checkpoint have other settings than ``asked``."""
        if self.result is None and not self.checkpoint.exists():
            return
        begun = self.begun
        names = AskedRecord.model_fields
        other = [name for name in names if begun and getattr(begun.asked, name) != getattr(asked, name)]
        if other:
            what = f"holds a training with a different {other[0]}"
            raise InputError(f"{self.path}: {what}; delete it, or choose another folder with --out DIR")

    def begin(self, record: PretrainingRecord, taken: int) -> None:
        """Begin, or resume after so many steps: records of later ones are removed."""
        kept = [each for each in self._records() if each.step <= taken]
        with atomic_write(self.path / _METRICS) as temporary:
            temporary.write_text("".join(map(_line, kept)))
        write_record(self.path / _BEGUN, record)

    def add(self, record: StretchRecord | ValidationRecord) -> None:
        """Append a record."""
        with (self.path / _METRICS).open("a") as file:
            file.write(_line(record))

    def stretches(self) -> list[StretchRecord]:
        """The records of training; InputError where the file is damaged."""
        return [each for each in self._records() if isinstance(each, StretchRecord)]

    def validations(self) -> list[ValidationRecord]:
        """The records of validation; InputError where the file is damaged."""
        return [each for each in self._records() if isinstance(each, ValidationRecord)]

    def _records(self) -> list[StretchRecord | ValidationRecord]:
        """All records; a last line that a killed process left unfinished is none."""
        path = self.path / _METRICS
        try:
            text = path.read_text() if path.exists() else ""
            lines = [line for line in text.splitlines(keepends=True) if line.endswith("\n")]
            return [_LINE.validate_json(line) for line in lines]
        except (OSError, ValueError) as error:
            raise damaged(path, error) from error

    def finish(self) -> None:
        """Mark it complete and delete the checkpoint."""
        training, validations = self.stretches()[-1], self.validations()
        validation = validations[-1] if validations else None
        result = PretrainingResult(steps=training.step, training=training, validation=validation)
        write_record(self.path / _RESULT, result)
        self.checkpoint.unlink(missing_ok=True)


def _line(record: StretchRecord | ValidationRecord) -> str:
    return record.model_dump_json(exclude_none=True) + "\n"
