"""Unknown words: how much of the texts a vocabulary lacks, and a warning where that is much."""

from collections.abc import Mapping

from tokenizers import Tokenizer

from trimtab.data.tokenizer import unknown_id
from trimtab.data.tokens import Tokens

_MUCH = 0.2  # a model that reads less of a text can hardly be judged by it


def unknown_share(tokens: Tokens, tokenizer: Tokenizer) -> float:
    """The share of a split's tokens that are unknown words to ``tokenizer``."""
    unknown = unknown_id(tokenizer)
    sides = [side.values for side in (tokens.first, tokens.second) if side is not None]
    total = sum(map(len, sides))
    if unknown is None or not total:
        return 0.0
    return sum(int((values == unknown).sum()) for values in sides) / total


def unknown_warning(shares: Mapping[str, float], tokenizer: str) -> list[str]:
    """A sentence on the splits of which a tokeniser does not know more than 20 % of the words, if any."""
    much = [f"{100 * share:.1f} % of {name}" for name, share in shares.items() if share > _MUCH]
    if not much:
        return []
    mend = "lower min_freq, or name a vocab.txt or tokenizer.json that was made for such texts"
    return [f"Warning: {tokenizer} does not know {', '.join(much)} (shares of tokens); {mend}."]
