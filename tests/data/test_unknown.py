"""The share of unknown words, counted token by token, and the warning where it is much."""

import pytest

from small_tokenizers import KINDS, unigram
from trimtab.data.encoding import encode
from trimtab.data.tokenizer import build
from trimtab.data.unknown import unknown_share, unknown_warning

pytestmark = pytest.mark.usefixtures("own_environment")


@pytest.mark.parametrize("kind", [*KINDS, "words"])
def test_the_share_is_that_of_the_tokens(tokens_of, kind):
    tokenizer = build("words", ["a man"], min_freq=1) if kind == "words" else KINDS[kind]()
    texts = [["a man 中文", ""], ["中 dogs", "文 a 中"]]
    sides = [encode(side, tokenizer) for side in texts]
    rows = [[side[row].tolist() for row in range(2)] for side in sides]
    names = [tokenizer.id_to_token(number) for side in rows for row in side for number in row]
    expected = sum(name in ("<unk>", "[UNK]") for name in names) / len(names)
    assert unknown_share(tokens_of(*rows), tokenizer) == pytest.approx(expected)
    assert (expected > 0) == (kind != "byte_level")
    assert unknown_share(tokens_of([[]]), unigram()) == 0


def test_more_than_a_fifth_is_warned_of():
    assert unknown_warning({"train": 0.2, "test": 0.0}, "tokenizer 'words'") == []
    assert unknown_warning({"train": 0.201, "validation": 0.1, "test": 1.0}, "tokenizer 'words'") == [
        "Warning: tokenizer 'words' does not know 20.1 % of train, 100.0 % of test (shares of tokens); lower "
        "min_freq, or name a vocab.txt or tokenizer.json that was made for such texts."
    ]
