"""Letters that the font of the figures lacks, such as Chinese: another font of the machine lends them."""

from functools import cache

from matplotlib.figure import Figure
from matplotlib.font_manager import findfont, fontManager
from matplotlib.ft2font import FT2Font
from matplotlib.text import Text

FONT = "DejaVu Sans"  # which matplotlib brings: figures are the same on any machine


def lend(figure: Figure) -> None:
    """Give each text of ``figure`` a second font that has what ours lacks, if the machine has one.

    What no font has is drawn as a box.
    """
    for text in figure.findobj(Text):
        assert isinstance(text, Text)
        missing = frozenset(map(ord, text.get_text())) - _letters(findfont(FONT)) - {ord("\n")}
        if missing:
            text.set_fontfamily([FONT, *_having(missing)])


@cache
def _letters(path: str) -> frozenset[int]:
    try:
        return frozenset(FT2Font(path).get_charmap())
    except (OSError, RuntimeError):  # a font that has gone since matplotlib listed it, or is damaged
        return frozenset()


@cache
def _having(letters: frozenset[int]) -> tuple[str, ...]:
    """The font that has most of the ``letters``; nothing where none has any."""
    fonts = sorted({(font.name, font.fname) for font in fontManager.ttflist})
    most, name = max(((len(letters & _letters(path)), name) for name, path in fonts), default=(0, ""))
    return (name,) if most else ()
