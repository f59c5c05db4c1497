"""What lies in the folder of a pretraining: typed like a study's records, under the same ``SCHEMA``."""

from typing import Annotated, Literal

from pydantic import Field

from trimtab.ledger.record import Record
from trimtab.machine import Signature
from trimtab.model.architecture import Architecture
from trimtab.study.pretraining_definition import Text
from trimtab.training.recipe import Precision, Recipe


class AskedRecord(Record):
    """All that the result depends on, as the study file gives it; data: a hash of all sentences."""

    training: Text
    validation: Text | None
    tokenizer: str
    min_freq: int
    lowercase: bool
    size: Architecture
    max_len: int
    recipe: Recipe
    steps: int | None
    seed: int
    tied: bool
    average: Literal["real", "padded"]
    data: str


class PretrainingRuntime(Record):
    """What it runs on; precision: None before it is measured."""

    threads: int
    device: Literal["cpu", "cuda"]
    precision: Precision | None = None


class PretrainingRecord(Record):
    """pretraining.json: its settings, and what it runs on.

    format: of the weights; paragraphs, sentences: of the training text; pairs: in the first epoch.
    """

    name: str
    question: str
    asked: AskedRecord
    runtime: PretrainingRuntime
    format: str
    source: str
    paragraphs: int
    sentences: int
    pairs: int
    vocabulary: int
    machine: str
    signature: Signature


class StretchRecord(Record):
    """A line of metrics.jsonl: a stretch of training that ends with ``step``.

    Losses are means over the steps of the stretch, in nats; ``running_`` ones over all steps so far, whose
    pairs and seconds are summed. None is not known: see ``training.pretraining.Losses.means``.
    """

    kind: Literal["training"]
    step: int
    epoch: int
    learning_rate: float
    masked_words: float
    masked_words_padded: float | None = None
    masked_words_accuracy: float | None = None
    next_sentence: float
    next_sentence_accuracy: float | None = None
    running_masked_words: float
    running_masked_words_padded: float | None = None
    running_masked_words_accuracy: float | None = None
    running_next_sentence: float
    running_next_sentence_accuracy: float | None = None
    pairs_per_second: float
    pairs: float
    seconds: float


class ValidationRecord(Record):
    """A line of metrics.jsonl: the validation text after ``step``; losses are means in nats."""

    kind: Literal["validation"]
    step: int
    epoch: int
    masked_words: float
    masked_words_padded: float
    masked_words_accuracy: float
    next_sentence: float
    next_sentence_accuracy: float


MetricsRecord = Annotated[StretchRecord | ValidationRecord, Field(discriminator="kind")]


class PretrainingResult(Record):
    """result.json: the last record of each kind; written last, so that its presence means completeness."""

    steps: int
    training: StretchRecord
    validation: ValidationRecord | None
