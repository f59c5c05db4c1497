"""A CUDA device pretended on the CPU: steps are computed for real, and what a GPU would mind is noted.

Tensors that are moved to "cuda", or made there, stay in the CPU's memory; two modes of torch keep track of
them. ``x.device`` and ``x.is_cuda`` answer as on a GPU, so that the code under test takes its CUDA branches.
While ``watched``, these are faults: the host reads from the device, a copy from memory that is not pinned or
that is waited for, an operator on tensors of both devices. A capture refuses all of them.
Not shown by it: kernels' own numerics, memory, times, and what libraries do when they first meet a shape.
"""

import contextlib
import importlib
import os
import traceback
from collections import Counter
from pathlib import Path
from types import SimpleNamespace

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode, _disable_current_modes

import trimtab
from plain_flash import plain_flash
from pretended_graph import PretendedGraph, capture, tensors_in
from trimtab.model import varlen

DEVICE = torch.device("cuda", 0)
_CPU = torch.device("cpu")
_GIB = 1 << 30
_OURS = str(Path(trimtab.__file__).parent) + os.sep  # a clone may be called anything, trimtab too

# Operators that need a number on the host, and so wait for the device.
_READING = ("_local_scalar_dense", "nonzero", "masked_select", "is_nonzero", "equal", "bincount", "_unique2")
_METHODS = {Tensor.tolist: "tolist", Tensor.numpy: "numpy", Tensor.__array__: "numpy"}
_FROM_HOST = (torch.tensor, torch.as_tensor, torch.asarray, torch.from_numpy)


class PretendedCuda:
    """The device: ``faults`` of steps, how often each of the ``operators`` ran there, ``captured`` graphs."""

    def __init__(self):
        self.storages, self.pinned = {}, {}  # by address; kept, so that none is given to another
        self.faults, self.operators = [], Counter()
        self.watching, self.tape = False, None
        self.captured = []

    def has(self, tensor):
        """Whether a tensor is on the device."""
        return tensor.untyped_storage()._cdata in self.storages

    def put(self, tensor):
        """Note that a tensor is there."""
        storage = tensor.untyped_storage()
        self.storages[storage._cdata] = storage
        return tensor

    def pin(self, tensor):
        """A copy in pinned memory."""
        storage = (made := tensor.clone()).untyped_storage()
        self.pinned[storage._cdata] = storage
        return made

    def is_pinned(self, tensor):
        return tensor.untyped_storage()._cdata in self.pinned

    @contextlib.contextmanager
    def watched(self):
        """Note faults meanwhile; gives their list."""
        self.watching, self.faults = True, []
        self.operators.clear()
        try:
            yield self.faults
        finally:
            self.watching = False

    def fault(self, what):
        """Note a fault, with the line of ours that made it; during a capture it is an error."""
        ours = [frame for frame in traceback.extract_stack() if frame.filename.startswith(_OURS)]
        place = f"{ours[-1].filename.rpartition('/')[2]}: {ours[-1].line}" if ours else "?"
        if self.tape is not None:
            raise RuntimeError(
                f"CUDA error: operation not permitted when stream is capturing: {what} ({place})"
            )
        if self.watching:
            self.faults.append(f"{what} ({place})")

    def check_copy(self, from_host, pinned, non_blocking):
        """Note a copy between host and device that is waited for."""
        if not from_host:
            self.fault("the host reads from the device")
        elif self.tape is not None:
            self.fault("copies from the host")
        elif not (pinned and non_blocking):
            self.fault("copies from memory that is not pinned, or waits")


class _Functions(TorchFunctionMode):
    """What Python sees: devices, copies between them, and what is made on the device."""

    def __init__(self, cuda):
        super().__init__()
        self.cuda = cuda

    def __torch_function__(self, func, types, args=(), kwargs=None):
        cuda, kwargs = self.cuda, dict(kwargs or {})
        first = args[0] if args and isinstance(args[0], Tensor) else None
        if func == Tensor.device.__get__:
            return DEVICE if cuda.has(first) else first.device
        if func == Tensor.is_cuda.__get__:
            return cuda.has(first)
        if func == Tensor.is_cpu.__get__:
            return not cuda.has(first)
        if func is Tensor.pin_memory:
            return cuda.pin(first)
        if func is Tensor.backward:  # or else Python's own backward functions would not be seen
            given = (args[1] if len(args) > 1 else kwargs.pop("gradient", None), *args[2:])
            with self:
                return torch.autograd.backward(first, *given, **kwargs)
        if func is Tensor.cpu:
            return self._to(first, _CPU, None, False)
        if func is Tensor.to:
            return self._moved(first, args[1:], kwargs)
        if func in _METHODS and cuda.has(first):
            cuda.fault(f"the host reads from the device: {_METHODS[func]}")
        device = kwargs.get("device")
        if device is not None and torch.device(device).type == "cuda":
            if func in _FROM_HOST:
                cuda.check_copy(True, False, False)
            return cuda.put(func(*args, **kwargs | {"device": "cpu"}))
        return func(*args, **kwargs)

    def _moved(self, tensor, args, kwargs):
        if args and isinstance(args[0], Tensor):
            target = DEVICE if self.cuda.has(args[0]) else _CPU
            return self._to(tensor, target, args[0].dtype, False)
        kwargs.pop("copy", None)
        device, dtype, non_blocking, _ = torch._C._nn._parse_to(*args, **kwargs)
        return self._to(tensor, device, dtype, non_blocking)

    def _to(self, tensor, device, dtype, non_blocking):
        here, there = (
            self.cuda.has(tensor),
            self.cuda.has(tensor) if device is None else device.type == "cuda",
        )
        made = tensor if dtype is None else tensor.to(dtype)
        if here == there:
            return made
        self.cuda.check_copy(there, self.cuda.is_pinned(tensor), non_blocking)
        with _disable_current_modes():
            made = made.clone()
        return self.cuda.put(made) if there else made


class _Operators(TorchDispatchMode):
    """What the device runs."""

    def __init__(self, cuda):
        super().__init__()
        self.cuda = cuda

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        cuda, kwargs = self.cuda, kwargs or {}
        name = func._schema.name.removeprefix("aten::")
        given = tensors_in(args, kwargs.values())
        here = [cuda.has(tensor) for tensor in given]
        if any(here):
            self._check(name, func, args, kwargs, given, here)
        # What autograd or a composite operator makes on its own is on the device that it works for.
        there = any(here) or (not given and not func._schema.name.startswith("profiler") and _in_backward())
        if there and cuda.tape is not None:
            cuda.tape.before(func, args, kwargs)
        found = func(*args, **kwargs)
        if there and name != "copy_":
            for made in tensors_in((found,)):
                cuda.put(made)
        if there or (cuda.tape is not None and not given):
            cuda.operators[name] += 1
            if cuda.tape is not None:
                cuda.tape.after(func, args, kwargs, found)
        return found

    def _check(self, name, func, args, kwargs, given, here):
        cuda = self.cuda
        if name.startswith(_READING):
            cuda.fault(f"the host reads from the device: {name}")
        elif name == "repeat_interleave" and kwargs.get("output_size") is None:
            cuda.fault("the host reads from the device: repeat_interleave without output_size")
        elif name in ("index", "index_put", "index_put_", "_index_put_impl_") and any(
            index is not None and index.dtype in (torch.bool, torch.uint8) for index in args[1]
        ):
            cuda.fault("the host reads from the device: a mask as index")
        elif name == "copy_":
            if here[0] != here[1]:
                waits = not (args[2] if len(args) > 2 else kwargs.get("non_blocking", False))
                cuda.check_copy(here[0], cuda.is_pinned(args[1]), not waits)
        elif any(tensor.dim() and not on for tensor, on in zip(given, here, strict=True)):
            cuda.fault(f"{name} is given tensors of both devices")


def _in_backward():
    return torch._C._current_graph_task_id() != -1


def _autocast(real):
    """torch.autocast, whose context of the device is the CPU's; its own context for the CPU does nothing."""

    def autocast(kind, *args, **kwargs):
        return real("cpu", *args, **kwargs) if kind == "cuda" else contextlib.nullcontext()

    return autocast


def _by_device(real):
    """Groups of tensors as torch's optimisers make them, by the device that they are pretended to be on."""

    def grouped(*args, **kwargs):
        return {(DEVICE, dtype): group for (_, dtype), group in real(*args, **kwargs).items()}

    return grouped


@contextlib.contextmanager
def pretended_cuda(monkeypatch):
    """Pretend that this machine has a CUDA device, until the end of the context."""
    cuda = PretendedCuda()

    class Stream:
        def __init__(self, device=None):
            pass

        def wait_stream(self, other):
            pass

    stand_ins = {
        "is_available": lambda: True,
        "device_count": lambda: 1,
        "current_device": lambda: 0,
        "synchronize": lambda device=None: None,
        "mem_get_info": lambda device=None: (80 * _GIB, 80 * _GIB),
        "get_device_properties": lambda device=None: SimpleNamespace(total_memory=80 * _GIB),
        "get_device_capability": lambda device=None: (9, 0),
        "get_device_name": lambda device=None: "a pretended GPU",
        "manual_seed": torch.manual_seed,
        "get_rng_state": lambda device=None: torch.get_rng_state(),
        "set_rng_state": lambda state, device=None: torch.set_rng_state(state),
        "reset_peak_memory_stats": lambda device=None: None,
        "max_memory_allocated": lambda device=None: 0,
        "device": lambda device: contextlib.nullcontext(),
        "Stream": Stream,
        "current_stream": lambda device=None: Stream(),
        "stream": lambda stream: contextlib.nullcontext(),
        "graph_pool_handle": lambda: (0, 0),
        "CUDAGraph": lambda: PretendedGraph(cuda),
        "graph": lambda graph, pool=None, stream=None: capture(cuda, graph),
    }
    for name, stand_in in stand_ins.items():
        monkeypatch.setattr(torch.cuda, name, stand_in)
    monkeypatch.setattr(torch.backends.cuda, "is_flash_attention_available", lambda: True)
    monkeypatch.setattr(torch, "autocast", _autocast(torch.autocast))
    for name in ("get_autocast_dtype", "is_autocast_enabled"):
        real = getattr(torch, name)
        monkeypatch.setattr(torch, name, lambda kind, real=real: real("cpu"))
    for module in map(importlib.import_module, ("torch.optim.optimizer", "torch.nn.utils.clip_grad")):
        name = "_group_tensors_by_device_and_dtype"
        monkeypatch.setattr(module, name, _by_device(getattr(module, name)))
    varlen._has_flash.cache_clear()
    try:
        with plain_flash(), _Operators(cuda), _Functions(cuda):
            yield cuda
    finally:
        varlen._has_flash.cache_clear()
