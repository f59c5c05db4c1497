"""The encoder, its heads and its sizes. The public face is ``load`` and ``encode``.

torch is imported on first use, so that a study file is read quickly.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Literal, overload

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from tokenizers import Tokenizer

    from trimtab.model.padded import AnyModel
    from trimtab.truncation import Truncation
    from trimtab.truncation.texts import Texts

__all__ = ["encode", "load"]


def load(
    folder: str | Path,
    data: Path | None = None,
    *,
    heads: int | None = None,
    implementation: Literal["packed", "auto"] = "packed",
) -> "tuple[AnyModel, Tokenizer]":
    """A pretrained model, in evaluation mode, and its tokeniser.

    folder: a d2l folder or zip (``vocab.json``, ``pretrained.params``), a Hugging Face folder, or a
    name: ``bert.small``, ``bert.base``, ``minilm``, ``mpnet``, ``owner/name`` on the hub. data: the folder
    where files are looked for before they are downloaded; TRIMTAB_DATA by default. heads: number of attention
    heads for d2l's files, which do not tell it; hidden / 64 by default. implementation: ``auto`` reads an
    architecture that has no packed form through transformers. ``model(batch)`` gives each token's
    representation, (T, hidden), and its methods the logits of the heads that it has. Raises InputError.
    """
    from trimtab.model import loading

    return loading.load(folder, data, heads, implementation)


@overload
def encode(
    first: "Texts",
    second: "Texts | None" = None,
    *,
    model: "AnyModel",
    tokenizer: "Tokenizer",
    pooling: None = None,
    max_len: int | None = None,
    truncation: "str | Truncation | None" = None,
) -> "list[NDArray[np.float32]]": ...


@overload
def encode(
    first: "Texts",
    second: "Texts | None" = None,
    *,
    model: "AnyModel",
    tokenizer: "Tokenizer",
    pooling: Literal["cls", "mean"],
    max_len: int | None = None,
    truncation: "str | Truncation | None" = None,
) -> "NDArray[np.float32]": ...


def encode(
    first: "Texts",
    second: "Texts | None" = None,
    *,
    model: "AnyModel",
    tokenizer: "Tokenizer",
    pooling: Literal["cls", "mean"] | None = None,
    max_len: int | None = None,
    truncation: "str | Truncation | None" = None,
) -> "list[NDArray[np.float32]] | NDArray[np.float32]":
    """Representations of texts or pairs: a list with a (tokens, hidden) array for each row.

    first, second: strings (rows,), or one string, which is one row. A text's tokens are ``cls A sep``, a
    pair's ``cls A sep B sep``; special tokens have vectors too. pooling: "cls" gives each row's first vector
    instead, "mean" the mean of all its tokens, special tokens included, both (rows, hidden) float32. A row of
    more than ``max_len`` tokens, by default the rows of the position table, is an InputError, unless
    ``truncation``, such as "longest_first" or a fitted Truncation, says how to cut it. Rows are batched by
    length without padding on the model's device, and returned in their original order.

    >>> from trimtab.model import encode, load
    >>> model, tokenizer = load("minilm")
    >>> [flying] = encode("a crane is flying", model=model, tokenizer=tokenizer)
    >>> [driver] = encode("a crane driver came", "he just left", model=model, tokenizer=tokenizer)
    >>> flying.shape, driver.shape  # <cls> a crane is flying <sep>; <cls> a crane driver came <sep> he ...
    ((6, 384), (10, 384))
    >>> bool(abs(flying[2] - driver[2]).max() > 0.5)  # the same word in another context
    True
    """
    from trimtab.model import representations

    return representations.encode(
        first,
        second,
        model=model,
        tokenizer=tokenizer,
        pooling=pooling,
        max_len=max_len,
        truncation=truncation,
    )
