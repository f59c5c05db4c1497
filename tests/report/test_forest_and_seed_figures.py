"""Figures of seeds and contrasts show the rows that they are given, each of them once."""

import numpy as np
import pytest

from trimtab.analysis.analysis import analyse
from trimtab.report.drawing import save
from trimtab.report.forest_figure import forest_figure
from trimtab.report.seed_figure import seed_figure
from trimtab.study.definition import Compare

SETTINGS = Compare(margin=0.01, alpha=0.05)


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


def test_every_contrast_has_its_place(tmp_path, analysed, scores):
    test = analysed(scores)
    figure = forest_figure(test, SETTINGS)
    [axes] = figure.axes
    assert [label.get_text() for label in axes.get_yticklabels()] == ["t1, max_len 8", "t2, max_len 8"]
    expected = [(100 * row.contrast.ci_low, 100 * row.contrast.ci_high) for row in test.contrasts]
    np.testing.assert_allclose(spans(axes, 1.6), expected)
    points = [line for line in axes.lines if len(line.get_xdata()) == 1]
    np.testing.assert_allclose(
        [line.get_xdata()[0] for line in points], [100 * row.contrast.delta for row in test.contrasts]
    )
    assert len({line.get_marker() for line in points}) == 2  # inconclusive and better
    top, bottom = axes.get_ylim()[1], axes.get_ylim()[0]
    assert top < 0 < 1 < bottom
    save(figure, tmp_path, "forest")
    assert (tmp_path / "forest.png").stat().st_size > 5000


def test_forty_contrasts_have_room_and_warn_of_nothing(tmp_path, analysed):
    rng = np.random.default_rng(2)
    scores = rng.random((41, 3, 50)) < np.linspace(0.5, 0.9, 41)[:, None, None]
    test = analysed(scores, same=[0, 0, *range(2, 41)])
    figure = forest_figure(test, SETTINGS)
    save(figure, tmp_path, "forest")
    assert figure.get_size_inches()[1] > 40 * 0.25
    assert len(figure.axes[0].get_yticklabels()) == 40
    labels = [text.get_text() for text in figure.legends[0].get_texts()]
    assert "identical" in labels
    assert labels[-1] == "margin, 1.00 points either way"


def test_baselines_are_named_where_they_differ(analysed, scores):
    figure = forest_figure(analysed(scores, contrasts=[(1, 0), (2, 1)]), SETTINGS)
    assert [label.get_text() for label in figure.axes[0].get_yticklabels()] == [
        "t1, max_len 8  against  t0, max_len 8",
        "t2, max_len 8  against  t1, max_len 8",
    ]


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
        spans(left, 1.4), [(100 * row.estimate.ci_low, 100 * row.estimate.ci_high) for row in test.means]
    )
    ceilings = [lines.get_segments()[0][0][0] for lines in left.collections]
    np.testing.assert_allclose(ceilings, [100, 90, 99])


def test_one_seed_has_no_interval(tmp_path, analysed, scores):
    test = analysed(scores[:, :1])
    assert spans(forest_figure(test, SETTINGS).axes[0], 1.6) == []
    figure = seed_figure(test)
    assert spans(figure.axes[0], 1.4) == []
    save(figure, tmp_path, "seeds")
