"""Attention on CUDA in bf16: flash attention over rows of unequal length, with dropout on its weights.

torch.nn.attention.varlen has the same kernel without dropout, so the operator beneath it is called.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

# Wider heads have no backward pass with dropout on some devices.
_WIDEST = 192


def has_kernel(device: torch.device, dtype: torch.dtype, width: int) -> bool:
    """Whether this kernel supports heads of ``width`` numbers of ``dtype`` on ``device``."""
    return (
        device.type == "cuda"
        and dtype == torch.bfloat16
        and width % 8 == 0
        and width <= _WIDEST
        and _has_flash(device)
    )


@cache
def _has_flash(device: torch.device) -> bool:
    return torch.backends.cuda.is_flash_attention_available() and (
        torch.cuda.get_device_capability(device) >= (8, 0)
    )


class VarlenAttention(torch.autograd.Function):
    """Multi-head attention within rows, with a deterministic backward pass.

    Dropout draws from the device's default generator; the kernel rounds its probability to 255ths.
    """

    @staticmethod
    def forward(
        ctx: Any,
        qkv: Tensor,
        query: Tensor | None,
        query_edges: Tensor,
        edges: Tensor,
        longest_query: int,
        longest: int,
        dropout: float,
        window: int,
    ) -> Tensor:
        """The attention output of each query, (queries, heads, width).

        qkv: (T, 3, heads, width), query, key and value of each token; or (T, 2, heads, width), key and value
        alone, with ``query`` (queries, heads, width). query_edges, edges: (rows + 1,) int32, where each row
        begins among the queries and the tokens. longest_query, longest: bounds on a row's queries and tokens.
        dropout: probability. window: tokens on either side that a token attends to, 0 for all.
        """
        bounds = (query_edges, edges, longest_query, longest, dropout, False)
        attended, log_sums, state, unused, _ = torch.ops.aten._flash_attention_forward(
            *_split(qkv, query), *bounds, False, **_window(window)
        )
        ctx.save_for_backward(qkv, query, attended, log_sums, query_edges, edges, state, unused)
        ctx.rest, ctx.window = bounds[2:], window
        return attended

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        """The gradients with respect to ``qkv`` and ``query``."""
        qkv, query, attended, log_sums, query_edges, edges, state, unused = ctx.saved_tensors
        with _deterministic():
            by_query, by_key, by_value = torch.ops.aten._flash_attention_backward(
                gradient,
                *_split(qkv, query),
                attended,
                log_sums,
                query_edges,
                edges,
                *ctx.rest,
                state,
                unused,
                **_window(ctx.window),
            )
        if query is None:
            return torch.stack((by_query, by_key, by_value), 1), *(None,) * 7
        return torch.stack((by_key, by_value), 1), by_query, *(None,) * 6


def _window(tokens: int) -> dict[str, int]:
    """The kernel's arguments for a window; none where a token attends to all."""
    return {"window_size_left": tokens, "window_size_right": tokens} if tokens else {}


def _split(qkv: Tensor, query: Tensor | None) -> tuple[Tensor, ...]:
    """Query, key and value, as views of ``qkv`` or with their own ``query``."""
    return qkv.unbind(1) if query is None else (query, *qkv.unbind(1))


@contextmanager
def _deterministic() -> Iterator[None]:
    """Let flash attention sum in a fixed order, without the other effects of deterministic mode.

    Not ``torch.use_deterministic_algorithms``, which also changes how code is compiled.
    """
    strict = torch.are_deterministic_algorithms_enabled()
    warns = torch.is_deterministic_algorithms_warn_only_enabled()
    filled = torch._C._get_deterministic_fill_uninitialized_memory()
    torch._C._set_deterministic_algorithms(True, warn_only=False)
    torch._C._set_deterministic_fill_uninitialized_memory(False)
    try:
        yield
    finally:
        torch._C._set_deterministic_algorithms(strict, warn_only=warns)
        torch._C._set_deterministic_fill_uninitialized_memory(filled)
