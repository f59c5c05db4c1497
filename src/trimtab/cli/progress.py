"""How a run shows its progress: live on a terminal, as lines of a log elsewhere, not at all where asked."""

import contextlib
import sys
import time
from collections.abc import Iterator

from rich.console import Console
from rich.live import Live
from rich.text import Text

from trimtab.ledger.trial_records import Scores
from trimtab.report.live import heartbeat, left_words, live_lines
from trimtab.run.progress import ProgressCallback, RunState
from trimtab.run.ticker import Ticker

SILENCE = 25.0  # seconds without a line, after which one says what the run is at


@contextlib.contextmanager
def shown_progress(*, quiet: bool = False) -> Iterator[ProgressCallback]:
    """The callback of a run: a live display if stderr is a terminal, else lines; none if ``quiet``."""
    console = Console(stderr=True, highlight=False)
    if quiet:
        yield ProgressCallback()
    elif console.is_terminal:
        with Display(console) as display:
            yield display
    else:
        lines = Lines()
        with Ticker(1.0, lines.tick):
            yield lines


class Display(RunState):
    """The whole run with its remaining time, and each running trial, redrawn four times a second."""

    def __init__(self, console: Console) -> None:
        super().__init__()
        self.console = console
        self.live = Live(console=console, transient=True, get_renderable=self.drawn, refresh_per_second=4)

    def __enter__(self) -> "Display":
        self.live.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.live.stop()

    def drawn(self) -> Text:
        """What stands on the terminal now."""
        ascii_only = not self.console.encoding.lower().startswith("utf")
        return Text("\n".join(live_lines(self.record, self.console.width, ascii_only=ascii_only)))

    def warn(self, sentence: str) -> None:
        """Print it above what is live."""
        self.console.print(f"warning: {sentence}", markup=False)

    def tell(self, sentence: str) -> None:
        """Print it above what is live."""
        self.console.print(sentence, markup=False)

    def end(self, label: str, failure: str | None, validation: Scores | None = None) -> None:
        """Count a trial that ended; a failed one is named immediately."""
        super().end(label, failure, validation)
        if failure is not None:
            self.console.print(f"failed: {label}: {failure}", markup=False)


class Lines(RunState):
    """A line on stderr for each trial that ended, and one that says what runs after every silence."""

    def __init__(self) -> None:
        super().__init__()
        self.last = time.monotonic()

    def start(self, trials: int, done_before: int, cost: float, what: str = "trials") -> None:
        """Say how much is to be done, unless that is nothing."""
        super().start(trials, done_before, cost, what)
        if trials > done_before:
            self._print(
                f"{trials - done_before} {what} to run" + f", {done_before} done before" * bool(done_before)
            )

    def warn(self, sentence: str) -> None:
        """Print it."""
        self._print(f"warning: {sentence}")

    def tell(self, sentence: str) -> None:
        """Print it."""
        self._print(sentence)

    def end(self, label: str, failure: str | None, validation: Scores | None = None) -> None:
        """Say how a trial ended: what it came to on validation, or why it failed."""
        super().end(label, failure, validation)
        run = self.record
        words = f"{run.done + run.failed}/{run.trials} {label}"
        if failure is not None:
            words += f": failed: {failure}"
        elif validation is not None:
            words += f": validation {validation.words}"
        self._print(words + ("" if run.done + run.failed == run.trials else left_words(run.seconds_left)))

    def tick(self) -> None:
        """Say what the run is at where nothing has been said for a while."""
        with self.lock:
            if time.monotonic() - self.last >= SILENCE:
                self._print(heartbeat(self.record))

    def _print(self, words: str) -> None:
        with self.lock:
            self.last = time.monotonic()
            print(time.strftime("%H:%M:%S"), words, file=sys.stderr, flush=True)
