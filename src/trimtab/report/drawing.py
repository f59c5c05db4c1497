"""What all figures share: sizes, style, colours, markers, legends, and how they are saved.

Figures are drawn at the size of print: as wide as one or two columns of a paper, all text of at least 7 pt.
"""

import math
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import matplotlib

matplotlib.use("Agg")  # a report is written where there may be no screen

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from PIL import Image

from trimtab.report.escaping import plain
from trimtab.report.glyphs import FONT, lend
from trimtab.report.wrapping import wrapped
from trimtab.study.compared import ComparedVariant

Colour = str
Colours = Mapping[str, Colour]

COLUMN, PAGE = 3.35, 6.9  # inches: a figure's width in one column of a paper, and across two
DPI = 300
_STYLE = "seaborn-v0_8-whitegrid"
MARKERS = "osD^v<>XPhp"
INK, FAINT = "0.15", "0.45"  # greys of what is no strategy: verdicts, baselines, marks
# Apart from each other with any kind of colour vision in this order, dark enough for thin lines on white.
_STRATEGIES = (
    *("#0173b2", "#de8f05", "#029e73", "#a6437d", "#56b4e9"),
    *("#8c4a19", "#d55e00", "#7a6fd0", "#8a8a00"),
)
_CHARACTER = 0.58  # of a font's size: the width of a letter
_HANDLE = 7  # letters for which a legend's line and gap leave no room
_EXACT, _EDGES = 32, 64  # colours of a figure's PNG: see _with_palette
_CLOSE = 9  # of 255: colours that Pillow may take for each other


@contextmanager
def style(width: float = PAGE) -> Iterator[None]:
    """How the axes of every figure look; width: of the figure, inches."""
    size = 8 if width > COLUMN else 7
    fonts = dict.fromkeys(("font.size", "axes.labelsize", "axes.titlesize", "legend.title_fontsize"), size)
    small = dict.fromkeys(("xtick.labelsize", "ytick.labelsize", "legend.fontsize"), max(7, size - 0.5))
    lines = {
        "lines.linewidth": 1.2,
        "lines.markersize": 4.5 if width > COLUMN else 3.8,
        "grid.linewidth": 0.5,
        "axes.linewidth": 0.6,
    }
    pads = {"xtick.major.pad": 2, "ytick.major.pad": 2, "axes.labelpad": 3, "axes.titlepad": 4}
    legend = {"legend.frameon": False, "legend.handlelength": 1.6, "legend.columnspacing": 1.4}
    # Layout measures text as it is drawn. An SVG has letters as they are; fitted to pixels they are narrower,
    # so that long labels would be cut.
    exact = {
        "text.hinting": "none",
        "font.sans-serif": [FONT],
    }
    ours: dict[str, Any] = {**fonts, **small, **lines, **pads, **legend, **exact}
    with plt.style.context(_STYLE), plt.rc_context(cast(Any, ours)):
        yield


def single_axes(width: float, height: float, axes: Axes | None = None) -> tuple[Figure, Axes]:
    """A figure with one pair of axes, or the given ones with the figure that they stand in."""
    if axes is not None:
        figure = axes.get_figure(root=True)
        assert figure is not None
        return figure, axes
    return plt.subplots(figsize=(width, height), layout="constrained")


def colours_of(names: Iterable[str]) -> dict[str, Colour]:
    """A colour for each different name, in their order; they repeat after nine."""
    distinct = dict.fromkeys(names)
    return {name: _STRATEGIES[number % len(_STRATEGIES)] for number, name in enumerate(distinct)}


def markers_of(names: Iterable[Any]) -> dict[Any, str]:
    """A marker for each different name, in their order; with its colour it is unique among 99."""
    distinct = dict.fromkeys(names)
    return {name: MARKERS[number % len(MARKERS)] for number, name in enumerate(distinct)}


def series_of(variants: Iterable[ComparedVariant]) -> list[str]:
    """The different series of variants, in their order: what colours are given by."""
    return list(dict.fromkeys(variant.series for variant in variants))


def entry(label: str, **look: Any) -> Line2D:
    """An entry of a legend that stands for no drawn line."""
    return Line2D([], [], label=label, **({"linestyle": ""} | look))


def recommended_ring() -> Line2D:
    """The legend's entry of the ring round the recommended variant."""
    return entry("recommended", **ring())


def ring() -> dict[str, Any]:
    """How the ring round the recommended variant looks."""
    return {"marker": "o", "markersize": 10, "fillstyle": "none", "markeredgewidth": 1.1, "color": INK}


def legend(figure: Figure, axes: Axes, handles: Sequence[Line2D | Patch], own: bool) -> None:
    """A legend of these entries: below the axes of a figure of our ``own``, which grows by it.

    In axes of somebody else's figure it stands where they have room. Long entries are wrapped, so that there
    is room for two columns at least.
    """
    if not handles:
        return
    width, height = figure.get_size_inches()
    size = plt.rcParams["legend.fontsize"]
    characters = int(72 * width / (_CHARACTER * size))
    for handle in handles:
        handle.set_label(text(str(handle.get_label()), characters // 2 - _HANDLE))
    if not own:
        axes.legend(handles=handles, loc="best")
        return
    labels = [str(handle.get_label()).split("\n") for handle in handles]
    longest = max(len(line) for lines in labels for line in lines) + _HANDLE
    columns = max(1, min(len(handles), characters // longest, 5))
    down = math.ceil(len(handles) / columns)
    columns = math.ceil(len(handles) / down)  # rows of like length
    figure.legend(handles=handles, loc="outside lower center", ncols=columns)
    deepest = max(sum(map(len, labels[at : at + down])) for at in range(0, len(labels), down))
    figure.set_size_inches(width, height + (1.35 * size * deepest + 8) / 72)


def text(words: str, characters: int) -> str:
    """Words as a figure has them: wrapped, and as they are, where ``$`` would begin mathematics.

    What cannot be seen is shown by its number, as in tables.
    """
    visible = "\n".join(plain(line, len(line)) for line in words.split("\n"))
    shown = wrapped(visible, characters).replace("$", r"\$")
    return f" {shown}" if shown.startswith("_") else shown  # matplotlib leaves such legend entries out


def save(figure: Figure, folder: Path, name: str, *, png: bool = True) -> None:
    """Write NAME.svg, and NAME.png if asked for, at the figure's own size; equal figures give equal bytes."""
    folder.mkdir(parents=True, exist_ok=True)
    lend(figure)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing from font")  # a box; tables have the name
        _write(figure, folder, name, png)
    plt.close(figure)


def _write(figure: Figure, folder: Path, name: str, png: bool) -> None:
    engine = figure.get_layout_engine()
    if engine is not None:  # laid out here, once, where every format would do it again and draw for it
        engine.execute(figure)
        figure.set_layout_engine("none")
    with plt.rc_context({"svg.hashsalt": name}):
        figure.savefig(folder / f"{name}.svg", metadata={"Date": None})
    if png:
        _save_png(figure, folder / f"{name}.png")


def _save_png(figure: Figure, path: Path) -> None:
    figure.set_dpi(DPI)
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    drawn = Image.fromarray(np.asarray(canvas.buffer_rgba())).convert("RGB")
    # A palette makes the file a fifth as large.
    _with_palette(drawn).save(path, dpi=(DPI, DPI))


def _with_palette(image: Image.Image) -> Image.Image:
    """The image in its most frequent colours, exactly, and some that cover the edges between them."""
    counted = cast(list[tuple[int, tuple[int, ...]]], image.getcolors(image.width * image.height))
    ranked = [colour for _, colour in sorted(counted, reverse=True)[: 4 * _EXACT]]
    edges = image.quantize(_EDGES, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE).getpalette() or []
    exact = _apart(ranked)[:_EXACT]
    covering = [tuple(edges[at : at + 3]) for at in range(0, len(edges), 3)][:_EDGES]
    palette = Image.new("P", (1, 1))
    palette.putpalette([value for colour in _apart([*exact, *covering]) for value in colour])
    return image.quantize(palette=palette, dither=Image.Dither.NONE)


def _apart(colours: Sequence[tuple[int, ...]]) -> list[tuple[int, ...]]:
    """Those that differ from every earlier one: Pillow takes colours for each other that are too close."""
    kept: list[tuple[int, ...]] = []
    for colour in colours:
        if all(max(abs(a - b) for a, b in zip(colour, other, strict=True)) >= _CLOSE for other in kept):
            kept.append(colour)
    return kept
