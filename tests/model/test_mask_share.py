"""Rows of a part that processes share have the masks, and so the logits, that they have in one process."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from trimtab.data.layout import Layout
from trimtab.data.rows import Rows
from trimtab.data.synthetic import synthetic_pairs
from trimtab.model.architecture import Head
from trimtab.model.building import begun
from trimtab.model.dropout import seed_dropout
from trimtab.model.mask_share import MaskShare
from trimtab.model.sizes import architecture

BERT = architecture("2x12/16/3")  # numbers of weights that fill no whole words
WINDOWED = {"rotary_base": 1e4, "window": 7, "global_every": 2, "segments": 0, "norm_first": True}
KINDS = {
    "bert": {},
    "head": {"head": Head(dropout=0.3, dropout_first=True)},
    "mean": {"head": Head(pooling="mean", dropout=0.3)},
    "bias": {"relative_buckets": 8},
    "rotary": {"rotary_base": 1e4},
    "window": WINDOWED,
    "window and mean": WINDOWED | {"head": Head(pooling="mean")},
    "three windowed layers": WINDOWED | {"layers": 4, "global_every": 4},
    "no dropout": {"dropout": 0.0},
}


@pytest.fixture(scope="module")
def rows():
    pairs = synthetic_pairs((9, 5), 60, 90, 12)
    return Rows(pairs, torch.device("cpu"))


def logits(size, rows, layout: Layout, share=None):
    """Those of the rows of a layout, and the word that would be drawn next."""
    model = begun(size, 90, 3, 0, {}, 0).train()
    words = np.random.SFC64(5)
    seed_dropout(model, words, share)
    batch = rows.make(np.ascontiguousarray(layout))
    return model(batch).detach(), words.random_raw()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("cuts", [(5,), (1, 11), (4, 5, 8)])
def test_shares_of_a_part_are_the_part(rows, kind, cuts):
    size = replace(BERT, **KINDS[kind])
    layout = rows.layout(np.arange(12))
    whole, following = logits(size, rows, layout)
    parts = []
    for first, end in zip((0, *cuts), (*cuts, 12), strict=True):
        found, next_word = logits(size, rows, layout[:, first:end], MaskShare(layout[1], first, end))
        assert next_word == following
        parts.append(found)
    torch.testing.assert_close(torch.cat(parts), whole, rtol=1e-5, atol=1e-6)
