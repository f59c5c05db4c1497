"""Pairs of sentences for pretraining: consecutive ones, or one and a random other."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from trimtab.config import InputError
from trimtab.data.encoding import encode
from trimtab.data.input_template import bert_template
from trimtab.data.pairs import Pairs, make_pairs
from trimtab.data.paragraphs import Paragraphs
from trimtab.data.tokenizer import SpecialTokens
from trimtab.data.tokens import Tokens, tokenise
from trimtab.ragged import Ragged, offsets_of
from trimtab.truncation import parse

_UNCUT = parse("longest_first")  # cuts nothing, as pairs that are too long are left out before
_DRAWN = 1  # keeps this stream apart from others of the same seed and epoch


@dataclass(frozen=True, eq=False)
class Draw:
    """Pairs of sentences by their numbers: first, second (pairs,) int64; follows (pairs,) bool."""

    first: NDArray[np.int64]
    second: NDArray[np.int64]
    follows: NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Sentences:
    """The tokenised sentences of paragraphs, from which pairs are drawn.

    tokens: Ragged, one row per sentence. offsets: (paragraphs + 1,) int64 into its rows. special: the special
    tokens of a pair; max_len: the most tokens of a pair, special ones included.
    """

    tokens: Ragged
    offsets: NDArray[np.int64]
    special: SpecialTokens
    max_len: int

    @cached_property
    def before_another(self) -> NDArray[np.int64]:
        """The sentences that are followed by another of the same paragraph."""
        last = np.zeros(len(self.tokens), bool)
        last[self.offsets[1:] - 1] = True
        return np.flatnonzero(~last)

    def draw(self, seed: int, epoch: int) -> Draw:
        """The pairs of an epoch: each sentence with the next or, with probability 1/2, with a random one.

        A random sentence is drawn from a paragraph drawn uniformly, as in d2l; it may be the next one, and is
        labelled as not following even then. Pairs longer than max_len are left out, so their number varies a
        little from epoch to epoch.
        """
        rng = np.random.default_rng([seed, epoch, _DRAWN])
        first = self.before_another
        follows = rng.random(len(first)) < 0.5
        paragraph = rng.integers(len(self.offsets) - 1, size=len(first))
        counts = np.diff(self.offsets)[paragraph]
        other = self.offsets[paragraph] + (rng.random(len(first)) * counts).astype(np.int64)
        second = np.where(follows, first + 1, other)
        lengths = self.tokens.lengths
        fits = lengths[first] + lengths[second] <= bert_template(self.special).budget(self.max_len, 2)
        return Draw(first[fits], second[fits], follows[fits])

    def count(self, seed: int, epoch: int) -> int:
        """How many pairs an epoch has."""
        return len(self.draw(seed, epoch).first)

    def pairs(self, seed: int, epoch: int) -> Pairs:
        """The pairs of an epoch as inputs; label 1 says that the second sentence follows the first."""
        drawn = self.draw(seed, epoch)
        sides = self.tokens.take(drawn.first), self.tokens.take(drawn.second)
        labels = drawn.follows.astype(np.int64)
        tokens = Tokens(*sides, labels, drawn.first, None, Path())
        return make_pairs(tokens, _UNCUT, self.max_len, bert_template(self.special))


def tokenise_sentences(
    text: Paragraphs,
    tokenizer: Tokenizer,
    special: SpecialTokens,
    max_len: int,
    unknown: str | None = None,
) -> Sentences:
    """The tokenised sentences of ``text``, from the token cache if they are there.

    unknown: how the text writes a word that was removed; it becomes the tokeniser's unknown token.
    InputError where no two sentences fit into max_len.
    """
    tokens = tokenise(text.examples(), tokenizer).first
    if unknown is not None:
        tokens = _with_unknown(tokens, encode([unknown], tokenizer).values, tokenizer)
    sentences = Sentences(tokens, text.offsets, special, max_len)
    if not sentences.count(0, 0):
        raise InputError(f"{text.source}: no two sentences fit into max_len {max_len}; raise it")
    return sentences


def _with_unknown(tokens: Ragged, pieces: NDArray[np.integer], tokenizer: Tokenizer) -> Ragged:
    """``tokens`` with the unknown token in place of ``pieces`` wherever a row contains them in sequence."""
    unknown = tokenizer.token_to_id(getattr(tokenizer.model, "unk_token", None) or "")
    many = len(pieces)
    if unknown is None or (many == 1 and pieces[0] == unknown) or len(tokens.values) < many:
        return tokens
    values, row = np.array(tokens.values), np.repeat(np.arange(len(tokens)), tokens.lengths)
    found = row[: len(row) - many + 1] == row[many - 1 :]
    for place, piece in enumerate(pieces):
        found &= values[place : len(values) - many + 1 + place] == piece
    starts = np.flatnonzero(found)
    values[starts] = unknown
    keep = np.ones(len(values), bool)
    keep[(starts[:, None] + np.arange(1, many)).ravel()] = False
    return Ragged(values[keep], offsets_of(np.bincount(row[keep], minlength=len(tokens))))
