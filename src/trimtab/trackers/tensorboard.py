"""TensorBoard: event files of scalars and hyperparameters, written without torch or TensorFlow."""

import re
import shutil
import time
from pathlib import Path
from typing import Any

from trimtab.trackers.tracker import required
from trimtab.trackers.trial_run import TrialRun

_DIGEST = "trimtab.digest"  # in a run's folder, written last: the run is whole, and says this
_NOT_IN_A_NAME = re.compile(r"[^\w.=+(), -]")


class TensorBoard:
    """A folder per run, ``VARIANT/seed N KEY``, for ``tensorboard --logdir``.

    Scalars of epochs have the epoch as their step, final metrics the epoch whose weights were tested; the
    parameters are in the HPARAMS tab.
    """

    def __init__(self, folder: Path, study: str) -> None:
        self.folder = folder / "tensorboard"
        name = "tensorboard"
        self._writers = required("tensorboard.summary.writer.event_file_writer", name)
        self._events = required("tensorboard.compat.proto.event_pb2", name)
        self._summaries = required("tensorboard.compat.proto.summary_pb2", name)
        self._hparams = required("tensorboard.plugins.hparams.summary_v2", name)

    @property
    def place(self) -> str:
        """The folder for ``--logdir``."""
        return str(self.folder)

    def write(self, run: TrialRun) -> bool:
        """Write the run's folder; False where it says the same already."""
        folder = self.folder / _file_name(run.group) / f"seed {run.seed} {run.key[:8]}"
        known = folder / _DIGEST
        if known.exists() and known.read_text() == run.digest:
            return False
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        writer = self._writers.EventFileWriter(str(folder))
        now = time.time()
        parameters = {**run.parameters, "status": run.status}
        self._add(writer, now, 0, self._hparams.hparams_pb(parameters, trial_id=run.group))
        for number, metrics in run.epochs.items():
            self._add(writer, now, number, self._scalars(metrics))
        self._add(writer, now, run.step, self._scalars(run.metrics))
        writer.close()
        known.write_text(run.digest)
        return True

    def close(self) -> None:
        """Nothing is open."""

    def _scalars(self, metrics: Any) -> Any:
        values = [self._summaries.Summary.Value(tag=tag, simple_value=v) for tag, v in metrics.items()]
        return self._summaries.Summary(value=values)

    def _add(self, writer: Any, when: float, step: int, summary: Any) -> None:
        writer.add_event(self._events.Event(wall_time=when, step=step, summary=summary))


def _file_name(name: str) -> str:
    """A variant's name as a folder's."""
    return _NOT_IN_A_NAME.sub("_", name)[:120]
