"""Processes that train one model together: what each tells the others, over gloo on CPUs and NCCL on GPUs."""

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import torch
import torch.distributed as dist
from torch import Tensor

# Until all have met. Later, whoever started them ends those that wait for one that is gone.
_PATIENCE = timedelta(minutes=30)


class PeerLostError(RuntimeError):
    """Another of the processes is gone, or did not answer; it knows why, this one does not."""


class Ranks:
    """This process among ``count``, of which it is number ``rank``, from 0.

    rendezvous: a file, not there yet, through which they find each other; all are on one machine.
    asked: says whether this process was asked to stop; is_stopping: whether any of them was, as of the last
    ``agreed``, so that all stop after the same step.
    """

    def __init__(self, rank: int, count: int, rendezvous: Path, device: torch.device) -> None:
        self.rank, self.count = rank, count
        self.asked: Callable[[], bool] = lambda: False
        self.is_stopping = False
        # All are here, and a host's own name may lead to an address that is not.
        os.environ.setdefault("GLOO_SOCKET_IFNAME", "lo0" if sys.platform == "darwin" else "lo")
        backend = "cpu:gloo,cuda:nccl" if device.type == "cuda" else "gloo"
        with _peers():
            store = dist.FileStore(str(rendezvous), count)
            dist.init_process_group(backend, store=store, rank=rank, world_size=count, timeout=_PATIENCE)

    @property
    def leads(self) -> bool:
        """Whether it is the one that reports, and writes files."""
        return self.rank == 0

    def largest(self, values: Sequence[int]) -> list[int]:
        """Of each of some whole numbers, of which all processes have as many, the largest of theirs."""
        found = torch.tensor(values, dtype=torch.int64)
        with _peers():
            dist.all_reduce(found, dist.ReduceOp.MAX)
        numbers: list[int] = found.tolist()
        return numbers

    def agreed(self, values: Sequence[int]) -> list[int]:
        """The same as ``largest``, at the end of a step: ``is_stopping`` is what all know then."""
        stopping, *found = self.largest([int(self.asked()), *values])
        self.is_stopping = bool(stopping)
        return found

    def add(self, numbers: Tensor) -> None:
        """Add to ``numbers``, in place, those of all others; the sums are equal to the bit."""
        with _peers():
            dist.all_reduce(numbers)

    def close(self) -> None:
        """Part from the others."""
        dist.destroy_process_group()


@contextmanager
def _peers() -> Iterator[None]:
    try:
        yield
    except RuntimeError as error:
        raise PeerLostError(str(error).splitlines()[0]) from error
