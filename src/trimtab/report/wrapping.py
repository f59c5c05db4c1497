"""Names of variants in a few lines, broken where a reader would break them."""

import re

# Where a line may end: after a space, a comma, ``=`` or ``(``, and before ``+``.
_BREAK = re.compile(r"(?<=[\s=(])|(?<=,)(?!\s)|(?=\+)")


def wrapped(text: str, characters: int, lines: int = 4) -> str:
    """The text in as few lines of so many characters as hold it, all of like length.

    A piece that may not be broken is cut where it is longer than a line. What does not fit into ``lines``
    is left out, with an ellipsis in its place.
    """
    if len(text) <= characters:
        return text
    text = text[: characters * (lines + 1)]  # nothing after that can be shown
    pieces = [part for piece in pieces_of(text) for part in _parts(piece, characters)]
    filled = _filled(pieces, characters)
    if len(filled) > lines:
        return "\n".join([*filled[: lines - 1], filled[lines - 1][: characters - 1] + "…"])
    # The narrowest width that needs no more lines: words are then spread evenly over them.
    width = next(w for w in range(1, characters + 1) if len(_filled(pieces, w)) <= len(filled))
    return "\n".join(_filled(pieces, width))


def pieces_of(text: str) -> list[str]:
    """The pieces of a text between which a line may be broken; together they are the text."""
    return [piece for piece in _BREAK.split(text) if piece]


def _parts(piece: str, characters: int) -> list[str]:
    return [piece[start : start + characters] for start in range(0, len(piece), characters)]


def _filled(pieces: list[str], width: int) -> list[str]:
    """Lines of at most ``width`` characters where pieces allow it, each as full as it goes."""
    lines = [""]
    for piece in pieces:
        if lines[-1] and len((lines[-1] + piece).rstrip()) > width:
            lines.append("")
        lines[-1] += piece
    return [line.strip() for line in lines]
