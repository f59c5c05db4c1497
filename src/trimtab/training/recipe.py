"""The recipe: how a trial is trained. Free of torch, so that a study file is read quickly."""

from typing import Annotated, Literal

from pydantic import Field
from pydantic.dataclasses import dataclass

from trimtab.config import STRICT

Precision = Literal["auto", "fp32", "bf16"]
Evaluate = Literal["last", "best_accuracy", "best_loss"]
Count = Annotated[int, Field(ge=1)]
NonNegative = Annotated[float, Field(ge=0)]

# The keys that the time of a step depends on, apart from the precision: measured rates are kept by them.
SPEED_KEYS = ("batch_size", "optimizer", "micro_batch", "batches", "frozen")


@dataclass(frozen=True, config=STRICT)
class Recipe:
    """How a trial is trained.

    epochs; batch_size (rows a step); learning_rate (its peak); optimizer; weight_decay (for adamw alone, and
    not on biases and norms); schedule: constant, or linear to 0 at the end; warmup: share of all steps over
    which the rate rises from 0; clip: largest norm of the gradient, 0 for none; precision: of the matrix
    products, ``auto`` measures which is quicker; micro_batch: at most so many rows computed at a time, None
    for as many as suit the machine; batches: of random rows, or ``grouped`` by length, which is what many
    trainers do against padding: it saves nothing here, and a study can ask what it does to accuracy;
    class_weights: of the loss, ``balanced`` by the inverse frequency of each class in train;
    evaluate: the epoch whose weights meet the test sets and are kept, the last or that with the best accuracy
    or loss on validation.

    For few rows on pretrained weights: layer_decay: what each layer's learning rate is times that of the one
    above, 1 for the same (the head has the full rate, the embeddings the lowest); reinitialise: how many of
    the top layers, and then what stands on them, are made anew (Zhang et al. 2021); frozen: what stays as it
    is, ``embeddings``, or a number of layers from below with them.
    """

    epochs: Count = 3
    batch_size: Count = 32
    learning_rate: Annotated[float, Field(gt=0)] = 1e-4
    optimizer: Literal["adam", "adamw"] = "adamw"
    weight_decay: NonNegative = 0.01
    schedule: Literal["constant", "linear"] = "linear"
    warmup: Annotated[float, Field(ge=0, le=1)] = 0.1
    clip: NonNegative = 1.0
    precision: Precision = "auto"
    micro_batch: Count | None = None
    batches: Literal["random", "grouped"] = "random"
    class_weights: Literal["none", "balanced"] = "none"
    evaluate: Evaluate = "last"
    layer_decay: Annotated[float, Field(gt=0, le=1)] = 1.0
    reinitialise: Annotated[int, Field(ge=0)] = 0
    frozen: Literal["none", "embeddings"] | Count = "none"

    @property
    def rows_together(self) -> int:
        """Rows that are computed together, as far as memory allows."""
        return self.micro_batch or self.batch_size

    def steps(self, rows: int) -> int:
        """Optimiser steps over all epochs for ``rows`` training rows."""
        return self.epochs * -(-rows // self.batch_size)
