"""Synthetic rows: random tokens in texts of given lengths, for measuring how fast a machine is."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from trimtab.data.input_template import bert_template
from trimtab.data.pairs import Pairs, make_pairs
from trimtab.data.tokenizer import SpecialTokens
from trimtab.data.tokens import Tokens
from trimtab.ragged import Ragged, offsets_of
from trimtab.truncation import parse

CLASSES = 3
LEAST_VOCABULARY = 6  # the special tokens of word-level tokenisers, and one more

TEMPLATE = bert_template(SpecialTokens(LEAST_VOCABULARY - 3, LEAST_VOCABULARY - 2))

_LEAST_ROWS = 4_096
_OF_EACH = 6  # average occurrences of a token, so that almost every row of the token table is in use


def synthetic_pairs(lengths: Sequence[float], max_len: int, vocabulary: int, batch_size: int) -> Pairs:
    """Rows of random tokens, at least one batch; their one or two texts have Poisson lengths of these means.

    max_len: of a row with its special tokens, to which longest_first cuts. vocabulary: its size; all ids are
    equally likely. InputError where max_len has no room for the special tokens.
    """
    random = np.random.default_rng(0)
    room = TEMPLATE.budget(max_len, len(lengths))
    rows = max(batch_size, _LEAST_ROWS, round(_OF_EACH * vocabulary / max(1, min(room, sum(lengths)))))

    def side(mean: float) -> Ragged:
        offsets = offsets_of(random.poisson(mean, rows).clip(max=room))  # no more could be kept
        return Ragged(random.integers(LEAST_VOCABULARY - 1, vocabulary, offsets[-1], np.int32), offsets)

    first, *second = [side(mean) for mean in lengths]
    labels, clusters = random.integers(0, CLASSES, rows), np.arange(rows)
    tokens = Tokens(first, second[0] if second else None, labels, clusters, None, Path())
    return make_pairs(tokens, parse("longest_first"), max_len, TEMPLATE)
