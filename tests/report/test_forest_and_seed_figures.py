"""Figures of seeds and contrasts show the rows that they are given, each of them once."""

from dataclasses import replace
from pathlib import Path

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.font_manager import findfont
from matplotlib.textpath import text_to_path

from trimtab.analysis.analysis import analyse
from trimtab.report.drawing import COLUMN, PAGE, colours_of, save, style
from trimtab.report.forest_figure import forest_figure
from trimtab.report.rows import Label, row_axes
from trimtab.report.seed_figure import seed_figure
from trimtab.statistics import adjusted_interval
from trimtab.study.compare_section import Compare

SETTINGS = Compare(margin=0.01, alpha=0.05)


@pytest.fixture(autouse=True)
def figures_closed():
    yield
    plt.close("all")


@pytest.fixture
def analysed(tmp_path, handmade):
    """analysed(scores, ...): the one test set of a ledger of these scores."""

    def made(scores, **options):
        return analyse(handmade.write(tmp_path, {"test": scores}, **options)).tests[0]

    return made


def spans(axes, width):
    """The ends of every horizontal line of a width, from the top down."""
    return [
        tuple(line.get_xdata())
        for line in axes.lines
        if line.get_linewidth() == width and len(line.get_xdata()) == 2 and line.get_linestyle() == "-"
    ]


PLAIN, ADJUSTED, OF_SEEDS = 3.0, 0.9, 1.1


def rows_of(axes):
    """What stands beside the rows, from the top down."""
    return [label.get_text() for label in axes.get_yticklabels()]


def headings(axes):
    return [text.get_text() for text in axes.texts]


def marks(axes, verdicts="^vsoD"):
    """The place, marker and colour of each point that is a verdict."""
    points = [line for line in axes.lines if len(line.get_xdata()) == 1 and line.get_marker() in verdicts]
    return [
        (line.get_xdata()[0], line.get_marker(), line.get_color())
        for line in points
        if line.get_fillstyle() == "full"
    ]


def words_of(figure):
    return [text.get_text() for text in figure.legends[0].get_texts()]


def test_every_contrast_has_its_place(tmp_path, analysed, scores):
    test = analysed(scores)
    figure = forest_figure(test, SETTINGS)
    [axes] = figure.axes
    assert (headings(axes), rows_of(axes)) == (["against t0, max_len 8"], ["t1", "t2"])
    expected = [(100 * row.contrast.ci_low, 100 * row.contrast.ci_high) for row in test.contrasts]
    np.testing.assert_allclose(spans(axes, PLAIN), expected)
    adjusted = [100 * np.array(adjusted_interval(row.contrast, 0.05, 2)) for row in test.contrasts]
    np.testing.assert_allclose(spans(axes, ADJUSTED), adjusted)
    points = marks(axes)
    np.testing.assert_allclose(
        [point for point, *_ in points], [100 * row.contrast.delta for row in test.contrasts]
    )
    colours = colours_of(test.series)
    assert [rest for _, *rest in points] == [["o", colours["t1"]], ["^", colours["t2"]]]
    bottom, top = axes.get_ylim()
    assert bottom > top == 0  # the first row is the topmost
    assert "adjusted (Holm, 2 contrasts)" in words_of(figure)
    save(figure, tmp_path, "forest")
    assert (tmp_path / "forest.png").stat().st_size > 5000


def test_an_adjusted_interval_never_contradicts_its_verdict(analysed):
    rng = np.random.default_rng(7)
    scores = rng.random((9, 4, 200)) < np.linspace(0.5, 0.8, 9)[:, None, None]
    test = analysed(scores)
    [axes] = forest_figure(test, SETTINGS).axes
    ends = spans(axes, ADJUSTED)
    found = {row.contrast.verdict for row in test.contrasts}
    assert {"better", "inconclusive"} <= found
    for (low, high), row in zip(ends, test.contrasts, strict=True):
        assert (low > 0 or high < 0) == (row.contrast.verdict in ("better", "worse"))


@pytest.mark.integration
def test_forty_contrasts_have_room_and_warn_of_nothing(analysed):
    rng = np.random.default_rng(2)
    scores = rng.random((41, 3, 50)) < np.linspace(0.5, 0.9, 41)[:, None, None]
    test = analysed(scores, same=[0, 0, *range(2, 41)])
    figure = forest_figure(test, SETTINGS)
    figure.canvas.draw()  # a warning is an error here
    assert figure.get_size_inches()[1] > 40 * 0.15
    assert len(rows_of(figure.axes[0])) == 40
    labels = words_of(figure)
    assert "identical" in labels
    assert "margin, 1.00 points either way" in labels


@pytest.mark.integration
def test_of_more_contrasts_those_with_the_lowest_p(analysed):
    rng = np.random.default_rng(2)
    test = analysed(rng.random((61, 2, 30)) < np.linspace(0.5, 0.9, 61)[:, None, None])
    [axes] = forest_figure(test, SETTINGS).axes
    assert axes.get_title(loc="left") == "40 of 60 contrasts: those with the lowest p"
    least = sorted(test.contrasts, key=lambda row: row.contrast.p)[:40]
    assert set(rows_of(axes)) == {row.variant.truncation for row in least}


def test_baselines_are_headings(analysed, scores):
    [axes] = forest_figure(analysed(scores, contrasts=[(1, 0), (2, 1), (2, 0)]), SETTINGS).axes
    assert headings(axes) == ["against t0, max_len 8", "against t1, max_len 8"]
    assert rows_of(axes) == ["t1", "t2", "t2"]


@pytest.mark.parametrize("width", [COLUMN, PAGE])
def test_long_names_leave_half_of_the_width(analysed, scores, width):
    test = analysed(scores)
    long = "only_first(otherwise=longest_first)+head_tail"
    name = {"truncation": long, "max_len": 128}
    rows = [
        replace(
            row,
            variant=row.variant.model_copy(update={"name": f"{long}, max_len 64", "coordinates": name}),
            baseline=row.baseline.model_copy(update={"name": f"{long}, max_len 128", "coordinates": {}}),
        )
        for row in test.contrasts
    ]
    series = {f"{long}": "#000000"}
    figure = forest_figure(replace(test, contrasts=rows), SETTINGS, width=width, colours=series)
    figure.canvas.draw()
    [axes] = figure.axes
    assert axes.get_window_extent().width > 0.5 * figure.get_window_extent().width
    assert figure.get_window_extent().contains(*axes.get_tightbbox().min)
    assert all(axes.get_window_extent().y0 > legend.get_window_extent().y1 for legend in figure.legends)


@pytest.mark.parametrize("width", [COLUMN, PAGE])
def test_no_label_is_cut_in_an_svg(tmp_path, width):
    """Whose letters have their own widths: what layout measures must be as wide."""
    words = (
        "longest_first, max_len 128",
        "only_first(otherwise=longest_first), max_len 128",
        "ill, max_len 8",
    )
    with style(width):
        figure, [axes], _ = row_axes([Label(each) for each in words], width)
        labels = axes.get_yticklabels()
        save(figure, tmp_path, "figure", png=False)
        font = findfont(labels[0].get_fontproperties())
    assert Path(font).is_relative_to(matplotlib.get_data_path())  # the same letters on any machine
    room = 72 * width * axes.get_position().x0  # points left of the axes
    for label in labels:
        for line in label.get_text().split("\n"):
            needed, *_ = text_to_path.get_text_width_height_descent(line, label.get_fontproperties(), False)
            assert needed < room, line


def test_a_given_axis_is_drawn_into(analysed, scores):
    mine, (left, right) = plt.subplots(1, 2)
    assert forest_figure(analysed(scores), SETTINGS, axes=left) is mine
    assert rows_of(left) == ["t1", "t2"]
    assert right.lines[:] == []
    assert mine.legends == []


def test_every_seed_is_a_point(analysed, scores):
    test = analysed(scores, ceilings=[1.0, 0.9, 0.99], missing=[(1, 2)])
    left, right = seed_figure(test).axes
    for axes, shift in ((left, 0), (right, 1)):
        seeds = [
            line.get_xdata() for line in axes.lines if line.get_marker() == "o" and len(line.get_xdata())
        ]
        assert [len(found) for found in seeds] == [4, 3, 4]
        for found, row in zip(seeds, test.means, strict=True):
            np.testing.assert_allclose(
                found, 100 * (np.array(row.by_seed) - shift * row.estimate.mean), atol=1e-9
            )
    np.testing.assert_allclose(
        spans(left, OF_SEEDS), [(100 * row.estimate.ci_low, 100 * row.estimate.ci_high) for row in test.means]
    )
    ceilings = [lines.get_segments()[0][0][0] for lines in left.collections]
    np.testing.assert_allclose(ceilings, [100, 90, 99])


def test_one_seed_has_no_interval(tmp_path, analysed, scores):
    test = analysed(scores[:, :1])
    assert spans(forest_figure(test, SETTINGS).axes[0], PLAIN) == []
    figure = seed_figure(test)
    assert spans(figure.axes[0], OF_SEEDS) == []
    save(figure, tmp_path, "seeds")
