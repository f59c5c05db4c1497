import pytest
from pydantic import ValidationError

from trimtab.training.recipe import Recipe


@pytest.mark.parametrize(("rows", "expected"), [(1, 3), (9, 3), (10, 3), (11, 6), (100, 30)])
def test_steps_count_the_last_short_batch(rows, expected):
    assert Recipe(epochs=3, batch_size=10).steps(rows) == expected


@pytest.mark.parametrize(
    "settings",
    [
        {"epochs": 0},
        {"epochs": 2.0},
        {"batch_size": "32"},
        {"learning_rate": 0.0},
        {"learning_rate": float("nan")},
        {"warmup": 1.1},
        {"clip": -1.0},
        {"weight_decay": float("inf")},
        {"schedule": "cosine"},
        {"optimizer": "sgd"},
        {"precision": "fp16"},
        {"micro_batch": 0},
        {"layer_decay": 0.0},
        {"layer_decay": 1.1},
        {"reinitialise": -1},
        {"frozen": 0},
        {"frozen": True},
        {"frozen": "encoder"},
        {"epoch": 3},
    ],
    ids=str,
)
def test_wrong_settings_are_refused(settings):
    with pytest.raises(ValidationError):
        Recipe(**settings)
