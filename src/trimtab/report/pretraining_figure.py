"""The loss curves of a pretraining, both tasks."""

import math
from collections.abc import Callable, Sequence

import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from trimtab.ledger.pretraining_records import StretchRecord, ValidationRecord
from trimtab.report.drawing import PAGE, colours_of, style

CHANCE = math.log(2)
Loss = Callable[[StretchRecord | ValidationRecord], float]
_TASKS: tuple[tuple[str, Loss], ...] = (
    ("masked words", lambda record: record.masked_words),
    ("next sentence", lambda record: record.next_sentence),
)


def losses_figure(training: Sequence[StretchRecord], validation: Sequence[ValidationRecord]) -> Figure:
    """A panel per task: loss over steps, points being means of stretches of training, dots validation."""
    colours = colours_of([name for name, _ in _TASKS])
    with style():
        figure, panels = plt.subplots(1, 2, figsize=(PAGE, 2.4), layout="constrained")
        for axes, (name, loss) in zip(panels, _TASKS, strict=True):
            _panel(axes, training, validation, loss, colours[name])
            axes.set(title=name, xlabel="steps", ylabel="loss, nats")
            axes.xaxis.set_major_locator(MaxNLocator(6, integer=True, min_n_ticks=1))
        panels[1].axhline(CHANCE, color="0.3", linestyle=(0, (4, 2)), linewidth=1, label="chance")
        for axes in panels:
            axes.legend()
    return figure


def _panel(
    axes: Axes,
    training: Sequence[StretchRecord],
    validation: Sequence[ValidationRecord],
    loss: Loss,
    colour: str,
) -> None:
    steps, losses = [record.step for record in training], [loss(record) for record in training]
    axes.plot(steps, losses, color=colour, linewidth=0.9, label="training")
    if validation:
        at, losses = [record.step for record in validation], [loss(record) for record in validation]
        axes.plot(at, losses, color="0.15", marker="o", markersize=3, linewidth=0.9, label="validation")
