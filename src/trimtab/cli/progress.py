"""The progress of a run on a terminal; nothing is shown where stderr is not a terminal."""

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn

from trimtab.run.jobs import TrialNews
from trimtab.run.runner import ProgressCallback
from trimtab.training.loop import TrialProgress

# Columns that a row needs beside its label: spinner, bar, text, clock and the spaces between.
_BESIDE_LABEL = 60


class Display(ProgressCallback):
    """A bar for the whole study, with the remaining time, and one line per running trial."""

    def __init__(self) -> None:
        self.console = Console(stderr=True)
        self.progress = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(bar_width=12),
            TextColumn("{task.fields[words]}"),
            TimeElapsedColumn(),
            console=self.console,
            disable=not self.console.is_terminal,
            transient=True,
        )
        self.whole = self.progress.add_task("starting", total=None, words="")
        self.running: dict[str, tuple[TaskID, float]] = {}
        self.trials = self.done = 0
        self.cost = self.cost_done = 0.0

    def __enter__(self) -> "Display":
        self.progress.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.progress.stop()

    def stage(self, words: str) -> None:
        """Show the current stage, before and after the trials."""
        self.progress.update(self.whole, description=words)

    def start(self, trials: int, done_before: int, cost: float, what: str = "trials") -> None:
        """Start to count trials, or other units of work."""
        self.trials, self.done, self.cost, self.cost_done = trials, done_before, cost, 0.0
        self.progress.reset(self.whole, total=cost or 1.0, description=what, words="")
        self._show_whole()

    def news(self, label: str, news: TrialNews) -> None:
        """Show how far a trial is."""
        if not isinstance(news, TrialProgress):
            return
        if label not in self.running:
            short = shortened(label, self.console.width - _BESIDE_LABEL)
            self.running[label] = self.progress.add_task(short, total=news.steps, words=""), 0.0
        task, _ = self.running[label]
        words = (
            f"epoch {news.epoch}/{news.epochs}, loss {news.loss:.3f}, {news.examples_per_second:,.0f} ex./s"
        )
        self.progress.update(task, completed=news.step, words=words)
        self.running[label] = task, news.step / news.steps
        self._show_whole()

    def end(self, label: str, cost: float, failure: str | None) -> None:
        """Count a trial that ended; a failed one is named immediately."""
        self.done += failure is None
        self.cost_done += cost
        if label in self.running:
            self.progress.remove_task(self.running.pop(label)[0])
        if failure is not None and self.console.is_terminal:
            self.progress.console.print(f"failed: {label}: {failure}", markup=False)
        self._show_whole()

    def _show_whole(self) -> None:
        # Running trials count by their share, so that there is an estimate before the first trial ends.
        mean = self.cost / max(1, self.trials)
        completed = self.cost_done + sum(share * mean for _, share in self.running.values())
        elapsed = self.progress.tasks[0].elapsed or 0.0
        words = f"{self.done} of {self.trials} done"
        if completed and elapsed:
            words += f", {_clock(elapsed * (self.cost - completed) / completed)} left"
        self.progress.update(self.whole, completed=completed, words=words)


def shortened(label: str, width: int) -> str:
    """Shorten ``label`` in the middle: the strategy at its start and the seed at its end stay."""
    width = max(width, 20)
    if len(label) <= width:
        return label
    tail = min(18, width - 8)
    return f"{label[: width - tail - 1]}…{label[-tail:]}"


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(max(0.0, seconds)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
