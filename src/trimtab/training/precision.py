"""The precision of a trial's matrix products: chosen, or measured once for a machine and kept."""

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
from trimtab.data.pairs import Pairs
from trimtab.model.sizes import Architecture
from trimtab.training.backend import Backend
from trimtab.training.recipe import SPEED_KEYS, Precision, Recipe
from trimtab.training.trainer import Trainer

# bf16 must be so much quicker to be chosen: near a tie the more exact one wins, whatever the noise.
_WORTHWHILE = 1.15
_MEASURED = ("fp32", "bf16")
_ROUNDS, _WARM = 9, 4  # in bf16 the kernels of a few sizes are compiled in the first ones
_TRAINER = 3  # raised when training changes so much that what was measured before says nothing
_TOKENS = 16_384  # a step large enough to tell, small enough for `large` on a laptop


def processor_name() -> str:
    """The processor's model, as the system names it."""
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
    size: Architecture, recipe: Recipe, pairs: Pairs, vocabulary: int, classes: int, device: torch.device
) -> tuple[Precision, dict[str, float]]:
    """The quicker of fp32 and bf16 for this work on this machine, and the examples/s of both.

    The measurement is kept in the user's cache, so that the same study takes the same precision in
    every folder; it is made anew for another machine, torch, number of threads, size or length of rows.
    """
    tokens = round(len(pairs.tokens.values) / len(pairs))
    settings = {key: getattr(recipe, key) for key in SPEED_KEYS}
    work = [asdict(size), settings, vocabulary, tokens]
    machine = [device_name(device), torch.__version__, torch.get_num_threads(), _TRAINER]
    path = cache_root() / "precision" / f"{canonical_hash([machine, work])}.json"
    try:
        kept = json.loads(path.read_text())
        rates = {name: float(kept[name]) for name in _MEASURED}
    except (OSError, ValueError, TypeError, KeyError):  # not there, or not what was written
        rates = measure_rates(size, recipe, pairs, vocabulary, classes, device)
        path.parent.mkdir(parents=True, exist_ok=True)
        write_json(path, rates)
    return quicker(rates), rates


def quicker(rates: Mapping[str, float]) -> Precision:
    """The precision to take, given the examples/s of both: bf16 where it is clearly quicker."""
    return "bf16" if rates["bf16"] > _WORTHWHILE * rates["fp32"] else "fp32"


def measure_rates(
    size: Architecture, recipe: Recipe, pairs: Pairs, vocabulary: int, classes: int, device: torch.device
) -> dict[str, float]:
    """Examples/s of a training step at each precision, measured in turns: the median of several steps."""
    # Weights that hardly move take as long, and do not diverge whatever rate the study asks for.
    recipe = replace(recipe, learning_rate=1e-9, schedule="constant")
    shape: dict[str, Any] = {"vocabulary": vocabulary, "classes": classes, "training": pairs}
    trainers = {
        precision: Trainer(size, recipe, 0, Backend(device, precision), **shape) for precision in _MEASURED
    }
    mean = len(pairs.tokens.values) / len(pairs)
    rows = max(1, min(recipe.batch_size, len(pairs), int(_TOKENS / mean)))

    def step(precision: str, index: NDArray[np.int64]) -> None:
        float(trainers[precision].step(index)[0])  # read, so that a GPU's work is waited for

    return rates_in_turns(step, rows, len(pairs))


def rates_in_turns(step: Callable[[str, NDArray[np.int64]], None], rows: int, of: int) -> dict[str, float]:
    """Rows/s of ``step(precision, index)`` at each precision: the median of several, ``rows`` each time."""
    seconds: dict[str, list[float]] = {precision: [] for precision in _MEASURED}
    for number in range(_ROUNDS):
        index = np.arange(number * rows, (number + 1) * rows) % of  # other rows each time, as in training
        for precision, taken in seconds.items():
            began = time.perf_counter()
            step(precision, index)
            taken.append(time.perf_counter() - began)
    return {precision: rows / statistics.median(taken[_WARM:]) for precision, taken in seconds.items()}
