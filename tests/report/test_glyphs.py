"""Letters that the font of figures lacks."""

import matplotlib.pyplot as plt
from matplotlib.font_manager import findfont
from matplotlib.ft2font import FT2Font

from trimtab.report.drawing import save, style
from trimtab.report.glyphs import FONT, lend


def letters(font):
    return set(FT2Font(findfont(font, fallback_to_default=False)).get_charmap())


def test_another_font_lends_what_ours_lacks():
    """STIX, which matplotlib brings too, has letters that ours has not."""
    letter = chr(min(letters("STIXGeneral") - letters(FONT)))
    figure, axes = plt.subplots()
    title, label = axes.set_title(f"a {letter}\nb"), axes.set_xlabel("plain")
    before = label.get_fontfamily()
    lend(figure)
    plt.close(figure)
    first, second = title.get_fontfamily()
    assert first == FONT
    assert ord(letter) in letters(second)
    assert label.get_fontfamily() == before


def test_what_no_font_has_is_drawn_in_silence(tmp_path):
    """A warning would be an error here, see filterwarnings in pyproject.toml."""
    with style():
        figure, axes = plt.subplots(layout="constrained")
        axes.set_title("nowhere: \U000e0f00")
        save(figure, tmp_path, "figure")
    assert {path.name for path in tmp_path.iterdir()} == {"figure.svg", "figure.png"}
