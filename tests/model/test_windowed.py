"""Attention of long rows against a dense matrix of scores, and its gradients."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from trimtab.data.batch import Batch
from trimtab.model.attention import attention
from trimtab.model.dropout import Dropout
from trimtab.model.relations import NONE, Relations
from trimtab.model.windowed import long_attention, windowed_attention

HEADS, WIDTH = 2, 3
EVALUATED = Dropout(0.5).eval()


def random_qkv(tokens, seed=0):
    generator = torch.Generator().manual_seed(seed)
    shape = (tokens, 3 * HEADS * WIDTH)
    return torch.randn(shape, generator=generator, dtype=torch.float64, requires_grad=True)


def dense(qkv, rows, length, window=None):
    """Every score of each row; those of tokens farther than ``window`` are left out."""
    query, key, value = qkv.view(rows, length, 3, HEADS, WIDTH).permute(2, 0, 3, 1, 4)
    scores = query @ key.transpose(-1, -2) / WIDTH**0.5
    if window is not None:
        place = torch.arange(length)
        scores = scores.masked_fill((place[:, None] - place).abs() > window, -torch.inf)
    return (torch.softmax(scores, -1) @ value).transpose(1, 2).reshape(rows * length, HEADS * WIDTH)


def assert_alike(found, expected, qkv):
    weights = torch.linspace(-1, 1, expected.numel(), dtype=expected.dtype).view_as(expected)
    gradients = [torch.autograd.grad((each * weights).sum(), qkv)[0] for each in (found, expected)]
    torch.testing.assert_close(found, expected)
    torch.testing.assert_close(*gradients)


@settings(max_examples=40, deadline=None)
@given(rows=st.integers(1, 3), length=st.integers(1, 40), window=st.integers(1, 12))
def test_a_window_is_that_of_a_dense_mask(rows, length, window):
    qkv = random_qkv(rows * length)
    found = windowed_attention(qkv, rows, length, HEADS, window, EVALUATED)
    assert_alike(found, dense(qkv, rows, length, window), qkv)


@pytest.mark.parametrize(("rows", "length"), [(1, 7), (3, 20)])
def test_long_rows_attend_to_all(rows, length):
    qkv = random_qkv(rows * length)
    assert_alike(long_attention(qkv, rows, length, HEADS), dense(qkv, rows, length), qkv)


@pytest.mark.parametrize("window", [0, 64])
def test_rows_of_all_lengths_in_one_batch(window):
    """Short ones, some within the window, and one that is too long for its weights to be kept."""
    lengths = np.array([3, 65, 65, 66, 300, 1_100])
    edges = np.concatenate([[0], np.cumsum(lengths)])
    nothing = torch.zeros(0)
    batch = Batch(nothing, nothing, nothing, torch.from_numpy(edges), nothing, lengths)
    qkv = random_qkv(int(edges[-1])).detach().float().requires_grad_()
    relations = Relations(window=window) if window else NONE
    found = attention(qkv, batch, HEADS, EVALUATED, relations)
    parts = qkv.split(lengths.tolist())
    rows = zip(parts, lengths.tolist(), strict=True)
    expected = torch.cat([dense(part, 1, length, window or None) for part, length in rows])
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-5)
