"""Measurements of speed, each in as many worker processes at once as trials would run."""

import signal
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, fields, replace
from statistics import mean

import torch

from trimtab.data.pairs import Pairs
from trimtab.data.synthetic import CLASSES, synthetic_pairs
from trimtab.ledger.records import RuntimeRecord
from trimtab.machine import available_memory
from trimtab.model.architecture import Architecture
from trimtab.run.devices import visible_devices
from trimtab.run.ended import Ended
from trimtab.run.input_spec import InputSpec
from trimtab.run.pool import run_jobs
from trimtab.training.auto_precision import device_name
from trimtab.training.backend import Backend
from trimtab.training.bench import Effort, Speed, TooSlowError, measure_speed
from trimtab.training.memory import give_back, is_out_of_memory
from trimtab.training.recipe import Precision, Recipe

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
class MeasuredSpeed:
    """What a worker found: the machine, and the rates there, or the ``failure`` that prevented them."""

    machine: str | None = None
    speed: Speed | None = None
    failure: str | None = None


@dataclass(frozen=True)
class SpeedRow:
    """What was measured, and what came out."""

    name: str
    size: str
    precision: Precision
    batch_size: int
    vocabulary: int
    measured: MeasuredSpeed


@dataclass(frozen=True)
class SpeedTable:
    """Measurements on one device, with that many threads each and so many processes at a time."""

    device: str
    threads: int
    processes: int
    rows: list[SpeedRow]


@dataclass(frozen=True)
class Begun:
    """Reported by a measurement that begins."""


@dataclass(frozen=True)
class SpeedJob:
    """Measure how fast a size trains and evaluates; the recipe names the precision."""

    name: str
    input_spec: InputSpec | Synthetic
    size: Architecture
    recipe: Recipe
    device: str
    effort: Effort

    def run(self, report: Callable[[Begun], None]) -> MeasuredSpeed:
        """Measure in this process."""
        report(Begun())
        found = MeasuredSpeed(device_name(torch.device(self.device)))
        try:
            found = replace(found, speed=self._measure())
        except TooSlowError:
            found = replace(found, failure="too slow; name it with --size to measure it anyway")
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
            found = replace(found, failure="does not fit into memory")
        give_back()
        return found

    def _measure(self) -> Speed:
        pairs = self.input_spec.pairs("train")["train"]
        backend = Backend(torch.device(self.device), self.recipe.precision)
        shape = (self.input_spec.vocabulary, self.input_spec.classes)
        return measure_speed(self.size, self.recipe, pairs, *shape, backend, self.effort)

    def row(self, measured: MeasuredSpeed) -> SpeedRow:
        """What the job measures, with what came out."""
        vocabulary = self.input_spec.vocabulary
        return SpeedRow(
            self.name,
            str(self.size),
            self.recipe.precision,
            self.recipe.batch_size,
            vocabulary,
            measured,
        )


def measure_all(
    jobs: Sequence[SpeedJob], runtime: RuntimeRecord, processes: int, on_stage: Callable[[str], None]
) -> SpeedTable:
    """Each job in every process at once, as trials of a study are; a row is the mean of what they found."""
    lacking = [_lacks_memory(job, processes) for job in jobs]
    numbers = [number for number, reason in enumerate(lacking) if not reason for _ in range(processes)]
    found: list[list[MeasuredSpeed]] = [[] for _ in jobs]

    def on_news(place: int, news: Begun) -> None:
        job = jobs[numbers[place]]
        on_stage(f"measuring {job.name}, {job.recipe.precision}")

    def on_end(place: int, ended: Ended[MeasuredSpeed]) -> None:
        found[numbers[place]].append(_outcome(ended))

    work = [jobs[number] for number in numbers]
    devices = visible_devices(runtime.device)
    run_jobs(work, processes, runtime.threads, on_news, on_end, devices=devices)
    rows = [
        job.row(MeasuredSpeed(failure=reason) if reason else combined(outcomes))
        for job, reason, outcomes in zip(jobs, lacking, found, strict=True)
    ]
    return SpeedTable(runtime.device, runtime.threads, processes, rows)


def _lacks_memory(job: SpeedJob, processes: int) -> str | None:
    """Why a size cannot fit: what is certain to be needed is more than there is."""
    free = available_memory() if job.device == "cpu" else None
    each = _BYTES_OF_A_PARAMETER * job.size.parameters(job.input_spec.vocabulary, job.input_spec.classes)
    if free is None or each * processes <= free:
        return None
    return f"does not fit into memory: {processes} times {each / _GIB:,.1f} GiB, {free / _GIB:,.1f} are free"


def _outcome(ended: Ended[MeasuredSpeed]) -> MeasuredSpeed:
    if ended.traceback is not None:
        raise RuntimeError(f"a measurement failed in its worker:\n{ended.traceback}")
    if ended.exit_code == -signal.SIGKILL:
        return MeasuredSpeed(failure="its process was killed, as happens when memory runs out")
    if ended.value is None:
        return MeasuredSpeed(failure=f"its process died with exit code {ended.exit_code}")
    return ended.value


def combined(outcomes: Sequence[MeasuredSpeed]) -> MeasuredSpeed:
    """One of several measurements of the same at the same time: mean rates, and the highest peak.

    The first failure where there is one. Only those with the fewest rows a step count, should that differ.
    """
    failed = next((outcome for outcome in outcomes if outcome.failure), None)
    if failed is not None:
        return failed
    speeds = [outcome.speed for outcome in outcomes if outcome.speed is not None]
    fewest = min(speed.rows for speed in speeds)
    alike = [speed for speed in speeds if speed.rows == fewest]
    rates = {each.name: mean(getattr(speed, each.name) for speed in alike) for each in _RATES}
    peak = max(speed.peak_bytes for speed in alike)
    return replace(outcomes[0], speed=replace(alike[0], **rates, peak_bytes=peak))


_RATES = tuple(each for each in fields(Speed) if each.type is float)
