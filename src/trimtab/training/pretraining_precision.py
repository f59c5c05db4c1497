"""Which precision a pretraining takes, where the study leaves it to a measurement."""

from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray

from trimtab.data.next_sentences import Sentences
from trimtab.data.rows import Rows
from trimtab.training.backend import Backend
from trimtab.training.precision import quicker, rates_in_turns
from trimtab.training.pretraining import Pretrainer, Task
from trimtab.training.recipe import Precision, Recipe

_STEPS = 100  # that a schedule is made for; fewer are taken
_TOKENS = 8_192  # of a step: enough to tell


def choose_precision(task: Task, recipe: Recipe, training: Sentences, device: torch.device) -> Precision:
    """The recipe's precision; where it is ``auto``, the quicker of both, by steps of each in turns."""
    if recipe.precision != "auto":
        return recipe.precision
    pairs = training.pairs(0, 1)
    mean = len(pairs.tokens.values) / len(pairs)
    number = max(1, min(recipe.batch_size, len(pairs), int(_TOKENS / mean)))
    # Weights that hardly move take as long, and do not diverge whatever rate the study asks for.
    slow, rows = replace(recipe, learning_rate=1e-9), Rows(pairs, device)
    trainers = {name: Pretrainer(task, slow, 0, _STEPS, Backend(device, name)) for name in ("fp32", "bf16")}

    def step(name: str, index: NDArray[np.int64]) -> None:
        trainers[name].step(rows, index, np.random.default_rng(index[0])).means()

    return quicker(rates_in_turns(step, number, len(pairs)))
