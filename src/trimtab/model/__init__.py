"""The encoder, its heads and its sizes. The public face is ``load``.

What needs torch is imported when it is used, as a study file is read without it.
"""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tokenizers import Tokenizer

    from trimtab.model.heads import Bert

__all__ = ["load"]


def load(
    folder: str | Path, data: Path | None = None, *, heads: int | None = None
) -> "tuple[Bert, Tokenizer]":
    """A pretrained model, in evaluation mode, and its tokeniser.

    folder: a d2l folder or zip (``vocab.json``, ``pretrained.params``), a Hugging Face folder of a BERT, or a
    name: ``bert.small``, ``bert.base``, ``minilm``, ``owner/name`` on the hub. data: where files are looked
    for before they are fetched; TRIMTAB_DATA by default. heads: of attention, for d2l's files, which do not
    say it; hidden / 64 by default. ``model(batch)`` gives each token's representation, (T, hidden), and its
    methods the logits of the heads that the weights bring. Raises InputError.
    """
    from trimtab.model import loading

    return loading.load(folder, data, heads)
