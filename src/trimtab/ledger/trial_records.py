"""What lies in the folder of a trial: what it is, and what it came to. Free of torch."""

from functools import cached_property, lru_cache
from typing import Any

from pydantic import Field

from trimtab.config import canonical_hash
from trimtab.ledger.record import SCHEMA, Record
from trimtab.machine import Signature
from trimtab.model.architecture import Architecture
from trimtab.training.epoch import Epoch
from trimtab.training.recipe import Recipe


class TrialConfig(Record):
    """config.json: all that a trial's result depends on, and nothing else. Two equal ones are one trial.

    Truncation and max_len act through the inputs alone: ``inputs`` are their fingerprints by split. weights:
    a hash of the pretrained tensors that training starts from, or None; seed: that training really uses.
    """

    size: Architecture
    recipe: Recipe
    weights: str | None
    vocabulary: int
    classes: int
    inputs: dict[str, str]
    seed: int
    schema_number: int = Field(SCHEMA, alias="schema")

    @cached_property
    def key(self) -> str:
        """The trial's identity, which names its folder."""
        own = {"size": _identity(self.size), "recipe": self.recipe.identity()}
        return canonical_hash(self.model_dump(mode="json", exclude={"size", "recipe"}) | own)


@lru_cache
def _identity(size: Architecture) -> dict[str, Any]:
    """Its identity, which thousands of trials share."""
    return size.identity()


class Scores(Record):
    """The mean loss, and accuracy from 0 to 1, None where labels are no classes.

    The loss is cross-entropy in nats, binary cross-entropy of relevance, and the squared error of scores.
    """

    loss: float
    accuracy: float | None

    @classmethod
    def of_validation(cls, epoch: Epoch) -> "Scores":
        """What a trial came to on validation after an epoch."""
        return cls(loss=epoch.validation_loss, accuracy=epoch.validation_accuracy)

    @property
    def words(self) -> str:
        """``accuracy 83.12 %``, or ``loss 0.4312`` where there is none."""
        return f"loss {self.loss:.4f}" if self.accuracy is None else f"accuracy {100 * self.accuracy:.2f} %"


class TrialResult(Record):
    """result.json: what a trial came to; written last, so that its presence means that the trial is complete.

    tests: by test set; validation: of the epoch whose weights met the test sets, ``evaluated_epoch``. Rates
    are means over epochs, of training alone; tokens are real ones. seconds: of the whole trial. recipe: as
    resolved, with the micro-batch that fitted into memory. run: the name of the run that trained it;
    failed_before: why its earlier attempts failed. key: the trial's; files: the digest of each file of its
    folder by name, cross evaluations left out. Older ledgers have neither of these two.
    """

    tests: dict[str, Scores]
    evaluated_epoch: int
    validation: Scores
    examples_per_second: float
    tokens_per_second: float
    peak_bytes: int
    training_seconds: float
    seconds: float
    recipe: Recipe
    machine: str
    threads: int
    signature: Signature
    failed_before: tuple[str, ...] = ()
    run: str = ""
    key: str = ""
    files: dict[str, str] = Field({})


class FailureRecord(Record):
    """failure.json: why the last attempt failed, in a sentence, and the traceback of a defect of ours.

    run: the name of the run that tried.
    """

    reason: str
    traceback: str | None = None
    run: str = ""
