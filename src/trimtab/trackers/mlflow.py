"""MLflow: a run in the experiment that bears the study's name."""

import logging
import os
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from trimtab.trackers.tracker import required
from trimtab.trackers.trial_run import TrialRun

_KEY, _DIGEST = "trimtab.key", "trimtab.digest"
_LONGEST = 500  # characters of a parameter or tag that every version takes


class MLflow:
    """Runs on the server that ``MLFLOW_TRACKING_URI`` names, else in a SQLite file of the folder.

    Runs are found by their tag ``trimtab.key``; the tag ``group`` is the variant.
    """

    def __init__(self, folder: Path, study: str) -> None:
        self.folder, self.study = folder / "mlflow", study
        with _quiet():
            self._tracking = required("mlflow.tracking", "mlflow")
            self._entities = required("mlflow.entities", "mlflow")
            if not self._elsewhere:
                required("sqlalchemy", "mlflow", "sqlalchemy")
                required("alembic", "mlflow", "alembic")
        self._client: Any = None
        self._experiment = ""

    @property
    def _elsewhere(self) -> str | None:
        return os.environ.get("MLFLOW_TRACKING_URI") or None

    @property
    def place(self) -> str:
        """The tracking URI."""
        return self._elsewhere or f"sqlite:///{(self.folder / 'mlflow.db').resolve()}"

    def write(self, run: TrialRun) -> bool:
        """Write a run; an earlier one of the same key that says otherwise is deleted."""
        with _quiet():
            if self._client is None:
                self._begin()
            asked = f"tags.`{_KEY}` = '{run.key}'"
            known = list(self._client.search_runs([self._experiment], asked))
            if len(known) == 1 and _is_whole(known[0], run):
                return False
            self._write(run)
            for one in known:
                self._client.delete_run(one.info.run_id)
        return True

    def close(self) -> None:
        """Nothing is open."""

    def _begin(self) -> None:
        artifacts = None
        if not self._elsewhere:
            self.folder.mkdir(parents=True, exist_ok=True)
            artifacts = (self.folder / "artifacts").resolve().as_uri()
        self._client = self._tracking.MlflowClient(tracking_uri=self.place)
        found = self._client.get_experiment_by_name(self.study)
        if found is None:
            self._experiment = self._client.create_experiment(self.study, artifact_location=artifacts)
        else:
            self._experiment = found.experiment_id

    def _write(self, run: TrialRun) -> None:
        entities, now = self._entities, int(time.time() * 1000)
        tags = {_KEY: run.key, _DIGEST: run.digest, "group": run.group, "seed": str(run.seed)}
        tags |= {"variants": " = ".join(run.variants)}
        if run.failure:
            tags["failure"] = run.failure
        tags = {name: value[:_LONGEST] for name, value in tags.items()}
        made = self._client.create_run(self._experiment, run_name=run.name, tags=tags).info.run_id
        parameters = [entities.Param(k, str(v)[:_LONGEST]) for k, v in run.parameters.items()]
        metrics = [
            entities.Metric(key, value, now, step)
            for step, values in [*run.epochs.items(), (run.step, run.metrics)]
            for key, value in values.items()
        ]
        for start in range(0, max(len(parameters), 1), 100):  # no more are taken at a time
            self._client.log_batch(made, params=parameters[start : start + 100])
        for start in range(0, len(metrics), 1000):
            self._client.log_batch(made, metrics=metrics[start : start + 1000])
        self._client.set_terminated(made, "FAILED" if run.failure else "FINISHED")


def _is_whole(known: Any, run: TrialRun) -> bool:
    return known.data.tags.get(_DIGEST) == run.digest[:_LONGEST] and known.info.status != "RUNNING"


@contextmanager
def _quiet() -> Iterator[None]:
    """Without MLflow's messages about its own database, and what its packages warn of among themselves."""
    logger = logging.getLogger("mlflow")
    level = logger.level
    logger.setLevel(logging.WARNING)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            yield
        finally:
            logger.setLevel(level)
