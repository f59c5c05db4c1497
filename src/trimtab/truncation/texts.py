"""Texts as passed by a caller, one string or many: checked, and as one list per side."""

from collections.abc import Iterable
from typing import Any

from trimtab.config import InputError

Texts = str | Iterable[str]


def sides(first: Texts, second: Texts | None) -> list[list[str]]:
    """The texts of each side, (sides, rows): of the first, and of the second if given.

    One string as `first` is one row; with an empty string as its second it is a single text, as for
    transformers' tokenisers. InputError where a text is not a string, or the numbers of texts differ.
    """
    if isinstance(first, str):
        if second is not None and not isinstance(second, str):
            raise InputError(
                "the first text is one string, but the second is not; give two strings or two lists"
            )
        # As the tokeniser does, see _encode_plus in transformers/tokenization_utils_tokenizers.py.
        return [[first], [second]] if second else [[first]]
    if isinstance(second, str):
        raise InputError("the second text is one string, but the first is not; give two strings or two lists")
    given = [_strings("first", first)] + ([] if second is None else [_strings("second", second)])
    if len(given[0]) != len(given[-1]):
        raise InputError(
            f"{len(given[0])} first texts, but {len(given[1])} second texts: there must be as many"
        )
    return given


def _strings(name: str, texts: Iterable[str]) -> list[str]:
    try:
        texts = list(texts)
    except TypeError:
        raise InputError(f"the {name} texts are {texts!r}; give a list of strings") from None
    wrong = next((row for row, text in enumerate(texts) if not isinstance(text, str)), None)
    if wrong is not None:
        raise InputError(
            f"the {name} text of row {wrong} (counted from 0) is {_short(texts[wrong])}, not a string; "
            "give one, or leave the row out"
        )
    return texts


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
