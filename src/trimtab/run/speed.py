"""Measurements of speed, each in as many worker processes at once as trials would run."""

import signal
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from statistics import mean
from typing import Any

import torch

from trimtab.data.pairs import Pairs
from trimtab.data.synthetic import CLASSES, synthetic_pairs
from trimtab.machine import available_memory
from trimtab.model.sizes import Architecture
from trimtab.run.jobs import InputSpec, Tell
from trimtab.run.pool import Ended, run_jobs
from trimtab.training.backend import Backend
from trimtab.training.bench import Effort, TooSlowError, measure_speed
from trimtab.training.memory import give_back, is_out_of_memory
from trimtab.training.precision import device_name
from trimtab.training.recipe import Recipe

Row = dict[str, Any]

_BYTES_OF_A_PARAMETER = 16  # in fp32: the number itself, its gradient and Adam's two moments
_GIB = 1 << 30


@dataclass(frozen=True)
class Synthetic:
    """What rows are made: the mean lengths of their texts, what they are cut to, the ids there are."""

    lengths: tuple[float, ...]
    max_len: int
    vocabulary: int
    batch_size: int
    classes: int = field(default=CLASSES, init=False)

    def pairs(self, *names: str) -> dict[str, Pairs]:
        """The rows, under each of the names."""
        made = synthetic_pairs(self.lengths, self.max_len, self.vocabulary, self.batch_size)
        return dict.fromkeys(names, made)


@dataclass(frozen=True)
class SpeedJob:
    """Measure how fast a size trains and evaluates; the recipe names the precision."""

    name: str
    input_spec: InputSpec | Synthetic
    size: Architecture
    recipe: Recipe
    device: str
    effort: Effort

    def run(self, tell: Tell) -> Row:
        """A row: the machine, and its rates or the reason why there are none."""
        tell("begin", None)
        found: Row = {"machine": device_name(torch.device(self.device)), "failure": None}
        try:
            found |= self._measure()
        except TooSlowError:
            found["failure"] = "too slow: --size waits for it"
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
            found["failure"] = "does not fit into memory"
        give_back()
        return found

    def _measure(self) -> Row:
        pairs = self.input_spec.pairs("train")["train"]
        backend = Backend(torch.device(self.device), self.recipe.precision)
        shape = (self.input_spec.vocabulary, self.input_spec.classes)
        return asdict(measure_speed(self.size, self.recipe, pairs, *shape, backend, self.effort))


@dataclass(frozen=True)
class Bench:
    """What was measured: a row for each size and precision, of one trial while ``processes`` of them ran.

    Rows have what training.bench.Speed has, with name, size, precision, batch_size, vocabulary and machine;
    failure: why rates are missing, else None.
    """

    device: str
    threads: int
    processes: int
    rows: list[Row]


def measured(
    jobs: Sequence[SpeedJob], runtime: dict[str, Any], processes: int, on_stage: Callable[[str], None]
) -> Bench:
    """Each job in every process at once, as trials of a study are; a row is the mean of what they found."""
    lacking = [_lacks_memory(job, processes) for job in jobs]
    numbers = [number for number, reason in enumerate(lacking) if not reason for _ in range(processes)]
    found: list[list[Row]] = [[] for _ in jobs]

    def on_news(place: int, kind: str, value: Any) -> None:
        job = jobs[numbers[place]]
        on_stage(f"measuring {job.name}, {job.recipe.precision}")

    def on_end(place: int, ended: Ended) -> None:
        found[numbers[place]].append(_outcome(ended))

    run_jobs([jobs[number] for number in numbers], processes, runtime["threads"], on_news, on_end)
    rows = [
        _identity(job) | ({"failure": reason} if reason else combined(outcomes))
        for job, reason, outcomes in zip(jobs, lacking, found, strict=True)
    ]
    return Bench(runtime["device"], runtime["threads"], processes, rows)


def _identity(job: SpeedJob) -> Row:
    return {
        "name": job.name,
        "size": str(job.size),
        "precision": job.recipe.precision,
        "batch_size": job.recipe.batch_size,
        "vocabulary": job.input_spec.vocabulary,
    }


def _lacks_memory(job: SpeedJob, processes: int) -> str | None:
    """Why a size cannot fit: what is certain to be needed is more than there is."""
    free = available_memory() if job.device == "cpu" else None
    each = _BYTES_OF_A_PARAMETER * job.size.parameters(job.input_spec.vocabulary, job.input_spec.classes)
    if free is None or each * processes <= free:
        return None
    return f"does not fit into memory: {processes} times {each / _GIB:,.1f} GiB, {free / _GIB:,.1f} are free"


def _outcome(ended: Ended) -> Row:
    if ended.traceback is not None:
        raise RuntimeError(f"a measurement failed in its worker:\n{ended.traceback}")
    if ended.exit_code == -signal.SIGKILL:
        return {"failure": "its process was killed, as happens when memory runs out"}
    if ended.exit_code is not None:
        return {"failure": f"its process died with exit code {ended.exit_code}"}
    return ended.value


def combined(outcomes: Sequence[Row]) -> Row:
    """One row of several of the same work at the same time: means, and the highest peak.

    The first failure where there is one. Only those with the fewest rows a step count, should that differ.
    """
    for outcome in outcomes:
        if outcome["failure"]:
            return outcome
    fewest = min(outcome["rows"] for outcome in outcomes)
    alike = [outcome for outcome in outcomes if outcome["rows"] == fewest]
    rates = {key: mean(o[key] for o in alike) for key, value in alike[0].items() if isinstance(value, float)}
    return alike[0] | rates | {"peak_bytes": max(outcome["peak_bytes"] for outcome in alike)}
