"""Representations: a vector for each token of texts and pairs, or one per row."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from tokenizers import Tokenizer
from torch import Tensor

from trimtab.config import InputError, nearest
from trimtab.data.batch import Batch
from trimtab.data.batches import evaluation_batches
from trimtab.data.encoding import encode as ids_of
from trimtab.data.input_template import InputTemplate
from trimtab.data.pairs import Pairs, make_pairs
from trimtab.data.tokenizer import largest_id
from trimtab.data.tokens import Tokens
from trimtab.model.class_head import mean_by_row
from trimtab.model.padded import AnyModel
from trimtab.model.weights import check_positions
from trimtab.ragged import Ragged, offsets_of
from trimtab.truncation import Truncation, parse
from trimtab.truncation.spec import no_room
from trimtab.truncation.texts import Texts, sides
from trimtab.truncation.windows import Windows

Pooling = Literal["cls", "mean"]
Vectors = NDArray[np.float32]

# Tokens per batch: what a processor's caches hold, or what keeps a GPU busy.
_TOKENS = {"cpu": 4_096, "cuda": 1 << 16}


def encode(
    first: Texts,
    second: Texts | None,
    *,
    model: AnyModel,
    tokenizer: Tokenizer,
    pooling: Pooling | None,
    max_len: int | None,
    truncation: str | Truncation | None,
) -> list[Vectors] | Vectors:
    """As ``trimtab.model.encode``, which documents it."""
    if pooling not in (None, "cls", "mean"):
        raise InputError(f"pooling {pooling!r} is unknown, {nearest(str(pooling), ('cls', 'mean'))}")
    pairs = inputs(first, second, model=model, tokenizer=tokenizer, max_len=max_len, truncation=truncation)
    return token_vectors(model, pairs) if pooling is None else row_vectors(model, pairs, pooling)


def inputs(
    first: Texts,
    second: Texts | None = None,
    *,
    model: AnyModel,
    tokenizer: Tokenizer,
    max_len: int | None = None,
    truncation: str | Truncation | None = None,
    windows: Windows | None = None,
) -> Pairs:
    """The input of ``model`` for texts or pairs, with special tokens by the tokeniser's own template.

    Rows longer than max_len tokens, by default the rows of the position table, are cut by ``truncation``, or
    hold several windows.
    InputError where there is none, where the model has too few positions, or where the tokeniser
    is another model's.
    """
    texts, template = sides(first, second), InputTemplate.of(tokenizer)
    row = template.row(len(texts))
    limit = model.parts.size.positions if max_len is None else max_len
    check_positions(model.parts, limit, "these texts")
    if template.budget(limit, len(texts)) == 0:
        raise no_room(limit, limit)
    _check_tokenizer(model, tokenizer)
    tokens = _tokens(texts, tokenizer)
    if truncation is None and windows is None:
        _refuse_longer(tokens, row.count, limit)
    cut = parse(truncation or "longest_first") if isinstance(truncation, str | None) else truncation
    return make_pairs(tokens, cut, limit, template, windows)


def token_vectors(model: AnyModel, pairs: Pairs) -> list[Vectors]:
    """The last layer's vectors of each row's tokens, special tokens included: (tokens, hidden) per row."""
    found: list[Any] = [None] * len(pairs)
    for done in _passes(model, pairs, model):
        edges = offsets_of(done.lengths)[1:-1]
        for row, vectors in zip(done.rows.tolist(), np.split(done.array, edges), strict=True):
            found[row] = vectors
    return found


def row_vectors(model: AnyModel, pairs: Pairs, pooling: Pooling) -> Vectors:
    """The vector of each row's first token, or the mean over all its tokens: (rows, hidden)."""
    compute = {"cls": model.first, "mean": lambda batch: mean_by_row(model(batch), batch)}
    vectors = np.empty((len(pairs), model.parts.size.hidden), np.float32)
    for done in _passes(model, pairs, compute[pooling]):
        vectors[done.rows] = done.array
    return vectors


class _Pass(NamedTuple):
    """A batch's rows, their lengths in tokens, and what was computed for them."""

    rows: NDArray[np.int64]
    lengths: NDArray[np.int64]
    array: Vectors


def _passes(model: AnyModel, pairs: Pairs, compute: Callable[[Batch], Tensor]) -> list[_Pass]:
    """``compute`` of every batch on the model's device, without dropout or gradients."""
    device, training = next(model.parameters()).device, model.training
    batches = evaluation_batches(pairs, device, _TOKENS["cuda" if device.type == "cuda" else "cpu"])
    model.eval()
    try:
        with torch.inference_mode():
            return [
                _Pass(rows, batch.lengths, compute(batch).float().cpu().numpy()) for rows, batch in batches
            ]
    finally:
        model.train(training)


def _tokens(texts: list[list[str]], tokenizer: Tokenizer) -> Tokens:
    first, *rest = (ids_of(side, tokenizer) for side in texts)
    rows, labels = np.arange(len(first)), np.zeros(len(first), np.int64)
    return Tokens(first, rest[0] if rest else None, labels, rows, None, Path())


def _check_tokenizer(model: AnyModel, tokenizer: Tokenizer) -> None:
    largest, rows = largest_id(tokenizer), model.parts.vocabulary
    if largest >= rows:
        what = f"the tokeniser has ids up to {largest:,}, but the model's token table {rows:,} rows"
        raise InputError(f"{what}; use the tokeniser that was loaded with the model")


def _refuse_longer(tokens: Tokens, special: int, limit: int) -> None:
    """InputError names the first row that exceeds ``limit`` tokens with its ``special`` special tokens."""
    texts: list[Ragged] = [tokens.first, *([] if tokens.second is None else [tokens.second])]
    lengths = [side.lengths for side in texts]
    longer = np.flatnonzero(np.sum(lengths, axis=0) + special > limit)
    if len(longer):
        row = longer[0]
        parts = " + ".join(str(length[row]) for length in lengths)
        what = f"row {row} (counted from 0) has {parts} tokens and {special} special tokens"
        room = f"more than {limit}, as have {len(longer):,} of {len(tokens):,} rows"
        raise InputError(f"{what}, {room}; name a truncation, such as longest_first, or shorten them")
