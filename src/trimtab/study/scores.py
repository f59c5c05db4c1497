"""Which predictions of a test set were right, by variant and seed. Free of torch."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trimtab.study.ledger import Ledger

Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class Scores:
    """The scores (examples,) on one test set, by variant and then by seed: those of finished trials alone."""

    tables: dict[int, dict[int, Bools]]

    def seeds(self, *variants: int) -> list[int]:
        """The seeds that all these variants have finished, in the study's order."""
        first, *rest = (self.tables[variant] for variant in variants)
        return [seed for seed in first if all(seed in other for other in rest)]

    def on(self, variant: int, seeds: Sequence[int] | None = None) -> Bools:
        """A variant's scores (seeds, examples), on all its own seeds or on those given."""
        table = self.tables[variant]
        return np.stack([table[seed] for seed in (table if seeds is None else seeds)])


def read_scores(ledger: Ledger, test: str, done: dict[int, list[int]], labels: NDArray[np.int64]) -> Scores:
    """The scores of the trials that are ``done``, seeds by variant; shared trials are read once."""
    variants = ledger.study["variants"]
    read: dict[str, Bools] = {}
    tables: dict[int, dict[int, Bools]] = {}
    for variant, seeds in done.items():
        for seed in seeds:
            key = variants[variant]["trials"][str(seed)]
            if key not in read:
                read[key] = ledger.trial(key).predictions(test).argmax(1) == labels
            tables.setdefault(variant, {})[seed] = read[key]
    return Scores(tables)
