"""Ledgers to report on."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest


@pytest.fixture(scope="session")
def handmade():
    """The module that writes ledgers with known predictions."""
    path = Path(__file__).parents[1] / "study" / "handmade.py"
    spec = importlib.util.spec_from_file_location("handmade", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def scores():
    """Bool (3 variants, 4 seeds, 60 examples), the third variant far better than the others."""
    rng = np.random.default_rng(1)
    return rng.random((3, 4, 60)) < np.array([0.4, 0.4, 0.97])[:, None, None]
