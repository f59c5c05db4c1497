"""A thread that does something every few seconds, as a clock does, until it is stopped."""

import signal
import threading
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
