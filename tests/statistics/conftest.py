import numpy as np
import pytest


@pytest.fixture
def scores():
    rng = np.random.default_rng(0)
    difficulty = rng.normal(1.0, 1.0, 400)
    strength = np.array([0.0, 0.6, -0.6, 0.0])[:, None, None]
    return difficulty + strength + 0.5 * rng.normal(size=(4, 5, 400)) > 0
