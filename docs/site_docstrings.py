"""An extension of Sphinx: docstrings and types as they are written here, so that they read well on the site.

A paragraph of lines such as ``alpha: the level of the tests`` becomes a list, ``|delta|`` stays an absolute
value, and what Python makes of ``NDArray[np.float64]`` is written so again.
"""

import re
from collections.abc import Iterator
from itertools import groupby
from typing import Any

from sphinx.application import Sphinx

_NAMED = re.compile(r"([a-z]\w*(?:, [a-z]\w*)*): (.*)")
_ARRAY = re.compile(r"~?numpy\.ndarray\[tuple\[~?(?:typing\.)?Any, \.\.\.\], ~?numpy\.dtype\[([^\[\]]+)\]\]")
_ABSOLUTE = re.compile(r"\|(\w+)\|")


def _as_list(paragraph: list[str]) -> Iterator[str]:
    """Each named line with those that go on with it; a paragraph that does not begin with a name as it is."""
    if not _NAMED.fullmatch(paragraph[0]):
        yield from paragraph
        return
    for line in paragraph:
        named = _NAMED.fullmatch(line)
        yield f"* **{named[1]}**: {named[2]}" if named else f"  {line.strip()}"


def _plain(app: Sphinx, what: str, name: str, of: Any, options: Any, lines: list[str]) -> None:
    """Replaces the lines of one docstring."""
    written = [_ABSOLUTE.sub(r"\\|\1\\|", line) for line in lines]
    paragraphs = [list(group) for _, group in groupby(written, key=lambda line: not line.strip())]
    lines[:] = [line for paragraph in paragraphs for line in _as_list(paragraph)]


def _typed(
    app: Sphinx, what: str, name: str, of: Any, options: Any, given: str | None, returned: str | None
) -> tuple[str | None, str | None]:
    """The signature of one function with the short names of its arrays."""
    given, returned = (text and _ARRAY.sub(r"NDArray[\1]", text) for text in (given, returned))
    return given, returned


def setup(app: Sphinx) -> dict[str, Any]:
    """Sphinx calls it."""
    app.connect("autodoc-process-docstring", _plain)
    app.connect("autodoc-process-signature", _typed)
    return {"version": "1", "parallel_read_safe": True}
