"""What a trial in training reports. Free of torch, so that a ledger can be read without it."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Epoch:
    """Results of one epoch. Rates are of training alone; tokens include special tokens but no padding.

    seconds: of training; validation_seconds: of evaluating the validation split after it.
    """

    epoch: int
    loss: float
    accuracy: float
    validation_loss: float
    validation_accuracy: float
    examples_per_second: float
    tokens_per_second: float
    peak_bytes: int
    seconds: float
    validation_seconds: float


@dataclass(frozen=True)
class TrialProgress:
    """Progress of a running trial: its epoch and step, the epoch's mean loss and rate so far."""

    epoch: int
    epochs: int
    step: int
    steps: int
    loss: float
    examples_per_second: float
