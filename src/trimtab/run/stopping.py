"""How a process is asked to stop: a worker at its next checkpoint, a run when its workers have."""

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

from trimtab.training.epoch import StoppedError

# What a queue sends some time before the time limit, where it is asked to: sbatch --signal=USR2@90.
TIME_IS_UP = signal.SIGUSR2
# A terminal that closes, a queue whose time limit comes, a container that is moved.
ASKING = (signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1, TIME_IS_UP)
# One keystroke may arrive twice, from the terminal and from a program between. A later one is a second.
_ONE_REQUEST = 1.0  # seconds


class Interrupted(KeyboardInterrupt):
    """The process was asked to stop by the signal of that number."""

    def __init__(self, number: int) -> None:
        super().__init__(signal.Signals(number).name)
        self.number = number


@contextmanager
def asked_to_stop() -> Iterator[Callable[[], bool]]:
    """Gives whether this process was asked to stop since; until then such a signal does not end it.

    For workers, whose run ends them with SIGKILL where it does not want to wait.
    """
    asked = threading.Event()
    with _handling(ASKING, lambda number, frame: asked.set()):
        yield asked.is_set


@contextmanager
def interruptible() -> Iterator[None]:
    """SIGINT and the signals of ``ASKING`` raise Interrupted, once; a later one ends the process at once.

    Once asked, the process is ending, and so it goes on to handle them: the rest of a request that came as
    several signals must not kill it on its way out.
    """
    first = 0.0

    def handle(number: int, frame: FrameType | None) -> None:
        nonlocal first
        now = time.monotonic()
        if not first:
            first = now
            raise Interrupted(number)
        if now - first > _ONE_REQUEST:
            os._exit(128 + number)  # workers notice, and end themselves

    with _handling((signal.SIGINT, *ASKING), handle, is_ending=lambda: first > 0):
        yield


class Requests:
    """Requests to stop that came while something must not be cut short; see ``held_back``."""

    def __init__(self) -> None:
        self.number: int | None = None
        self.since = 0.0
        self._reader, self._writer = os.pipe()

    def note(self, number: int, frame: FrameType | None) -> None:
        """Note a signal; a second one ends the process at once."""
        now = time.monotonic()
        if self.number is None:
            self.number, self.since = number, now
            os.write(self._writer, b"!")
        elif now - self.since > _ONE_REQUEST:
            os._exit(128 + number)

    @property
    def readers(self) -> list[int]:
        """What becomes readable when the first one comes; nothing once it came."""
        return [self._reader] if self.number is None else []

    def close(self) -> None:
        """Free what wakes a waiting reader."""
        os.close(self._reader)
        os.close(self._writer)


@contextmanager
def held_back() -> Iterator[Requests]:
    """Signals that ask this process to stop are noted; the first is raised, as Interrupted, at the end.

    ``readers`` of what it gives become readable when one comes.
    """
    requests = Requests()
    try:
        with _handling((signal.SIGINT, *ASKING), requests.note):
            yield requests
    except StoppedError:  # as it was asked to
        if requests.number is None:
            raise
    finally:
        requests.close()
    if requests.number is not None:
        raise Interrupted(requests.number)


@contextmanager
def _handling(
    numbers: tuple[int, ...], handler: Any, is_ending: Callable[[], bool] = lambda: False
) -> Iterator[None]:
    """Handle signals, but for those that are ignored, as under nohup; in the main thread alone.

    Afterwards they are handled as before, unless ``is_ending`` says that the process ends.
    """
    before: dict[int, Any] = {}
    if threading.current_thread() is threading.main_thread():
        for number in numbers:
            if signal.getsignal(number) is not signal.SIG_IGN:
                before[number] = signal.signal(number, handler)
    try:
        yield
    finally:
        if not is_ending():
            for number, previous in before.items():
                signal.signal(number, previous)
