"""Tokenisers: words or WordPiece, all as ``tokenizers.Tokenizer``, so that one class serves every kind."""

from collections import Counter
from collections.abc import Iterable
from itertools import chain
from operator import methodcaller
from pathlib import Path
from typing import NamedTuple

import numpy as np
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers

from trimtab.config import InputError
from trimtab.data.files import lines, open_binary

SPECIAL_TOKENS = ["<unk>", "<pad>", "<mask>", "<cls>", "<sep>"]

BERT_TOKENS = ["[UNK]", "[PAD]", "[MASK]", "[CLS]", "[SEP]"]

# What separates words: white space alone (for texts that are already split, such as SNLI's parses),
# or punctuation too (for raw sentences).
WORD_TOKENIZERS = {
    "whitespace": pre_tokenizers.WhitespaceSplit,
    "words": pre_tokenizers.BertPreTokenizer,
}

# Normalisers that never look beyond a blank.
_WORD_NORMALIZERS = (type(None), normalizers.Lowercase, normalizers.BertNormalizer)

between_blanks = methodcaller("split", " ")

# The two roles, by the names that different families of models use.
_CLS_NAMES = ("<cls>", "[CLS]", "<s>")
_SEP_NAMES = ("<sep>", "[SEP]", "</s>")


class SpecialTokens(NamedTuple):
    """The ids of the special tokens of a pair: ``cls A sep B sep``."""

    cls: int
    sep: int


def build(name: str, texts: Iterable[str], *, min_freq: int, lowercase: bool = True) -> Tokenizer:
    """A tokeniser by name, or from a vocabulary file.

    ``whitespace`` and ``words`` count the words of ``texts`` (the training split) and keep those that
    occur at least ``min_freq`` times; a path to a ``vocab.txt`` gives BERT's WordPiece, a path to a
    ``tokenizer.json`` whatever that file describes. InputError where the file is neither.
    """
    if name in WORD_TOKENIZERS:
        return _count_words(name, texts, min_freq, lowercase)
    return _from_file(Path(name), lowercase)


def _count_words(name: str, texts: Iterable[str], min_freq: int, lowercase: bool) -> Tokenizer:
    normalizer = normalizers.Lowercase() if lowercase else None
    pre_tokenizer = WORD_TOKENIZERS[name]()
    counts: Counter[str] = Counter()
    # Each distinct string between blanks is split once, however often it occurs.
    for part, times in Counter(chain.from_iterable(map(between_blanks, texts))).items():
        normal = normalizer.normalize_str(part) if normalizer else part
        for word, _ in pre_tokenizer.pre_tokenize_str(normal):
            counts[word] += times
    for special in SPECIAL_TOKENS:  # a corpus may contain <unk> itself, which is then the special token
        del counts[special]
    # The most frequent first; ties in lexicographic order.
    words = sorted((-times, word) for word, times in counts.items() if times >= min_freq)
    ids = {word: number for number, word in enumerate([*SPECIAL_TOKENS, *(word for _, word in words)])}
    tokenizer = Tokenizer(models.WordLevel(ids, unk_token="<unk>"))
    if normalizer:
        tokenizer.normalizer = normalizer
    tokenizer.pre_tokenizer = pre_tokenizer
    tokenizer.add_special_tokens(SPECIAL_TOKENS)
    return tokenizer


def _from_file(path: Path, lowercase: bool) -> Tokenizer:
    if path.is_file():
        open_binary(path).close()  # for its error
    try:
        tokenizer = Tokenizer.from_file(str(path)) if path.suffix == ".json" else _wordpiece(path, lowercase)
    except Exception as error:  # the Rust library raises bare Exception for every fault of a file
        raise InputError(
            f"{path}: not a vocabulary ({error}); give a vocab.txt, a tokenizer.json, or one of "
            f"{', '.join(WORD_TOKENIZERS)}"
        ) from error
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer


def _wordpiece(path: Path, lowercase: bool) -> Tokenizer:
    tokenizer = Tokenizer(models.WordPiece(read_vocabulary(path), unk_token="[UNK]"))
    if tokenizer.token_to_id("[UNK]") is None:
        raise ValueError("it has no [UNK]")  # else the first unknown word ends in a bare Exception
    tokenizer.add_special_tokens([token for token in BERT_TOKENS if tokenizer.token_to_id(token) is not None])
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=lowercase)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    return tokenizer


def read_vocabulary(path: Path) -> dict[str, int]:
    """The words of a ``vocab.txt`` with their ids, which number its lines; blank last lines are no words.

    InputError where it cannot be read.
    """
    with open_binary(path) as stream:
        words = {line.rstrip(): number for number, line in enumerate(lines(stream, str(path)))}
    if words.get("") == max(words.values(), default=0):
        del words[""]
    return words


def special_tokens(tokenizer: Tokenizer) -> SpecialTokens:
    """The ids that open and separate texts; InputError where the vocabulary has none of the known names."""
    found: list[int] = []
    for role, names in (("opening", _CLS_NAMES), ("separating", _SEP_NAMES)):
        ids = [number for name in names if (number := tokenizer.token_to_id(name)) is not None]
        if not ids:
            raise InputError(f"the vocabulary has no {role} token: add one of {', '.join(names)} to it")
        found.append(ids[0])
    return SpecialTokens(*found)


def unknown_id(tokenizer: Tokenizer) -> int | None:
    """The id of words that the vocabulary lacks; None where the tokeniser has none."""
    if not isinstance(tokenizer.model, models.Unigram):
        name = getattr(tokenizer.model, "unk_token", None)
        return None if name is None else tokenizer.token_to_id(name)
    try:  # it does not tell, so it is shown a character that no vocabulary has
        [token] = tokenizer.model.tokenize("\U0010ffff")
    except Exception:  # without an unknown token the Rust library raises a bare Exception
        return None
    return int(token.id)


def largest_id(tokenizer: Tokenizer) -> int:
    """The largest id of the vocabulary; a file may leave gaps, so it can exceed the number of tokens."""
    return max(tokenizer.get_vocab().values())


def id_dtype(tokenizer: Tokenizer) -> np.dtype:
    """The smallest of int16 and int32 that holds every id."""
    return np.dtype(np.int16 if largest_id(tokenizer) <= np.iinfo(np.int16).max else np.int32)


def works_word_by_word(tokenizer: Tokenizer) -> bool:
    """Whether a text's ids are the concatenated ids of its parts between blanks.

    True only for the kinds known to do so: ours, and BERT's.
    """
    return (
        isinstance(tokenizer.pre_tokenizer, tuple(WORD_TOKENIZERS.values()))
        and isinstance(tokenizer.normalizer, _WORD_NORMALIZERS)
        # Added tokens may contain blanks, at least once they are normalised.
        and not any(
            token.normalized or " " in token.content
            for token in tokenizer.get_added_tokens_decoder().values()
        )
    )


def keeps_words(tokenizer: Tokenizer) -> bool:
    """Whether tokens are words, one for one, so that a word's position is that of its token."""
    splits = isinstance(tokenizer.pre_tokenizer, tuple(WORD_TOKENIZERS.values()))
    return splits and isinstance(tokenizer.model, models.WordLevel)
