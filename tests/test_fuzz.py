"""What others write, mutated: it is read, or refused in a sentence; see ``tests/support/fuzzing.py``."""

import numpy as np
import pytest

from fuzz_kinds import KINDS
from fuzzing import fuzz

pytestmark = pytest.mark.integration


@pytest.mark.usefixtures("own_environment")
@pytest.mark.parametrize("kind", KINDS)
def test_some_mutations(kind, tmp_path):
    inputs = 5 if kind in ("study", "ledgers", "weights", "pickled") else 15
    _, failures = fuzz(KINDS[kind], tmp_path, np.random.default_rng(1), inputs=inputs)
    assert not failures, next(iter(failures.values()))[2]


@pytest.mark.slow
@pytest.mark.usefixtures("own_environment")
@pytest.mark.parametrize("kind", KINDS)
def test_mutations_of_a_minute(kind, tmp_path):
    _, failures = fuzz(KINDS[kind], tmp_path, np.random.default_rng(2), minutes=1)
    assert not failures, next(iter(failures.values()))[2]
