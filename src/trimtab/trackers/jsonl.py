"""JSON lines: one file, a line for each epoch and one for each trial, for jq, pandas or a script."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from trimtab.atomic import atomic_write
from trimtab.config import InputError
from trimtab.trackers.trial_run import TrialRun


class JsonLines:
    """``trials.jsonl``. Each line has ``event`` ("epoch" or "trial"), ``key``, ``group`` and ``seed``.

    An epoch's line adds ``epoch`` and its metrics; a trial's, after those of its epochs, ``status``,
    ``variants``, ``parameters``, ``metrics`` and ``failure``.
    """

    def __init__(self, folder: Path, study: str) -> None:
        self.path = folder / "trials.jsonl"
        self._lines: dict[str, list[str]] | None = None

    @property
    def place(self) -> str:
        """The file."""
        return str(self.path)

    def write(self, run: TrialRun) -> bool:
        """Write the file again with the run's lines; False where they stand there already."""
        if self._lines is None:
            self._lines = self._read()
        lines = [json.dumps(each, ensure_ascii=False) for each in _events(run)]
        if self._lines.get(run.key) == lines:
            return False
        self._lines[run.key] = lines
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with atomic_write(self.path) as temporary:
            text = "".join(f"{line}\n" for each in self._lines.values() for line in each)
            temporary.write_text(text, encoding="utf-8")
        return True

    def close(self) -> None:
        """Nothing is open."""

    def _read(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        if self.path.exists():
            for line in self.path.read_text(encoding="utf-8").splitlines():
                try:
                    found.setdefault(json.loads(line)["key"], []).append(line)
                except (ValueError, KeyError, TypeError) as error:
                    raise InputError(
                        f"{self.path}: holds a line that is not a trial's; move the file away"
                    ) from error
        return found


def _events(run: TrialRun) -> Iterator[dict[str, Any]]:
    place = {"study": run.study, "key": run.key, "group": run.group, "seed": run.seed}
    for number, metrics in run.epochs.items():
        yield {"event": "epoch", **place, "epoch": number, **metrics}
    yield {
        "event": "trial",
        **place,
        "status": run.status,
        "variants": list(run.variants),
        "parameters": dict(run.parameters),
        "metrics": dict(run.metrics),
        "failure": run.failure,
    }
