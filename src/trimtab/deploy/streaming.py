"""Predictions for tables of any length: read in blocks of rows, which bounds the memory."""

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from trimtab.data.examples import Examples
from trimtab.deploy.exported import Exported
from trimtab.deploy.prediction import Predictions, predict

BLOCK = 8_192  # rows: enough of a length to fill batches, and little memory


@dataclass
class Pace:
    """How far a prediction is: finished rows, some of them by estimate, and the seconds since it began."""

    rows: float = 0.0
    began: float = field(default_factory=time.perf_counter)

    def __str__(self) -> str:
        seconds = time.perf_counter() - self.began
        return f"{int(self.rows):,} rows predicted, {self.rows / max(seconds, 1e-9):,.0f} a second"


def predicted_blocks(
    classifier: Exported, blocks: Iterable[Examples], on_progress: Callable[[Pace], None] = lambda pace: None
) -> Iterator[tuple[Examples, Predictions]]:
    """Each block of texts with its predictions, in their order; errors as ``predict``'s.

    on_progress: is called after each batch.
    """
    pace = Pace()
    for block in blocks:
        before = pace.rows

        def tell(share: float, before: float = before, rows: int = len(block)) -> None:
            pace.rows = before + share * rows
            on_progress(pace)

        found = predict(classifier, block.first, block.second, on_share=tell)
        tell(1.0)
        yield block, found
