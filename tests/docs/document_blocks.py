"""The fenced blocks of a document, and the commands in them."""

import re
import shlex
from dataclasses import dataclass

from document_figures import ROOT

_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_CODE = re.compile(r"`([^`\n]+)`")


@dataclass(frozen=True)
class Block:
    """A fenced block: its language, such as ``sh``, and what is in it."""

    language: str
    text: str

    @property
    def commands(self) -> list[list[str]]:
        """The words of each command, without comments; none where this is no shell block."""
        if self.language != "sh":
            return []
        lines = self.text.replace("\\\n", " ").splitlines()
        return [words for line in lines if (words := shlex.split(line, comments=True))]


def documents() -> list[str]:
    """README, CONTRIBUTING and every page of docs/, as paths below the repository's root."""
    pages = (f"docs/{path.name}" for path in sorted((ROOT / "docs").glob("*.md")))
    return ["README.md", "CONTRIBUTING.md", *pages]


def text_of(document: str) -> str:
    """What a document holds."""
    return (ROOT / document).read_text(encoding="utf-8")


def blocks(document: str) -> list[Block]:
    """A document's fenced blocks in their order."""
    return [Block(*match.groups()) for match in _BLOCK.finditer(text_of(document))]


def code(document: str) -> list[str]:
    """What stands between backticks in a document's prose."""
    return _CODE.findall(_BLOCK.sub("", text_of(document)))
