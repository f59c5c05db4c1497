"""Throughput and memory of training, by variant. Free of torch."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from trimtab.analysis.scores import FinishedVariant
from trimtab.ledger.records import VariantRecord
from trimtab.training.recipe import Precision


@dataclass(frozen=True)
class ThroughputRow:
    """What training a variant costs: means over its seeds, their range, and the largest memory."""

    variant: VariantRecord
    examples_per_second: float
    examples_per_second_low: float
    examples_per_second_high: float
    tokens_per_second: float
    peak_bytes: int
    training_seconds: float
    precision: Precision
    threads: int
    machine: str


def throughput_rows(finished: Sequence[FinishedVariant]) -> list[ThroughputRow]:
    """One row per variant; precision, threads and machine are those of its first seed."""
    return [_throughput_row(one) for one in finished]


def _throughput_row(one: FinishedVariant) -> ThroughputRow:
    results = list(one.results.values())
    rates = [result.examples_per_second for result in results]
    return ThroughputRow(
        variant=one.variant,
        examples_per_second=float(np.mean(rates)),
        examples_per_second_low=min(rates),
        examples_per_second_high=max(rates),
        tokens_per_second=float(np.mean([result.tokens_per_second for result in results])),
        peak_bytes=max(result.peak_bytes for result in results),
        training_seconds=float(np.mean([result.training_seconds for result in results])),
        precision=results[0].recipe.precision,
        threads=results[0].threads,
        machine=results[0].machine,
    )
