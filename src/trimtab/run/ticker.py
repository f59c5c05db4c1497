"""Things that are done every few seconds: by a thread of their own, or by who passes by."""

import signal
import threading
import time
from collections.abc import Callable


class Ticker:
    """Calls ``tick`` every ``seconds`` from a thread of its own, from ``with`` to its end."""

    def __init__(self, seconds: float, tick: Callable[[], None]) -> None:
        self.seconds, self.tick = seconds, tick
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> "Ticker":
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._stopped.set()
        self._thread.join()

    def _run(self) -> None:
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})  # Ctrl-C is for the main thread
        while not self._stopped.wait(self.seconds):
            self.tick()


class Seldom:
    """Calls ``work`` when it is called, but at most every ``seconds``."""

    def __init__(self, work: Callable[[], None], seconds: float = 5.0) -> None:
        self.work, self.seconds = work, seconds
        self._last = time.monotonic()

    def __call__(self) -> None:
        """Pass by."""
        if time.monotonic() - self._last >= self.seconds:
            self.work()
            self._last = time.monotonic()
