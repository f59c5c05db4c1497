"""How a job of a worker process ended."""

from dataclasses import dataclass
from typing import Generic, TypeVar

Value = TypeVar("Value")


@dataclass(frozen=True)
class Ended(Generic[Value]):
    """How a job ended: its value; the traceback where it raised; its worker's exit code where that died, or
    how long it had been silent where it hung; a sentence where its machine was lost.

    lost_device: whether it raised an error after which its worker, which has ended, could no longer use its
    GPU. may_pass: whether another attempt may end well.
    """

    value: Value | None = None
    traceback: str | None = None
    exit_code: int | None = None  # minus the signal's number where a signal killed it
    silent: float | None = None  # seconds without news after which its worker was ended
    lost_device: bool = False
    lost: str | None = None
    may_pass: bool = True
