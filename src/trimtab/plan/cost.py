"""What a variant's trials are as work: of what kind, how much, at which precision. Free of torch."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from trimtab.plan.plan import Plan
from trimtab.training.recipe import Precision, Recipe


@dataclass(frozen=True)
class WantedTrial:
    """A trial that is wanted: its key, the first variant that wants it, all that do, the study's seed."""

    key: str
    variant: int
    variants: tuple[int, ...]
    seed: int


def precision_of(plan: Plan, number: int, runtime: dict[str, Any] | None) -> Precision:
    """The precision of a variant: what its recipe says, else what was measured, else still ``auto``."""
    chosen = plan.study.variants[number].settings.recipe.precision
    if chosen != "auto" or runtime is None:
        return chosen
    return runtime["precision"].get(kind_of_work(plan, number), "auto")


def work(plan: Plan, number: int) -> float:
    """An estimate of the arithmetic of one trial, good for shares."""
    settings = plan.study.variants[number].settings
    tokens = plan.inputs[number].tokens["train"] * len(plan.dataset.splits["train"])
    size = settings.size
    tables = (size.positions + 2) * size.hidden  # looked up, not multiplied
    return settings.recipe.epochs * tokens * (size.parameters(0, 2) - tables)


def kind_of_work(plan: Plan, number: int) -> str:
    """What a measured precision holds for: one for all truncations and lengths, so that contrasts pair."""
    settings = plan.study.variants[number].settings
    return f"{settings.size}, {settings.size.activation}, batch {settings.recipe.batch_size}"


def kind_of_step(plan: Plan, number: int) -> str:
    """What a measured rate holds for: the kind of work, and the settings that a step's time hangs on, too."""
    recipe, usual = plan.study.variants[number].settings.recipe, Recipe()
    own = [(key, getattr(recipe, key)) for key in _OF_A_STEP if getattr(recipe, key) != getattr(usual, key)]
    return ", ".join([kind_of_work(plan, number), *(f"{key} {value}" for key, value in own)])


_OF_A_STEP = ("optimizer", "micro_batch", "batches", "frozen")


def longest_inputs(plan: Plan, kind: Callable[[Plan, int], str]) -> dict[str, int]:
    """Each kind, and the variant of it with the longest inputs."""
    longest: dict[str, int] = {}
    for number in range(len(plan.study.variants)):
        its = kind(plan, number)
        if its not in longest or _tokens(plan, number) > _tokens(plan, longest[its]):
            longest[its] = number
    return longest


def trial_seconds(plan: Plan, number: int, training: float, evaluation: float | None = None) -> float:
    """Seconds of one trial of a variant that trains and evaluates so many examples a second.

    Validation after each epoch and the test sets count where ``evaluation`` is given.
    """
    epochs, dataset = plan.study.variants[number].settings.recipe.epochs, plan.dataset
    rows = {name: len(tokens) for name, tokens in dataset.splits.items()}
    seconds = epochs * rows["train"] / training
    if evaluation is None:
        return seconds
    return seconds + (epochs * rows["validation"] + sum(rows[test] for test in dataset.tests)) / evaluation


def scaled(plan: Plan, number: int, seconds: float | None) -> float | None:
    """Seconds of one trial of a variant, given those of the longest inputs of its kind of step."""
    longest = longest_inputs(plan, kind_of_step)[kind_of_step(plan, number)]
    return None if seconds is None else seconds * work(plan, number) / work(plan, longest)


def duration(trials: Sequence[int], seconds: Sequence[float | None], processes: int) -> float | None:
    """Seconds until so many trials of each variant are done, ``processes`` of them at a time.

    seconds: of one trial of each variant; None comes out where one that is needed is unknown. The trials are
    taken to fill the processes evenly.
    """
    total = 0.0
    for number, each in zip(trials, seconds, strict=True):
        if number and each is None:
            return None
        total += number * (each or 0.0)
    return total / max(1, min(sum(trials), processes))


def _tokens(plan: Plan, number: int) -> float:
    return plan.inputs[number].tokens["train"]
