"""Flash attention's operators as plain loops over rows, for a CPU; they refuse what CUDA's kernel refuses."""

import math
from contextlib import contextmanager
from itertools import pairwise

import torch
from torch.utils._python_dispatch import _disable_current_modes


@contextmanager
def plain_flash():
    """Register the operators for the CPU."""
    with torch.library._scoped_library("aten", "IMPL") as library:
        library.impl("_flash_attention_forward", forward, "CPU")
        library.impl("_flash_attention_backward", backward, "CPU")
        yield


def forward(query, key, value, query_edges, edges, longest_query, longest, dropout, causal, debug, **options):
    """As aten::_flash_attention_forward; the random state that it returns is the mask itself."""
    with torch._C.DisableTorchFunction(), _disable_current_modes():
        assert (causal, debug) == (False, False)
        assert query_edges.dtype == edges.dtype == torch.int32
        assert query_edges.is_contiguous()
        assert edges.is_contiguous()
        assert query.stride(-1) == key.stride(-1) == value.stride(-1) == 1
        assert query.dtype == key.dtype == value.dtype
        assert query.shape[-1] % 8 == 0
        assert len(edges) == len(query_edges) > 1
        assert longest_query >= query_edges.diff().max()
        assert longest >= edges.diff().max()
        assert query_edges[-1] == len(query)
        assert edges[-1] == len(key) == len(value)
        mask = query.new_empty(0, dtype=torch.float32)
        if dropout:
            most = len(query) * query.shape[1] * longest  # the same for every batch of a captured size
            mask = (torch.rand(most) >= dropout).float() / (1 - dropout)
        made, begin = [], 0
        for asking, row in _rows(query_edges, edges):
            weights = _weights(query[asking], key[row])
            factors, begin = _factors(mask, weights, begin)
            made.append(torch.einsum("hqk,khw->qhw", weights * factors, value[row].float()))
        attended, empty = torch.cat(made).to(query.dtype), query.new_empty(0)
        return attended, empty.clone(), mask, empty.clone(), empty.clone()


def backward(gradient, query, key, value, out, sums, query_edges, edges, *rest, **options):
    """As aten::_flash_attention_backward."""
    assert torch.are_deterministic_algorithms_enabled()
    with torch._C.DisableTorchFunction(), _disable_current_modes():
        assert gradient.dtype == query.dtype
        mask = rest[4]  # after two bounds, dropout and causal
        results, scale = [torch.zeros_like(x) for x in (query, key, value)], 1 / math.sqrt(query.shape[-1])
        begin = 0
        for asking, row in _rows(query_edges, edges):
            given = gradient[asking].float()
            weights = _weights(query[asking], key[row])
            factors, begin = _factors(mask, weights, begin)
            inner = torch.einsum("qhw,khw->hqk", given, value[row].float()) * factors
            scores = weights * (inner - (inner * weights).sum(-1, keepdim=True)) * scale
            results[0][asking] = torch.einsum("hqk,khw->qhw", scores, key[row].float()).to(query.dtype)
            results[1][row] = torch.einsum("hqk,qhw->khw", scores, query[asking].float()).to(query.dtype)
            results[2][row] = torch.einsum("hqk,qhw->khw", weights * factors, given).to(query.dtype)
        return tuple(results)


def _rows(query_edges, edges):
    pairs = zip(pairwise(query_edges.tolist()), pairwise(edges.tolist()), strict=True)
    return [(slice(*asking), slice(*row)) for asking, row in pairs]


def _weights(query, key):
    """Softmax weights of one row, (heads, queries, keys) fp32."""
    scores = torch.einsum("qhw,khw->hqk", query.float(), key.float()) / math.sqrt(query.shape[-1])
    return scores.softmax(-1)


def _factors(mask, weights, begin):
    """The row's part of the dropout mask, which begins at ``begin``, and where the next one's begins."""
    if not len(mask):
        return 1.0, begin
    return mask[begin : begin + weights.numel()].view_as(weights), begin + weights.numel()
