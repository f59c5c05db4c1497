"""Checkpoints of a training: everything that is needed to resume as if it had never stopped."""

import pickle
import time
import zipfile
from dataclasses import dataclass, field
from pathlib import Path

import torch

from trimtab.atomic import atomic_write
from trimtab.config import InputError
from trimtab.training.state import Resumable, State

# What reading a file that is truncated, altered or of something else can raise.
_FAULTS = (pickle.UnpicklingError, zipfile.BadZipFile, RuntimeError, ValueError, KeyError, EOFError, OSError)

# An epoch's end is a good moment, as no step of it is repeated then. But less work is soon repeated,
_WORTH_KEEPING = 5.0  # seconds
# and writing at such moments must not take more of a training than this share.
_SHARE = 0.02


@dataclass
class Checkpoint:
    """The file of a training's last checkpoint, which is replaced atomically.

    every: seconds between two checkpoints; at the end of an epoch one is due sooner, but for those that take
    long to write. It holds the weights, Adam's moments, the states of the generators, the position in the
    data (steps taken, which fix what is drawn), and the sums of losses.
    """

    path: Path
    every: float = 60.0
    written: float = field(default_factory=time.monotonic)
    cost: float = 0.0  # seconds that the last one took to write

    @property
    def due(self) -> bool:
        """Whether the next checkpoint is due."""
        return self._elapsed >= self.every

    @property
    def due_after_epoch(self) -> bool:
        """Whether the next checkpoint is due at the end of an epoch."""
        return self._elapsed >= min(self.every, max(_WORTH_KEEPING, self.cost / _SHARE))

    @property
    def _elapsed(self) -> float:
        return time.monotonic() - self.written

    def write(self, trainer: Resumable, sums: State) -> None:
        """Write the state of ``trainer`` and the caller's ``sums``: tensors, plain numbers, lists, dicts."""
        began = time.monotonic()
        with atomic_write(self.path) as temporary:
            torch.save({"trainer": trainer.state(), "sums": sums}, temporary)
        self.written = time.monotonic()
        self.cost = self.written - began

    def read(self, trainer: Resumable) -> State | None:
        """Restore ``trainer``, and return the sums; None where there is no checkpoint.

        InputError where the file is corrupt, or belongs to another training; ``trainer`` is then in no state
        to go on.
        """
        if not self.path.exists():
            return None
        try:
            kept = torch.load(self.path, map_location="cpu", weights_only=True)
            trainer.restore(kept["trainer"])
        except (*_FAULTS, TypeError, AttributeError) as error:
            reason = str(error).splitlines()[0] if str(error) else "it ends too early"
            if isinstance(error, pickle.UnpicklingError):  # torch's message advises to run the file
                reason = "it is corrupt, or holds more than numbers"
            mend = "delete it to start over"
            raise InputError(f"{self.path}: is no checkpoint of this training ({reason}); {mend}") from error
        sums: State = kept["sums"]
        return sums

    def remove(self) -> None:
        """Remove the file, where there is one."""
        self.path.unlink(missing_ok=True)
