"""What keys of a study file mean, taken from the docstrings of the types that read them."""

import re
from collections.abc import Iterable

_KEY = re.compile(r"(\w+)(?:: | \()")
_CLAUSE = re.compile(rf"[;.:] (?={_KEY.pattern})")  # ends of what is said of one key


def key_meanings(docstring: str | None, keys: Iterable[str]) -> dict[str, str]:
    """By key, what a docstring of the form ``key: meaning; key (meaning)`` says of it, where it does."""
    known = set(keys)
    found: dict[str, str] = {}
    paragraphs = re.split(r"\n\s*\n", docstring or "")
    for clause in (clause for each in paragraphs for clause in _clauses(" ".join(each.split()))):
        match = _KEY.match(clause)
        if match and match[1] in known:
            meaning = clause[match.end() :].removesuffix(".").strip()
            bracketed = clause[match.end() - 1] == "(" and meaning.endswith(")")
            found[match[1]] = (meaning[:-1] if bracketed else meaning).replace("``", "`")
    return found


def _clauses(paragraph: str) -> list[str]:
    """A paragraph, divided before each word that something is said of."""
    ends = [match.end() for match in _CLAUSE.finditer(paragraph)]
    return [paragraph[a:b].rstrip("; ") for a, b in zip([0, *ends], [*ends, None], strict=True)]
