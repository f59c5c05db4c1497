"""Peak memory of a trial, and the errors that mean that memory ran out."""

import contextlib
import ctypes
import errno
import gc
import resource
import sys
from pathlib import Path

import torch

# Messages of PyTorch's CPU allocator, CUDA and cuBLAS, which each raise a plain RuntimeError.
_OUT_OF_MEMORY = (
    "can't allocate memory",
    "not enough memory",
    "DefaultCPUAllocator",
    "CUDA error: out of memory",
    "CUBLAS_STATUS_ALLOC_FAILED",
    "could not create a primitive",  # oneDNN, out of memory
)

# glibc's malloc.h, and the largest threshold that it takes.
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _LARGEST_MMAP_THRESHOLD = -1, -3, 32 << 20
_TRIM_THRESHOLD = 1 << 30


def reset_peak(device: torch.device) -> None:
    """Start a new measurement of ``peak_bytes``, where the system can."""
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
        return
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        return  # not Linux, or forbidden: the peak is then that of the whole process


def peak_bytes(device: torch.device) -> int:
    """Peak memory: allocated on the device, or resident in this process on a CPU."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device)
    try:
        status = Path("/proc/self/status").read_text().splitlines()
        peak = next(line for line in status if line.startswith("VmHWM:"))
    except (OSError, StopIteration):
        unit = 1 if sys.platform == "darwin" else 1024
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
    return int(peak.split()[1]) * 1024


def keep_freed_memory() -> None:
    """Let this process reuse what it frees, rather than hand it back and fault each page in again.

    glibc returns freed memory at once where it is large, and a training step allocates and frees the same
    tens of megabytes again and again. ``give_back`` still returns all of it. Other C libraries ignore this.
    """
    with contextlib.suppress(OSError, AttributeError):
        libc = ctypes.CDLL(None)
        libc.mallopt(_M_MMAP_THRESHOLD, _LARGEST_MMAP_THRESHOLD)
        libc.mallopt(_M_TRIM_THRESHOLD, _TRIM_THRESHOLD)


def give_back() -> None:
    """Return freed memory to the system, so that the next trial's peak does not include it."""
    gc.collect()
    if torch.cuda.is_initialized():
        with contextlib.suppress(RuntimeError):  # after an error of the device, which is what is to be told
            torch.cuda.empty_cache()
    with contextlib.suppress(OSError, AttributeError):  # only glibc has it
        ctypes.CDLL(None).malloc_trim(0)


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error means that memory ran out."""
    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    if isinstance(error, OSError):  # a file that cannot be mapped
        return error.errno == errno.ENOMEM
    return isinstance(error, RuntimeError) and any(text in str(error) for text in _OUT_OF_MEMORY)
