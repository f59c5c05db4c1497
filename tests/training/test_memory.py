from pathlib import Path

import numpy as np
import pytest
import torch

from trimtab.training.memory import is_out_of_memory, peak_bytes, reset_peak

CPU = torch.device("cpu")


def test_a_real_allocation_failure_is_recognised():
    with pytest.raises(RuntimeError) as caught:
        torch.empty(2**50)
    assert is_out_of_memory(caught.value)


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        OSError(12, "Cannot allocate memory"),
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB"),
        RuntimeError("CUDA error: out of memory"),
        RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
        RuntimeError("[enforce fail at alloc_cpu.cpp:117] DefaultCPUAllocator: not enough memory"),
    ],
    ids=repr,
)
def test_every_way_to_run_out_is_recognised(error):
    assert is_out_of_memory(error)


@pytest.mark.parametrize(
    "error",
    [
        RuntimeError("mat1 and mat2 shapes cannot be multiplied"),
        ValueError("DefaultCPUAllocator"),
        OSError(13, "x"),
    ],
    ids=repr,
)
def test_other_errors_are_not(error):
    assert not is_out_of_memory(error)


def test_the_peak_counts_from_the_reset():
    if not Path("/proc/self/clear_refs").exists():
        pytest.skip("the peak is counted from a reset on Linux alone")
    much = 200 * 2**20
    reset_peak(CPU)
    before = peak_bytes(CPU)
    held = np.ones(much, np.uint8)
    assert peak_bytes(CPU) > before + 0.9 * much
    del held
    assert peak_bytes(CPU) > before + 0.9 * much
    reset_peak(CPU)
    assert peak_bytes(CPU) < before + 0.5 * much
