"""The precision of matrix products, where it is left to a measurement on this machine."""

import json
import platform
import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from trimtab.atomic import write_json
from trimtab.config import canonical_hash
from trimtab.data.files import cache_root
from trimtab.data.next_sentences import Sentences
from trimtab.data.pairs import Pairs
from trimtab.data.rows import Rows
from trimtab.model.architecture import Architecture
from trimtab.training.backend import Backend
from trimtab.training.pretraining import Pretrainer, PretrainingTask
from trimtab.training.recipe import SPEED_KEYS, Precision, Recipe
from trimtab.training.trainer import Trainer

# How much faster bf16 must be to be chosen: near a tie fp32 wins, whatever the noise.
_WORTHWHILE = 1.15
_MEASURED = ("fp32", "bf16")
_WITH_BF16 = (8, 0)  # compute capability
_ROUNDS, _WARM = 9, 4  # bf16 kernels of a few sizes are compiled in the first rounds
# A precision whose quickest step takes this many times as long as another's slowest is measured no further:
# without instructions for it, bf16 takes twenty times as long, and a step of a large model minutes.
_HOPELESS = 3.0
_COMPILING = 2.0  # seconds at most, in a precision's first step
_PILOT = 8  # the first step has this fraction of the rows
_TRAINER = 3  # raised when training changes so much that earlier measurements no longer hold
_TOKENS = 16_384  # of a step: enough to tell, few enough for `large` on a laptop
_SCHEDULED = 100  # steps of the schedule, of which fewer are taken

Step = Callable[[NDArray[np.int64]], object]


def processor_name() -> str:
    """The processor's model name."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    fields = (line.partition(":") for line in lines)
    return next(
        (value.strip() for key, _, value in fields if key.startswith("model name")), platform.machine()
    )


def device_name(device: torch.device) -> str:
    """The accelerator's name, or the processor's."""
    return torch.cuda.get_device_name(device) if device.type == "cuda" else processor_name()


def choose_precision(
    size: Architecture,
    recipe: Recipe,
    pairs: Pairs,
    vocabulary: int,
    classes: int,
    device: torch.device,
    on_step: Callable[[], None] = lambda: None,
) -> tuple[Precision, dict[str, float]]:
    """The faster of fp32 and bf16 for this work on this machine, and the examples/s of both.

    on_step: is called after each step that is measured.

    Where the device leaves no doubt, see ``certain_precision``, nothing is measured.
    The measurement is kept in the user's cache, so that the same study takes the same precision in every
    folder. Another machine, torch version, number of threads, size or row length is measured again.
    """
    certain = certain_precision(device)
    if certain is not None:
        return certain, {}
    rates = kept_rates(size, recipe, pairs, vocabulary, device)
    if rates is None:
        rates = measure_rates(size, recipe, pairs, vocabulary, classes, device, on_step)
        path = _path_of_rates(size, recipe, pairs, vocabulary, device)
        path.parent.mkdir(parents=True, exist_ok=True)
        write_json(path, rates)
    return quicker(rates), rates


def certain_precision(device: torch.device) -> Precision | None:
    """The precision that is certain to be the faster one: bf16 on a GPU with units for it, or else None."""
    if device.type == "cuda" and torch.cuda.get_device_capability(device) >= _WITH_BF16:
        return "bf16"
    return None


def kept_rates(
    size: Architecture, recipe: Recipe, pairs: Pairs, vocabulary: int, device: torch.device
) -> dict[str, float] | None:
    """The examples/s of both precisions that were measured on this machine before, or None."""
    try:
        kept = json.loads(_path_of_rates(size, recipe, pairs, vocabulary, device).read_text())
        return {name: float(kept[name]) for name in _MEASURED}
    except (OSError, ValueError, TypeError, KeyError):  # not there, or not what was written
        return None


def _path_of_rates(
    size: Architecture, recipe: Recipe, pairs: Pairs, vocabulary: int, device: torch.device
) -> Path:
    tokens = round(len(pairs.tokens.values) / len(pairs))
    settings = {key: getattr(recipe, key) for key in SPEED_KEYS}
    work = [asdict(size), settings, vocabulary, tokens]
    machine = [device_name(device), torch.__version__, torch.get_num_threads(), _TRAINER]
    return cache_root() / "precision" / f"{canonical_hash([machine, work])}.json"


def quicker(rates: Mapping[str, float]) -> Precision:
    """The precision to take, given the examples/s of both: bf16 where it is clearly faster."""
    return "bf16" if rates["bf16"] > _WORTHWHILE * rates["fp32"] else "fp32"


def choose_pretraining_precision(
    task: PretrainingTask, recipe: Recipe, training: Sentences, device: torch.device
) -> Precision:
    """The recipe's precision; where it is ``auto``, the faster of fp32 and bf16 in a step of pretraining."""
    if recipe.precision != "auto":
        return recipe.precision
    certain = certain_precision(device)
    if certain is not None:
        return certain
    pairs = training.pairs(0, 1)
    rows = Rows(pairs, device)

    def trainer(slow: Recipe, backend: Backend) -> Step:
        made = Pretrainer(task, slow, 0, _SCHEDULED, backend)
        return lambda index: made.step(rows, index, np.random.default_rng(index[0])).means()

    return quicker(rates_in_turns(trainer, recipe, pairs, device))


def measure_rates(
    size: Architecture,
    recipe: Recipe,
    pairs: Pairs,
    vocabulary: int,
    classes: int,
    device: torch.device,
    on_step: Callable[[], None] = lambda: None,
) -> dict[str, float]:
    """Examples/s of a classifier's training step at each precision; on_step: is called after each step."""
    shape: dict[str, Any] = {"vocabulary": vocabulary, "classes": classes, "training": pairs}

    def trainer(slow: Recipe, backend: Backend) -> Step:
        made = Trainer(size, slow, 0, backend, **shape)
        return lambda index: float(made.step(index)[0])  # read, so that a GPU's work is waited for

    return rates_in_turns(trainer, recipe, pairs, device, on_step)


def rates_in_turns(
    trainer: Callable[[Recipe, Backend], Step],
    recipe: Recipe,
    pairs: Pairs,
    device: torch.device,
    on_step: Callable[[], None] = lambda: None,
) -> dict[str, float]:
    """Rows/s of steps on ``pairs`` at each precision: the median of several, the precisions in turns.

    trainer(recipe, backend): makes the function that takes one step on the rows of an index. on_step: is
    called after each.
    """
    # Weights that hardly move take as long, and do not diverge whatever learning rate the study sets.
    slow = replace(recipe, learning_rate=1e-9, schedule="constant")
    steps = {precision: trainer(slow, Backend(device, precision)) for precision in _MEASURED}
    seconds: dict[str, list[float]] = {precision: [] for precision in _MEASURED}  # per row
    mean = len(pairs.tokens.values) / len(pairs)
    rows = max(1, min(recipe.batch_size, len(pairs), int(_TOKENS / mean)))
    for number in range(_ROUNDS):
        some = rows if number else -(-rows // _PILOT)
        index = np.arange(number * rows, number * rows + some) % len(pairs)  # new rows, as in training
        for precision, step in steps.items():
            if not _is_hopeless(precision, seconds, _COMPILING / -(-rows // _PILOT)):
                began = time.perf_counter()
                step(index)
                seconds[precision].append((time.perf_counter() - began) / some)
                on_step()
    return {precision: 1 / statistics.median(taken[_WARM:] or taken) for precision, taken in seconds.items()}


def _is_hopeless(precision: str, seconds: Mapping[str, list[float]], compiling: float) -> bool:
    """Whether a precision is certainly the slower one; compiling: what its first step may have lost by it."""
    first, *later = seconds[precision] or [0.0]
    others = (taken for name, taken in seconds.items() if name != precision)
    own = min(later, default=first - compiling)
    return all(taken and own > _HOPELESS * max(taken) for taken in others)
