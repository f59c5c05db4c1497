"""Weights & Biases: a run in the project that bears the study's name."""

import json
import os
import shutil
import warnings
from pathlib import Path

from trimtab.atomic import atomic_write
from trimtab.trackers.tracker import required
from trimtab.trackers.trial_run import TrialRun

_MODE = "WANDB_MODE"


class WandB:
    """Offline unless WANDB_MODE says otherwise: a folder per run, for ``wandb sync``.

    What was written is noted in ``wandb/trimtab``, by key and mode, so that nothing is uploaded twice. A
    run that says otherwise than before gets another id, as those of a server cannot be written again.
    """

    def __init__(self, folder: Path, study: str) -> None:
        self.folder, self.study = folder, study
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            self._wandb = required("wandb", "wandb")
        self.mode = os.environ.get(_MODE) or "offline"

    @property
    def place(self) -> str:
        """The folder of the runs; online too, as wandb keeps a copy."""
        return str(self.folder / "wandb")

    def write(self, run: TrialRun) -> bool:
        """Write a run; False where it was written in this mode, saying the same."""
        noted = self.folder / "wandb" / "trimtab" / f"{run.key}.{self.mode}.json"
        known = json.loads(noted.read_text()) if noted.exists() else None
        if known and known["digest"] == run.digest:
            return False
        # Also what was begun and never noted, as the process was killed.
        for old in self.folder.glob(f"wandb/offline-run-*-{known['id'] if known else run.key}"):
            shutil.rmtree(old)
        noted.parent.mkdir(parents=True, exist_ok=True)
        name = f"{run.key}-{run.digest[:8]}" if known else run.key
        self._write(run, name)
        with atomic_write(noted) as temporary:
            temporary.write_text(json.dumps({"digest": run.digest, "id": name}))
        return True

    def close(self) -> None:
        """Every run is finished when it is written."""

    def _write(self, run: TrialRun, name: str) -> None:
        opened = self._wandb.init(
            project=self.study,
            name=run.name,
            group=run.group,
            id=name,
            dir=str(self.folder),
            mode=self.mode,
            config={**run.parameters, "variants": list(run.variants), "trial": run.key},
            settings=self._wandb.Settings(silent=True, console="off"),
        )
        for number, metrics in run.epochs.items():
            opened.log(dict(metrics), step=number)
        opened.summary.update(dict(run.metrics))
        if run.failure:
            opened.summary.update({"failure": run.failure})
        opened.finish(exit_code=1 if run.failure else 0)
