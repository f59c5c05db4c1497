"""Encoding: texts to ids, each distinct word once."""

import json
from collections.abc import Callable, Iterator
from itertools import chain

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from trimtab.data.growing import GrowingRagged
from trimtab.data.input_template import InputTemplate
from trimtab.data.tokenizer import between_blanks, id_dtype, unknown_id, works_word_by_word
from trimtab.ragged import Ragged

_CHUNK = 2_000  # texts or words at a time: enough for all cores, little memory


def encode(texts: list[str], tokenizer: Tokenizer) -> Ragged:
    """Ids of each text without those of the template, as Ragged of the tokeniser's ``id_dtype``.

    A text that names special tokens of the template has no such tokens for it, see ``guarded``. Large arrays
    lie in unnamed files, see ``Growing``. Each distinct word is encoded once; where the tokeniser does not
    work word by word, each distinct text. InputError as ``InputTemplate.of`` raises it.
    """
    tokenizer = guarded(tokenizer, texts)
    parts_of = between_blanks if works_word_by_word(tokenizer) else _whole
    numbered, parts = _number(texts, parts_of)
    ids = _encode(parts, tokenizer)
    encoded = GrowingRagged(ids.values.dtype)
    for rows in _chunks(len(texts)):
        numbers = numbered.part(rows)
        taken = ids.take(numbers.values)
        encoded.append(taken.values, np.diff(taken.offsets[numbers.offsets]))
    return encoded.mapped()


def guarded(tokenizer: Tokenizer, texts: list[str]) -> Tokenizer:
    """The tokeniser that reads ``texts`` so that none of them can forge the boundary of its pair.

    The special tokens of the template are text to it where a text contains them; all other added tokens, such
    as ``[MASK]`` or ``[E1]``, it finds, as transformers does.
    """
    own = InputTemplate.of(tokenizer).ids
    added = tokenizer.get_added_tokens_decoder().items()
    found = [token for number, token in added if token.special and number not in own]
    if any(token.normalized or any(token.content in text for text in texts) for token in found):
        # What encode_special_tokens splits are all tokens that are marked as special.
        described = json.loads(tokenizer.to_str())
        for token in described["added_tokens"]:
            token["special"] = token["id"] in own
        tokenizer = Tokenizer.from_str(json.dumps(described))
    tokenizer.encode_special_tokens = True
    return tokenizer


def without_template(tokenizer: Tokenizer) -> Callable[[NDArray[np.int64]], NDArray[np.int64]]:
    """Puts the unknown token in place of the template's in ids of texts: to some models those are words."""
    own, unknown = list(InputTemplate.of(tokenizer).ids), unknown_id(tokenizer)
    if unknown is None or unknown in own:
        return lambda ids: ids
    return lambda ids: np.where(np.isin(ids, own), unknown, ids)


class _Numbers(dict[str, int]):
    """Numbers from 0 for strings, in the order in which they are first asked for."""

    def __missing__(self, part: str) -> int:
        number = self[part] = len(self)
        return number


def _whole(text: str) -> list[str]:
    return [text]


def _number(texts: list[str], parts_of: Callable[[str], list[str]]) -> tuple[Ragged, list[str]]:
    """The distinct parts, and for each text the numbers of its parts."""
    numbers, numbered = _Numbers(), GrowingRagged(np.int32)
    for rows in _chunks(len(texts)):
        parts = list(map(parts_of, texts[rows]))
        values = np.fromiter(map(numbers.__getitem__, chain.from_iterable(parts)), np.int32)
        numbered.append(values, np.fromiter(map(len, parts), np.int64, len(parts)))
    return numbered.mapped(), list(numbers)


def _encode(texts: list[str], tokenizer: Tokenizer) -> Ragged:
    encoded, cleared = GrowingRagged(id_dtype(tokenizer)), without_template(tokenizer)
    for rows in _chunks(len(texts)):
        ids = [one.ids for one in tokenizer.encode_batch_fast(texts[rows], add_special_tokens=False)]
        lengths = np.fromiter(map(len, ids), np.int64, len(ids))
        values = np.fromiter(chain.from_iterable(ids), np.int64, lengths.sum())
        encoded.append(cleared(values), lengths)
    return encoded.mapped()


def _chunks(rows: int) -> Iterator[slice]:
    return (slice(start, min(start + _CHUNK, rows)) for start in range(0, rows, _CHUNK))
