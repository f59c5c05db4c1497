"""The GPUs of this machine: which of them each worker process has, and how many share one. Free of torch."""

import os
from collections import Counter
from collections.abc import Sequence

from trimtab.config import InputError
from trimtab.machine import GPU_SHARERS

VARIABLE = "CUDA_VISIBLE_DEVICES"

_MOST_EACH = 4  # workers on one GPU; more would have to be measured first
_CONTEXT_BYTES = 1 << 30  # of libraries and kernels, in each process
_USED = 0.8  # of a GPU's memory, at most
_UNEVEN = 1.5  # a trial's peak, with what the allocator holds beside it


def visible_devices(device: str) -> tuple[str, ...]:
    """The GPUs that this process may use, as CUDA_VISIBLE_DEVICES names them; none for the device cpu."""
    if device != "cuda":
        return ()
    import torch  # no CPU run waits for it

    return named(os.environ.get(VARIABLE), torch.cuda.device_count())


def named(variable: str | None, count: int) -> tuple[str, ...]:
    """The names of ``count`` devices; variable: CUDA_VISIBLE_DEVICES, None where it is not set."""
    if variable is None:
        return tuple(map(str, range(count)))
    return tuple(name.strip() for name in variable.split(","))[:count]


def together(devices: Sequence[str], each: int) -> tuple[str, ...]:
    """The devices in groups of ``each``, for trials that take as many; what is left over has no use."""
    return tuple(",".join(devices[n : n + each]) for n in range(0, len(devices) - each + 1, each))


def check_devices(count: int) -> None:
    """InputError where a trial should have more GPUs than this process may use."""
    there = len(visible_devices("cuda"))
    if count > there:
        raise InputError(f"devices = {count}: there are {there} GPUs here; lower it, or set --device cpu")


def least_loaded(devices: Sequence[str], taken: Sequence[str]) -> str:
    """The device that the fewest workers have, given those that are ``taken``; ties go to the first."""
    numbers = Counter(taken)
    return min(devices, key=lambda device: numbers[device])


def environment_of(device: str, devices: Sequence[str], processes: int) -> dict[str, str]:
    """The variables of a worker that has ``device``, one of ``devices`` that ``processes`` workers share."""
    return {VARIABLE: device, GPU_SHARERS: str(-(-processes // len(devices)))}


def jobs_each(memory: int, trial: int | None, cores: int) -> int:
    """How many workers to start on a GPU of ``memory`` bytes.

    trial: bytes of the largest trial, None where arithmetic and not launches takes its time, so that a second
    one beside it would gain nothing. cores: for each GPU; a worker needs one.
    """
    if trial is None:
        return 1
    fit = int(_USED * memory / (_UNEVEN * trial + _CONTEXT_BYTES))
    return max(1, min(fit, cores, _MOST_EACH))
