"""What a trial in training reports. Free of torch, so that a ledger can be read without it."""

from dataclasses import dataclass

# Ends the reason of a training that diverged, and of no other failure: a ledger knows it by that.
AGAINST_DIVERGING = "lower learning_rate, or set clip"


class StoppedError(RuntimeError):
    """A training was asked to stop, and did, at a checkpoint."""


@dataclass(frozen=True)
class Epoch:
    """Results of one epoch. Rates are of training alone; tokens include special tokens but no padding.

    accuracy, validation_accuracy: None where labels are no classes. seconds: of training;
    validation_seconds: of evaluating the validation split after it.
    validation_most_predicted: the largest share of validation rows that were given one class; None in records
    that older versions wrote.
    """

    epoch: int
    loss: float
    accuracy: float | None
    validation_loss: float
    validation_accuracy: float | None
    examples_per_second: float
    tokens_per_second: float
    peak_bytes: int
    seconds: float
    validation_seconds: float
    validation_most_predicted: float | None = None

    @property
    def predicts_one_class(self) -> bool:
        """Whether every row of validation was given the same class, and not rightly."""
        return self.validation_most_predicted == 1.0 and self.validation_accuracy != 1.0


@dataclass(frozen=True)
class TrialProgress:
    """Progress of a running trial: its epoch and step, the epoch's mean loss and rate so far."""

    epoch: int
    epochs: int
    step: int
    steps: int
    loss: float
    examples_per_second: float
