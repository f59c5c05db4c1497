"""Masked words: which tokens of a batch are to be predicted, and what replaces them."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from trimtab.config import InputError
from trimtab.data.tokenizer import SPECIAL_TOKENS
from trimtab.ragged import offsets_of

MASK_NAMES = ("<mask>", "[MASK]")
_SPECIAL = {*SPECIAL_TOKENS, "[UNK]", "[PAD]", "[MASK]", "[CLS]", "[SEP]", "<s>", "</s>"}
_SHARE, _MASKED, _REPLACED = 0.15, 0.8, 0.1
KEPT = -1


@dataclass(frozen=True, eq=False)
class Masked:
    """The tokens of some packed rows that are to be predicted.

    places: (N,) int64, ascending, into the rows' tokens. put: (N,) int64, the id that replaces the token,
    KEPT where it stays. offsets: (rows + 1,) int64, where each row's places begin.
    """

    places: NDArray[np.int64]
    put: NDArray[np.int64]
    offsets: NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Masking:
    """How words are masked (Devlin et al. 2019): 15 % are predicted, of these 80 % masked, 10 % replaced.

    mask: the id of the mask token. words: (any number,) int64, ids of random replacements. The remaining 10 %
    stay.
    """

    mask: int
    words: NDArray[np.int64]

    def draw(
        self, lengths: NDArray[np.int64], first_lengths: NDArray[np.int64], rng: np.random.Generator
    ) -> Masked:
        """The words to be predicted in rows ``cls A sep B sep``, concatenated.

        lengths, first_lengths: (rows,), tokens of each row and of its ``cls A sep``. In a row of n tokens,
        round(0.15 n) words are drawn, at least 1, as in d2l, and at most all of them; special tokens are
        never among them, the unknown word may be.
        """
        offsets, rows = offsets_of(lengths), np.repeat(np.arange(len(lengths)), lengths)
        keys = rng.random(len(rows))
        for special in (offsets[:-1], offsets[:-1] + first_lengths - 1, offsets[1:] - 1):
            keys[special] = 1.0
        # Keys are at most 1, so rows do not mix; within a row the words come first, in random order.
        order = np.argsort(2 * rows + keys)
        wanted = masked_words(lengths)
        rank = np.arange(len(rows)) - offsets[:-1][rows]
        places = np.sort(order[rank < wanted[rows]])
        return Masked(places, self._put(len(places), rng), offsets_of(wanted))

    def _put(self, number: int, rng: np.random.Generator) -> NDArray[np.int64]:
        fate = rng.random(number)
        put = np.where(fate < _MASKED, self.mask, KEPT)
        replaced = (fate >= _MASKED) & (fate < _MASKED + _REPLACED)
        put[replaced] = rng.choice(self.words, int(replaced.sum()))
        return put


def masked_words(lengths: NDArray[np.int64]) -> NDArray[np.int64]:
    """How many words of rows of ``lengths`` tokens, three of them special, are predicted: (rows,)."""
    return np.minimum(np.maximum(1, slots(lengths)), lengths - 3)


def slots(lengths: NDArray[np.int64]) -> NDArray[np.int64]:
    """15 % of ``lengths``, rounded as Python rounds."""
    return np.rint(_SHARE * lengths).astype(np.int64)


def masking_of(tokenizer: Tokenizer) -> Masking:
    """How words of a vocabulary are masked; InputError where it has no mask token."""
    vocabulary = tokenizer.get_vocab()
    masks = [vocabulary[name] for name in MASK_NAMES if name in vocabulary]
    if not masks:
        raise InputError(f"the vocabulary has no mask token: add one of {', '.join(MASK_NAMES)}")
    words = sorted(number for word, number in vocabulary.items() if word not in _SPECIAL)
    if not words:
        raise InputError("the vocabulary has no words besides its special tokens; lower min_freq")
    return Masking(masks[0], np.array(words))
