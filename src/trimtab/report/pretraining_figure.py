"""The loss curves of a pretraining, both tasks."""

import math
from collections.abc import Callable, Sequence

import matplotlib.pyplot as plt
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from trimtab.ledger.pretraining_records import StretchRecord, ValidationRecord
from trimtab.report.drawing import style

CHANCE = math.log(2)
Loss = Callable[[StretchRecord | ValidationRecord], float]
_TASKS: tuple[tuple[str, Loss], ...] = (
    ("masked words", lambda record: record.masked_words),
    ("next sentence", lambda record: record.next_sentence),
)


def losses_figure(training: Sequence[StretchRecord], validation: Sequence[ValidationRecord]) -> Figure:
    """A panel per task: loss over steps, points being means of stretches of training, dots validation."""
    with style():
        figure, panels = plt.subplots(1, 2, figsize=(10, 3.8), layout="constrained")
    for axes, colour, (name, loss) in zip(panels, sns.color_palette("colorblind", 2), _TASKS, strict=True):
        _panel(axes, training, validation, loss, colour)
        axes.set(title=name, xlabel="steps", ylabel="loss, nats")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    panels[1].axhline(CHANCE, color="0.3", linestyle=(0, (4, 2)), linewidth=1, label="chance")
    for axes in panels:
        axes.legend(fontsize="small")
    return figure


def _panel(
    axes: Axes,
    training: Sequence[StretchRecord],
    validation: Sequence[ValidationRecord],
    loss: Loss,
    colour: tuple[float, float, float],
) -> None:
    steps, losses = [record.step for record in training], [loss(record) for record in training]
    axes.plot(steps, losses, color=colour, linewidth=1, label="training")
    if validation:
        at, losses = [record.step for record in validation], [loss(record) for record in validation]
        axes.plot(at, losses, color="0.15", marker="o", markersize=4, linewidth=1, label="validation")
