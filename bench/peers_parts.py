"""The parts of the comparison with peers: training, preparation of the data, the loss curve."""

from dataclasses import replace
from typing import Any

import peers_d2l
import peers_trainer
import peers_trimtab
from peers_curve import curves
from peers_machine import has_amx
from peers_preparation import prepare
from peers_race import WARM, Contestant, quickest, race, ratio
from peers_work import Work
from trimtab.training.memory import keep_freed_memory

# By whether the processor has AMX for bf16: times d2l's step, times the best setting of the Trainer.
LIMITS = {True: (25.0, 4.0), False: (10.0, 2.0)}
PREPARATION_LIMIT = 5.0


def training(work: Work, rounds: int, steps: int, bf16: bool) -> dict[str, Any]:
    """Rates of all, and the ratios of trimtab's quicker precision to each peer, with the limits."""
    precisions = ["fp32", "bf16"] if bf16 else ["fp32"]
    keep_freed_memory()  # as in a study's trials, and as good for the peers
    records = race(_contestants(work, precisions), rounds, steps, _say)
    ours = quickest(records[-len(precisions) :])
    d2l, *trainers = records[: -len(precisions)]
    limits = dict(zip((id(d2l), id(quickest(trainers))), LIMITS[has_amx()], strict=True))
    ratios = [_judged(ours, peer, limits.get(id(peer))) for peer in (d2l, *trainers)]
    return {"work": work.describe(), "warm": WARM, "contestants": records, "ratios": ratios}


def _contestants(work: Work, precisions: list[str]) -> list[Contestant]:
    rows = peers_trainer.Rows(work)
    return [
        peers_d2l.Contestant(work),
        *(
            peers_trainer.Contestant(work, rows, batches, precision)
            for batches in peers_trainer.STRATEGIES
            for precision in precisions
        ),
        *(peers_trimtab.Contestant(work, precision) for precision in precisions),
    ]


def _judged(ours: dict[str, Any], peer: dict[str, Any], limit: float | None) -> dict[str, Any]:
    found = ratio(ours, peer)
    return {
        "trimtab": ours["precision"],
        "against": f"{peer['name']}, {peer['batches']}, {peer['precision']}",
        "ratio": found,
        "limit": limit,
        "met": None if limit is None else found["median"] >= limit,
    }


def _say(contestant: Contestant, rates: dict[str, float]) -> None:
    who = f"{contestant.name}, {contestant.batches}, {contestant.precision}"
    print(f"{who}: {rates['examples_per_second']:,.0f} examples/s ({rates['steps']} steps)", flush=True)


def preparation(work: Work, rounds: int) -> dict[str, Any]:
    """Pairs a second of either's preparation of the data, their ratio, and the limit."""
    found = prepare(work, rounds)
    return found | {"limit": PREPARATION_LIMIT, "met": found["ratio"]["median"] >= PREPARATION_LIMIT}


def loss_curve(work: Work, steps: int, batch: int) -> dict[str, Any]:
    """The losses of packed and padded training on batches of ``batch`` rows, and how far they are apart."""
    work = replace(work, batch=min(batch, len(work.pairs)))
    return {"batch": work.batch, "size": str(work.size)} | curves(work, steps)
