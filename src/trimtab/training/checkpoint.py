"""Checkpoints of a pretraining: everything that is needed to resume as if it had never stopped."""

import pickle
import time
import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from trimtab.atomic import atomic_write
from trimtab.config import InputError
from trimtab.model.initialise import set_words, words_of
from trimtab.training.pretraining import Pretrainer

State = dict[str, Any]

# What reading a file that is truncated, altered or of something else can raise.
_FAULTS = (pickle.UnpicklingError, zipfile.BadZipFile, RuntimeError, ValueError, KeyError, EOFError, OSError)


@dataclass
class Checkpoint:
    """The file of a pretraining's last checkpoint, which is replaced atomically.

    every: seconds between two checkpoints. It holds the weights, Adam's moments, the state of dropout's
    generator, the position in the data (steps taken, which fix pairs and masks), and the sums of losses.
    """

    path: Path
    every: float = 60.0
    written: float = field(default_factory=time.monotonic)

    @property
    def due(self) -> bool:
        """Whether the next checkpoint is due."""
        return time.monotonic() - self.written >= self.every

    def write(self, trainer: Pretrainer, sums: State) -> None:
        """Write the state of ``trainer`` and the caller's ``sums``, plain numbers."""
        with atomic_write(self.path) as temporary:
            torch.save({"trainer": _state(trainer), "sums": sums}, temporary)
        self.written = time.monotonic()

    def read(self, trainer: Pretrainer) -> State | None:
        """Restore ``trainer``, and return the sums; None where there is no checkpoint.

        InputError where the file is corrupt, or belongs to another training.
        """
        if not self.path.exists():
            return None
        try:
            kept = torch.load(self.path, map_location="cpu", weights_only=True)
            _restore(trainer, kept["trainer"])
        except (*_FAULTS, TypeError, AttributeError) as error:
            reason = str(error).splitlines()[0] if str(error) else "it ends too early"
            if isinstance(error, pickle.UnpicklingError):  # torch's message advises to run the file
                reason = "it is corrupt, or holds more than numbers"
            mend = "delete it to start over"
            raise InputError(f"{self.path}: is no checkpoint of this training ({reason}); {mend}") from error
        sums: State = kept["sums"]
        return sums


def _state(trainer: Pretrainer) -> State:
    device = trainer.backend.device
    return {
        "model": trainer.model.state_dict(),
        "optimizer": trainer.optimizer.state_dict(),
        "steps": trainer.schedule.taken,
        "dropout": words_of(trainer.dropout),
        "device": torch.cuda.get_rng_state(device) if device.type == "cuda" else None,
    }


def _restore(trainer: Pretrainer, state: State) -> None:
    trainer.model.load_state_dict(state["model"])
    trainer.optimizer.load_state_dict(state["optimizer"])
    trainer.schedule.go_to(state["steps"])
    set_words(trainer.dropout, state["dropout"])
    if state["device"] is not None:
        torch.cuda.set_rng_state(state["device"], trainer.backend.device)
