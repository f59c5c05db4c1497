"""The memory of a training run: the tokens that it is measured on, and what is read from a process."""

import mmap
import os

import numpy as np
import pytest

from bench.regression import memory
from bench.regression.workload import CLASSES, VOCABULARY
from trimtab.data.tokens import load

SIZE = 64 << 20


def test_made_tokens_are_those_of_a_cached_split(tmp_path):
    memory.make_tokens(tmp_path, 400, part=1_000)
    tokens = load(tmp_path)
    assert len(tokens.first) == len(tokens.second) == len(tokens.labels) == len(tokens.clusters) == 400
    for side, mean in ((tokens.first, 15), (tokens.second, 8)):
        assert side.values.dtype == np.int16
        assert side.lengths.mean() == pytest.approx(mean, abs=1)
        assert 5 <= side.values.min() < side.values.max() < VOCABULARY
        assert len(np.unique(side.values[-500:])) > 400  # the last part is written too
    assert set(tokens.labels) == set(range(CLASSES))


@pytest.mark.skipif(not os.path.exists("/proc/self/status"), reason="needs /proc")
def test_private_memory_grows_by_what_a_process_takes():
    before = memory.resident(os.getpid())["private_bytes"]
    with mmap.mmap(-1, SIZE) as taken:
        for place in range(0, SIZE, mmap.PAGESIZE):
            taken[place] = 1
        grown = memory.resident(os.getpid())["private_bytes"] - before
    assert grown == pytest.approx(SIZE, rel=0.1)
    assert memory.resident(2**22 + 1) == {}  # beyond the largest process id
