"""A measurement of training steps for an estimate of time, in one worker and within a given time."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from statistics import median

import torch

from trimtab.ledger.records import RuntimeRecord
from trimtab.model.architecture import Architecture
from trimtab.plan.identity import precision_of
from trimtab.plan.inputs import PlannedVariant
from trimtab.run.input_spec import InputSpec, input_spec
from trimtab.run.pool import run_jobs
from trimtab.training.auto_precision import certain_precision, kept_rates, quicker
from trimtab.training.memory import give_back, is_out_of_memory
from trimtab.training.recipe import Precision, Recipe
from trimtab.training.step_times import time_steps

_MEASURED: tuple[Precision, ...] = ("fp32", "bf16")  # of which "auto" takes one
_FIRST_SHARE = 0.7  # of the time, for the first of two precisions
_SPARE = 0.5  # seconds before the end, for what is under way


@dataclass(frozen=True)
class Work:
    """Steps to be measured: of which kind of trial; the recipe's precision may be ``auto``."""

    kind: str
    input_spec: InputSpec
    size: Architecture
    recipe: Recipe


@dataclass(frozen=True)
class StepNews:
    """A step of a kind of trial, of so many rows and seconds; 0 rows where its measurement begins.

    kept: a rate that was measured before, in rows of one second.
    """

    kind: str
    precision: Precision
    rows: float = 0.0
    seconds: float = 0.0
    kept: bool = False


@dataclass(frozen=True)
class StepTimesJob:
    """Measure steps of each kind of trial, until a time in seconds since 1970 at the latest."""

    works: tuple[Work, ...]
    device: str
    until: float

    def run(self, report: Callable[[StepNews], None]) -> None:
        """Measure one kind after another, each for its share of the time."""
        for place, work in enumerate(self.works):
            now = time.time()
            self._measure(work, now + (self.until - now) / (len(self.works) - place), report)

    def _measure(self, work: Work, until: float, report: Callable[[StepNews], None]) -> None:
        spec, device, recipe = work.input_spec, torch.device(self.device), work.recipe
        certain = certain_precision(device)
        if recipe.precision == "auto" and certain is not None:
            recipe = replace(recipe, precision=certain)
        precisions = _MEASURED if recipe.precision == "auto" else (recipe.precision,)
        report(StepNews(work.kind, precisions[0]))
        pairs = spec.pairs("train")["train"]
        shape = (pairs, spec.vocabulary, spec.classes, device)
        if recipe.precision == "auto" and (
            rates := kept_rates(work.size, recipe, pairs, spec.vocabulary, device)
        ):
            for precision in _MEASURED:
                report(StepNews(work.kind, precision, rates[precision], 1.0, kept=True))
            return
        for place, precision in enumerate(precisions):
            now = time.time()
            # The first one matters more: without the second, its rate is the least that "auto" comes to.
            end = until if place == len(precisions) - 1 else now + _FIRST_SHARE * (until - now)
            report(StepNews(work.kind, precision))
            tell = partial(StepNews, work.kind, precision)
            try:
                time_steps(
                    work.size,
                    replace(recipe, precision=precision),
                    *shape,
                    end,
                    lambda rows, seconds, tell=tell: report(tell(rows, seconds)),  # type: ignore[misc]
                )
            except (RuntimeError, MemoryError) as error:
                if not is_out_of_memory(error):
                    raise
            give_back()


@dataclass
class MeasuredSteps:
    """What was measured of one kind of trial: at each precision, rows and seconds of each step."""

    steps: dict[Precision, list[tuple[float, float]]] = field(default_factory=dict)
    kept: bool = False

    def rate(self, precision: Precision) -> float | None:
        """Examples/s at a precision, of ``auto`` at the quicker; None where no step was measured."""
        if precision == "auto":
            rates = {each: self._rate(each) for each in _MEASURED}
            known: dict[str, float] = {each: rate for each, rate in rates.items() if rate is not None}
            only = next((name for name in _MEASURED if name in known), _MEASURED[0])
            precision = quicker(known) if len(known) == len(_MEASURED) else only
        return self._rate(precision)

    def _rate(self, precision: Precision) -> float | None:
        steps = self.steps.get(precision, [])
        largest = max((rows for rows, _ in steps), default=0.0)
        # The first step is slow, so others are taken where there are any; the largest are most like training.
        told = [seconds / rows for rows, seconds in steps[1:] if rows >= largest / 2]
        told = told or [seconds / rows for rows, seconds in steps]
        return 1 / median(told) if told else None

    @property
    def number(self) -> int:
        """Steps in all."""
        return sum(map(len, self.steps.values()))

    @property
    def rows(self) -> float:
        """Of the largest step."""
        return max((rows for steps in self.steps.values() for rows, _ in steps), default=0.0)


def measure_steps(
    variants: Mapping[str, PlannedVariant],
    runtime: RuntimeRecord,
    seconds: float,
    on_stage: Callable[[str], None],
) -> dict[str, MeasuredSteps]:
    """Measure steps of each kind's variant within ``seconds`` in all, the start of a worker included.

    Where several devices train a trial, the steps are those of one of them.

    What was measured by then counts, whatever was still under way. A stated precision is the only one that
    is measured; on_stage: is called with the kind and precision that are being measured.
    """
    found = {kind: MeasuredSteps() for kind in variants}
    works = []
    for kind, variant in variants.items():
        recipe = replace(variant.settings.recipe, precision=precision_of(variant, runtime))
        works.append(Work(kind, input_spec(variant), variant.settings.size, recipe.of_one_device))

    def on_news(number: int, news: StepNews) -> None:
        if not news.rows:
            on_stage(f"{news.kind}, {news.precision}")
            return
        found[news.kind].steps.setdefault(news.precision, []).append((news.rows, news.seconds))
        found[news.kind].kept |= news.kept

    job = StepTimesJob(tuple(works), runtime.device, time.time() + seconds - _SPARE)
    run_jobs([job], 1, runtime.threads, on_news, lambda number, ended: None, patience=seconds)
    return found
