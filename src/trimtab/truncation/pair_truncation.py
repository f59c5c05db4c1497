"""PairTruncation: a fast Hugging Face tokeniser with truncation by a spec, for training outside trimtab.

It uses a tokeniser only through its methods, so that this file does not import transformers.
"""

import operator
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from typing import Any

import numpy as np

from trimtab.config import InputError
from trimtab.ragged import Ragged
from trimtab.truncation.spec import Truncation, no_room, parse
from trimtab.truncation.template import Template
from trimtab.truncation.texts import Texts, sides


class PairTruncation:
    """A fast tokeniser of transformers 5 that truncates by a spec instead of its own rule.

    Special tokens, token types and padding side are those of `tokenizer` at each call; it is left unchanged.
    Its ``truncation_side`` is ignored: the selection decides what is kept. `spec` is a spec string or a
    Truncation; `max_len`, or `max_length` as transformers calls it, includes the special tokens.
    Attributes: ``tokenizer``, ``truncation``, ``max_len``.

    With ``longest_first(tie=hf_fast)`` the result is that of
    ``tokenizer(first, second, truncation="longest_first", max_length=max_len)``.

    It can be pickled, and equal ones have equal fingerprints in ``datasets``. InputError where the tokeniser
    is not a fast one, the spec is wrong, or max_len has no room for the special tokens of one text.
    """

    def __init__(
        self,
        tokenizer: Any,
        spec: str | Truncation,
        max_len: int | None = None,
        *,
        max_length: int | None = None,
    ) -> None:
        if (max_len is None) == (max_length is None):
            raise InputError("give max_len, or max_length as transformers calls it, and not both")
        if not getattr(tokenizer, "is_fast", False):
            raise InputError(
                f"the tokenizer is a {type(tokenizer).__name__}, not a fast tokeniser of transformers; take "
                "one from AutoTokenizer.from_pretrained(...), or wrap a tokenizers.Tokenizer in "
                "PreTrainedTokenizerFast(tokenizer_object=...)"
            )
        self.tokenizer = tokenizer
        self.truncation: Truncation = spec if isinstance(spec, Truncation) else parse(spec)
        self.max_len: int = _whole(max_length if max_len is None else max_len)
        with _unchanged(tokenizer):
            self._budget(self._template([""]))

    def __repr__(self) -> str:
        return f"PairTruncation({type(self.tokenizer).__name__}, {str(self.truncation)!r}, {self.max_len})"

    def fit(self, first: Texts, second: Texts | None = None) -> "PairTruncation":
        """Counts what the selections need in the training texts; returns itself where they need nothing."""
        if not self.truncation.needs_fit:
            return self
        texts = sides(first, second)
        with _unchanged(self.tokenizer):
            truncation = self.truncation.fit(*map(self._tokens, texts))
        return PairTruncation(self.tokenizer, truncation, self.max_len)

    def __call__(
        self,
        first: Texts,
        second: Texts | None = None,
        *,
        padding: bool | str = False,
        pad_to_multiple_of: int | None = None,
        padding_side: str | None = None,
        return_tensors: str | None = None,
        return_token_type_ids: bool | None = None,
        return_attention_mask: bool | None = None,
        return_special_tokens_mask: bool = False,
    ) -> Any:
        """What the tokeniser returns for the same texts and options, its keys in its order, cut to max_len.

        `first` and `second` are texts (rows,), or one string each: then the result is one row, without a row
        axis unless `return_tensors` names a type of tensor. ``padding="max_length"`` pads to max_len.
        A string with an empty string as its second is a single text, as for the tokeniser; in a list, a pair
        with an empty second text is a pair, with all its special tokens. The result has no ``encodings``.

        InputError where a text is not a string, the numbers of texts differ, max_len has no room for the
        special tokens, `pad_to_multiple_of` would pad beyond max_len, the split refuses a pair, or ``fit``
        is missing.
        """
        if padding and padding != "do_not_pad" and pad_to_multiple_of and self.max_len % pad_to_multiple_of:
            raise InputError(
                f"max_len {self.max_len} must be divisible by pad_to_multiple_of ({pad_to_multiple_of}), "
                "else rows would be padded beyond it"
            )
        texts = sides(first, second)
        with _unchanged(self.tokenizer):
            rows = self._rows(
                texts,
                return_token_type_ids=return_token_type_ids,
                return_attention_mask=return_attention_mask,
                return_special_tokens_mask=return_special_tokens_mask,
            )
        result = self.tokenizer.pad(
            {key: _lists(ragged) for key, ragged in rows.items()},
            padding=padding,
            max_length=self.max_len,
            pad_to_multiple_of=pad_to_multiple_of,
            padding_side=padding_side,
            return_attention_mask=return_attention_mask,
            return_tensors=return_tensors,
            verbose=False,
        )
        if isinstance(first, str) and return_tensors is None:
            for key in result:
                result[key] = result[key][0]
        return result

    def _rows(self, texts: list[list[str]], **options: bool | None) -> dict[str, Ragged]:
        tokens = [self._tokens(side) for side in texts]
        # A side without tokens in any row needs no place in the template.
        sample = [_shortest(*side) for side in zip(texts, tokens, strict=True)]
        template = self._template(sample, **options)
        first, *second = tokens
        budget = self._budget(template)
        try:
            self.truncation.split(first.lengths, (second or [_nothing(first)])[0].lengths, budget)
        except InputError as error:  # it numbers the rows of this call, perhaps one batch of many
            raise InputError(f"among the {len(first):,} rows of this call, {error}") from error
        cut = self.truncation.apply(first, second[0] if second else None, budget)
        return template.fill([side for side in cut if side is not None])

    def _tokens(self, texts: list[str]) -> Ragged:
        if not texts:
            return Ragged.from_rows([])
        return Ragged.from_rows(self._encode(texts, add_special_tokens=False)["input_ids"])

    def _template(self, sample: list[str], **options: bool | None) -> Template:
        encoded = self._encode(*([text] for text in sample), **options)
        row = {key: values[0] for key, values in encoded.items()}
        return Template.of(row, encoded.sequence_ids(0), [self._tokens([text])[0] for text in sample])

    def _encode(self, *texts: list[str], **options: Any) -> Any:
        return self.tokenizer(*texts, truncation=False, padding=False, verbose=False, **options)

    def _budget(self, template: Template) -> int:
        special = template.special_tokens
        if self.max_len < special:
            raise no_room(self.max_len, special)
        return self.max_len - special


@contextmanager
def _unchanged(tokenizer: Any) -> Iterator[None]:
    # A call changes truncation and padding of the Rust tokeniser, which belongs to the caller.
    backend = tokenizer.backend_tokenizer
    truncation, padding = backend.truncation, backend.padding
    split_special = backend.encode_special_tokens
    try:
        yield
    finally:
        backend.encode_special_tokens = split_special
        if truncation is not None:
            backend.enable_truncation(**truncation)
        if padding is not None:
            backend.enable_padding(**padding)


def _whole(max_len: Any) -> int:
    try:
        return operator.index(max_len)
    except TypeError:
        raise InputError(f"max_len must be a whole number of tokens, not {max_len!r}") from None


def _shortest(texts: list[str], tokens: Ragged) -> str:
    """A text with the fewest tokens among those that have any, else any text."""
    return texts[np.argmin(np.where(tokens.lengths, tokens.lengths, np.inf))] if texts else ""


def _nothing(like: Ragged) -> Ragged:
    """As many rows, without tokens."""
    return Ragged(like.values[:0], np.zeros_like(like.offsets))


def _lists(ragged: Ragged) -> list[list[int]]:
    values, offsets = ragged.values.tolist(), ragged.offsets.tolist()
    return [values[start:end] for start, end in pairwise(offsets)]
