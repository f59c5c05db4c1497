"""The recipe: how a trial is trained. Free of torch, so that a study file is read quickly."""

from dataclasses import asdict, replace
from typing import Annotated, Any, Literal

from pydantic import Field
from pydantic.dataclasses import dataclass

from trimtab.config import STRICT

Precision = Literal["auto", "fp32", "bf16"]
Evaluate = Literal["last", "best_accuracy", "best_loss"]
Count = Annotated[int, Field(ge=1, le=1_000_000)]  # a larger one is a slip
Devices = Annotated[int, Field(ge=1, le=1_024)]  # likewise
NonNegative = Annotated[float, Field(ge=0)]

# Keys, apart from the precision, that the time of a step depends on: measured rates are kept per value.
SPEED_KEYS = ("batch_size", "optimizer", "micro_batch", "batches", "frozen")


@dataclass(frozen=True, config=STRICT)
class Recipe:
    """How a trial is trained.

    epochs (passes over train); batch_size (rows per step); learning_rate (its peak); optimizer: adam, or
    adamw, which decays weights; weight_decay (for adamw alone, and not on biases and norms); schedule:
    constant, or linear to 0 at the end; warmup: share of all steps over which the rate rises from 0; clip:
    largest norm of the gradient, 0 for none; precision: of matrix products, ``auto`` measures which is
    faster; micro_batch: most rows computed at a time, None for as many
    as suit the machine; batches: of random rows, or ``grouped`` by length, as many trainers do to avoid
    padding (it saves nothing here, but a study can measure its effect on accuracy); class_weights: of the
    loss, ``balanced`` by the inverse frequency of each class in train; evaluate: the epoch whose weights are
    evaluated on the test sets and kept, the last or the one with the best accuracy or loss on validation.

    For fine-tuning on few rows: layer_decay: the ratio of each layer's learning rate to that of the layer
    above (the head has the full rate, the embeddings the lowest); reinitialise: how many of the top layers
    are re-initialized, together with the pooler (Zhang et al. 2021); frozen: what is not trained,
    ``embeddings``, or the embeddings and this number of layers from the bottom.

    devices: how many processes train a trial together, each on a part of every batch; each has a GPU of its
    own, or its threads of a CPU.
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
    devices: Devices = 1

    @property
    def rows_together(self) -> int:
        """Most rows that are computed together."""
        return self.micro_batch or self.batch_size

    @property
    def tells_layers_apart(self) -> bool:
        """Whether it treats some layers of the encoder differently from others."""
        return self.layer_decay != 1 or self.reinitialise > 0 or self.frozen != "none"

    @property
    def of_one_device(self) -> "Recipe":
        """A recipe whose step is one device's part of a step: for measurements of speed in one process."""
        return replace(self, batch_size=-(-self.batch_size // self.devices), devices=1)

    def identity(self) -> dict[str, Any]:
        """Every field as JSON has it, without those that were added later and say what was always done."""
        table = asdict(self)
        return {key: value for key, value in table.items() if key != "devices" or value != 1}

    def steps(self, rows: int) -> int:
        """Optimiser steps over all epochs for ``rows`` training rows."""
        return self.epochs * -(-rows // self.batch_size)
