"""The folder of a pretraining: what was asked for, its records, its checkpoint, its result. Free of torch."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from trimtab.atomic import atomic_write, write_json
from trimtab.config import InputError
from trimtab.ledger.files import damaged, read_json

_BEGUN, _METRICS, _RESULT = "pretraining.json", "metrics.jsonl", "result.json"

Record = dict[str, Any]


class PretrainingFolder:
    """A folder of results; ``result.json``, written last, means that it is complete.

    pretraining.json: what was asked for, and what it runs on; metrics.jsonl: records, appended; checkpoint.pt
    until it is complete; model/: weights and tokeniser.
    """

    def __init__(self, path: Path) -> None:
        self.path, self.checkpoint, self.model = path, path / "checkpoint.pt", path / "model"

    @property
    def begun(self) -> Record | None:
        """What was asked for when it was begun, with ``runtime`` and counts; None where nothing was."""
        return read_json(self.path / _BEGUN)

    @property
    def result(self) -> Record | None:
        """What came out, or None while it is not complete."""
        return read_json(self.path / _RESULT)

    def check(self, asked: Mapping[str, Any]) -> None:
        """InputError where results or a checkpoint are of another training than ``asked`` for."""
        if self.result is None and not self.checkpoint.exists():
            return
        before, now = (self.begun or {}).get("asked", {}), json.loads(json.dumps(asked))
        if other := [key for key in now if before.get(key) != now[key]]:
            what = f"holds a training with another {other[0]}"
            raise InputError(f"{self.path}: {what}; delete it, or choose another folder with --out DIR")

    def begin(self, described: Mapping[str, Any], taken: int) -> None:
        """Begin, or go on after so many steps: records of later ones are removed."""
        kept = [record for record in self.records() if record["step"] <= taken]
        with atomic_write(self.path / _METRICS) as temporary:
            temporary.write_text("".join(map(_line, kept)))
        write_json(self.path / _BEGUN, described)

    def add(self, record: Record) -> None:
        """Append a record."""
        with (self.path / _METRICS).open("a") as file:
            file.write(_line(record))

    def records(self, kind: str | None = None) -> list[Record]:
        """All records, or those of a kind; InputError where the file is damaged.

        A last line that a killed process left unfinished is none.
        """
        path = self.path / _METRICS
        try:
            text = path.read_text() if path.exists() else ""
            found = [json.loads(line) for line in text.splitlines(keepends=True) if line.endswith("\n")]
        except (OSError, ValueError) as error:
            raise damaged(path, error) from error
        return [record for record in found if kind in (None, record["kind"])]

    def finish(self) -> None:
        """Mark it complete; the checkpoint goes."""
        training, validation = self.records("training")[-1], self.records("validation")
        judged = validation[-1] if validation else None
        result = {"steps": training["step"], "training": training, "validation": judged}
        write_json(self.path / _RESULT, result)
        self.checkpoint.unlink(missing_ok=True)


def _line(record: Record) -> str:
    return json.dumps(record) + "\n"
