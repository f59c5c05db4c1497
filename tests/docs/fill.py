"""Check the figures in README and docs/ against results/, or write them anew.

python tests/docs/fill.py            # says which figures differ, or are covered by no claim
python tests/docs/fill.py --write    # puts into the documents what results/ holds
"""

import re
import sys
from dataclasses import dataclass
from pathlib import Path

from document_claims import claims
from document_exceptions import EXCEPTIONS
from document_figures import ROOT, Claim

_FIGURE = r"([+-]?[\w.,]*\w(?:(?<=e)-\d+)?)"  # a number or a word
# What is no prose: fenced blocks, code, addresses of links, comments.
_ASIDE = re.compile(r"^```.*?^```|`[^`\n]*`|\]\([^)]*\)|<!--.*?-->", re.MULTILINE | re.DOTALL)
_NUMBER = re.compile(r"(?<![\w.,/-])[+-]?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?(?:e-?\d+)?(?![\w.,]*\w)")
_UNIT = re.compile(
    r"\s*(?:%|(?:points?|examples/s|tokens/s|(?:million )?pairs?|seconds?|minutes|nats|bytes|MiB|times)\b)"
)


@dataclass(frozen=True)
class Place:
    """A figure of a document: where it stands, what is there and what results/ say."""

    start: int
    end: int
    found: str
    wanted: str


def documents() -> list[str]:
    """README and every page of docs/, as paths below the repository's root."""
    return ["README.md", *(f"docs/{path.name}" for path in sorted((ROOT / "docs").glob("*.md")))]


def places(text: str, claim: Claim) -> list[Place]:
    """Where a claim's figures stand in its document's text; ValueError where its words are not there once."""
    words = [re.escape(part).replace(r"\ ", r"\s+") for part in claim.text.split("{}")]
    matches = list(re.finditer(_FIGURE.join(words), text))
    if len(matches) != 1:
        raise ValueError(f"{claim.document}: {len(matches)} times there: {claim.text!r}")
    (match,), wanted = matches, claim.figures()
    if len(wanted) != len(match.groups()):
        raise ValueError(f"{claim.document}: {len(wanted)} figures for {claim.text!r}")
    spans = [match.span(number) for number in range(1, len(wanted) + 1)]
    return [Place(*span, text[slice(*span)], want) for span, want in zip(spans, wanted, strict=True)]


def uncovered(text: str, covered: list[Place], exceptions: list[str]) -> list[str]:
    """The figures that look as if a study or benchmark had produced them, and that nothing covers."""
    prose = _ASIDE.sub(lambda match: " " * len(match.group()), text)
    free = [(place.start, place.end) for place in covered]
    for phrase in exceptions:
        pattern = re.escape(phrase).replace(r"\ ", r"\s+")
        found = [match.span() for match in re.finditer(pattern, text)]
        if not found:
            raise ValueError(f"an exception is no longer there: {phrase!r}")
        free += found
    return [
        " ".join(text[max(0, match.start() - 40) : match.end() + 20].split())
        for match in _NUMBER.finditer(prose)
        if _looks_measured(match.group(), prose[match.end() :])
        and not any(start <= match.start() and match.end() <= end for start, end in free)
    ]


def _looks_measured(number: str, rest: str) -> bool:
    return "." in number or "," in number or "e" in number or bool(_UNIT.match(rest))


def faults() -> list[str]:
    """A sentence for every figure that is wrong or covered by nothing."""
    found = []
    for document in documents():
        text = (ROOT / document).read_text(encoding="utf-8")
        covered, lost = _covered(document, text)
        found += lost
        found += [
            f"{document}: {place.found} should be {place.wanted}: "
            f"{' '.join(text[max(0, place.start - 60) : place.end + 20].split())}"
            for place in covered
            if place.found != place.wanted
        ]
        exceptions = [phrase for where, phrase, _ in EXCEPTIONS if where == document]
        found += [f"{document}: no claim covers: {each}" for each in uncovered(text, covered, exceptions)]
    return found


def _covered(document: str, text: str) -> tuple[list[Place], list[str]]:
    """The figures of a document that claims cover, and a sentence for every claim that fits nowhere."""
    covered, lost = [], []
    for claim in claims():
        if claim.document == document:
            try:
                covered += places(text, claim)
            except ValueError as error:
                lost.append(str(error))
    return covered, lost


def write() -> int:
    """Put into every document what results/ hold; returns how many figures changed."""
    changed = 0
    for document in documents():
        path = ROOT / document
        text = path.read_text(encoding="utf-8")
        covered, _ = _covered(document, text)
        for place in sorted(covered, key=lambda place: -place.start):
            changed += place.found != place.wanted
            text = text[: place.start] + place.wanted + text[place.end :]
        Path(path).write_text(text, encoding="utf-8")
    return changed


if __name__ == "__main__":
    if sys.argv[1:] == ["--write"]:
        print(f"{write()} figures changed")
    wrong = faults()
    print("\n".join(wrong) or "all figures are those of results/")
    sys.exit(bool(wrong))
