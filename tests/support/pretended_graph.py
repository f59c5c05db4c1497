"""A captured graph on a pretended GPU: a list of operators that a replay runs again on the same tensors.

The operators are those below autograd and autocast. Copying what a replay makes into the tensors of the
capture is what a real graph's fixed addresses come to.
"""

import contextlib
import gc

import torch
from torch import Tensor
from torch.utils._python_dispatch import _disable_current_modes


def tensors_in(*several):
    """The tensors among an operator's arguments or results, lists of them included."""
    found = []
    for each in several:
        for value in each:
            if isinstance(value, Tensor):
                found.append(value)
            elif isinstance(value, list | tuple):
                found += [one for one in value if isinstance(one, Tensor)]
    return found


class PretendedGraph:
    """A captured graph; ``replays`` counts."""

    def __init__(self, cuda):
        self.cuda, self.steps, self.replays = cuda, [], 0
        self.fresh, self.changed = {}, {}

    def before(self, func, args, kwargs):
        """Remember what the operator will change that was there before the capture: that computes nothing."""
        for argument, value in zip(func._schema.arguments, args, strict=False):
            self._remember(argument, value)
        for argument in func._schema.arguments:
            if argument.name in kwargs:
                self._remember(argument, kwargs[argument.name])

    def _remember(self, argument, value):
        if argument.alias_info is None or not argument.alias_info.is_write:
            return
        for tensor in tensors_in((value,)):
            storage = tensor.untyped_storage()
            if storage._cdata not in self.fresh and storage._cdata not in self.changed:
                self.changed[storage._cdata] = storage, storage.clone()

    def after(self, func, args, kwargs, found):
        """Record an operator."""
        if func.is_view:
            return
        strict = torch.are_deterministic_algorithms_enabled()
        self.steps.append((func, args, kwargs, found, strict))
        known = {tensor.untyped_storage()._cdata for tensor in tensors_in(args, kwargs.values())}
        for made in tensors_in((found,)):
            if (address := made.untyped_storage()._cdata) not in known:
                self.cuda.put(made)
                self.fresh[address] = made

    def end(self):
        """Undo what computing has changed; what was made holds no numbers before the first replay."""
        with torch._C.DisableTorchFunction(), _disable_current_modes(), torch.no_grad():
            for storage, kept in self.changed.values():
                storage.copy_(kept)
            for made in self.fresh.values():
                if made.is_floating_point():
                    made.detach().fill_(torch.nan)
        self.changed = {}

    def replay(self):
        """Run the operators again, on the same tensors."""
        self.replays += 1
        with torch._C.DisableTorchFunction(), _disable_current_modes(), torch.no_grad():
            for func, args, kwargs, found, strict in self.steps:
                torch._C._set_deterministic_algorithms(strict, warn_only=False)
                made = func(*args, **kwargs)
                for new, old in zip(tensors_in((made,)), tensors_in((found,)), strict=True):
                    if old.numel() and new.data_ptr() != old.data_ptr():
                        old.detach().copy_(new)
            torch._C._set_deterministic_algorithms(False, warn_only=False)


@contextlib.contextmanager
def capture(cuda, graph):
    if gc.isenabled():
        raise RuntimeError(
            "CUDA error: garbage that is collected during a capture may free memory of the device"
        )
    drawn = torch.get_rng_state()
    cuda.tape = graph
    try:
        yield
    finally:
        cuda.tape = None
        graph.end()
        torch.set_rng_state(drawn)
    cuda.captured.append(graph)
