"""Figures of a score over max_len, by variant, and against cost: true places, one colour a strategy."""

from dataclasses import replace

import matplotlib.pyplot as plt
import numpy as np
import pytest

from trimtab.analysis.analysis import analyse
from trimtab.report.drawing import COLUMN, PAGE, colours_of, save
from trimtab.report.score_figure import score_figure
from trimtab.report.seed_figure import seed_figure
from trimtab.report.throughput_figure import throughput_figure
from trimtab.statistics import IntervalEstimate

LENGTHS = [8, 16, 64, 8, 16, 64]


@pytest.fixture(autouse=True)
def figures_closed():
    yield
    plt.close("all")


@pytest.fixture(scope="module")
def analysis(tmp_path_factory, handmade):
    """Two series, a and b, at three lengths each; ceilings are known, and the best is far ahead."""
    rates = np.array([0.5, 0.6, 0.7, 0.55, 0.65, 0.95])
    scores = np.random.default_rng(1).random((6, 4, 90)) < rates[:, None, None]
    folder = tmp_path_factory.mktemp("lengths")
    ledger = handmade.write(folder, {"test": scores}, ceilings=[1.0] * 6, rates=[60, 50, 40, 55, 45, 35.0])
    variants = tuple(
        one.model_copy(
            update={
                "name": f"{'ab'[number // 3]}, max_len {length}",
                "max_len": length,
                "coordinates": {"truncation": "ab"[number // 3], "max_len": length},
            }
        )
        for number, (one, length) in enumerate(zip(ledger.study.variants, LENGTHS, strict=True))
    )
    study = ledger.study.model_copy(update={"variants": variants})
    ledger.write_study(study, {"test": ledger.evaluated("test")})
    return analyse(ledger)


@pytest.fixture(scope="module")
def test(analysis):
    [found] = analysis.tests
    return found


def series_lines(axes):
    """Lines over max_len: their colour, places and values."""
    return [line for line in axes.lines if line.get_linestyle() == "-" and len(line.get_xdata()) == 3]


def words_of(figure):
    return [text.get_text() for text in figure.legends[0].get_texts()]


def test_points_stand_at_their_length(test):
    figure = score_figure(test)
    [axes] = figure.axes
    assert axes.get_xscale() == "log"  # 64 is more than four times 8
    assert [tick.get_text() for tick in axes.get_xticklabels()] == ["8", "16", "64"]
    lines = series_lines(axes)
    for line, rows in zip(lines, (test.means[:3], test.means[3:]), strict=True):
        assert list(line.get_xdata()) == [8, 16, 64]
        np.testing.assert_allclose(
            np.array(line.get_ydata(), float), [100 * row.estimate.mean for row in rows]
        )
    figure.canvas.draw()
    drawn = [line.get_transform().transform(np.array([[16.0, 60.0]]))[0][0] for line in lines]
    true = axes.transData.transform(np.array([[16.0, 60.0]]))[0][0]
    points = np.abs(np.array(drawn) - true) * 72 / figure.dpi
    assert 0 < points.max() < 4  # set aside by less than a marker, so that it reads as no other length


def test_few_doublings_have_a_linear_axis(test):
    near = [
        replace(row, variant=row.variant.model_copy(update={"max_len": 8 + row.variant.max_len // 16}))
        for row in test.means
    ]
    [axes] = score_figure(replace(test, means=near)).axes
    assert axes.get_xscale() == "linear"


def test_one_length_has_no_axis_of_lengths(test):
    figure = score_figure(replace(test, means=[test.means[0], test.means[3]]))
    [axes] = figure.axes
    assert [label.get_text() for label in axes.get_yticklabels()] == ["a", "b"]
    assert axes.get_xlabel() == "accuracy on test, %; max_len 8"
    assert all(
        len(set(line.get_ydata())) == 1
        for line in axes.lines
        if len(line.get_xdata()) == 2 and line.get_xdata()[0] != line.get_xdata()[1]
    )  # intervals alone, no line through categories


def test_a_series_has_one_colour_in_every_figure(test, analysis):
    expected = set(colours_of(["a", "b"]).values())
    by_length = {line.get_color() for line in series_lines(score_figure(test).axes[0])}
    cost = throughput_figure(test, analysis.speeds).axes[0]
    by_cost = {
        line.get_color()
        for line in cost.lines
        if line.get_marker() in "osD^" and len(line.get_xdata()) == 1 and line.get_fillstyle() == "full"
    }
    seeds = {line.get_color() for line in seed_figure(test).axes[0].lines if line.get_marker() == "o"}
    assert by_length == by_cost == seeds == expected
    only_b = replace(test, means=test.means[3:])
    assert {line.get_color() for line in series_lines(score_figure(only_b).axes[0])} == {
        colours_of(["a", "b"])["b"]
    }


def test_the_recommended_one_is_ringed(test, analysis):
    assert test.recommendation.named
    number = test.recommendation.candidate.variant.number
    mean = 100 * test.means[number].estimate.mean
    for figure in (score_figure(test), throughput_figure(test, analysis.speeds)):
        rings = [line for line in figure.axes[0].lines if line.get_fillstyle() == "none"]
        assert [line.get_ydata()[0] for line in rings] == [pytest.approx(mean)]
        assert "recommended" in words_of(figure)


def test_the_label_prior_baseline_is_a_line_or_is_said_to_be_beyond(test):
    figure = score_figure(test)
    assert "label-prior baseline, 33.33 %" in words_of(figure)
    assert any(list(line.get_ydata()) == [pytest.approx(100 / 3)] * 2 for line in figure.axes[0].lines)
    far = score_figure(replace(test, prior_baseline=-5.0))
    assert any("(below this axis)" in words.replace("\n", " ") for words in words_of(far))
    assert far.axes[0].get_ylim()[0] > 0


@pytest.mark.parametrize("against", ["throughput", "tokens", "seconds"])
def test_cost(test, analysis, against):
    [axes] = throughput_figure(test, analysis.speeds, against=against).axes
    places = {round(float(line.get_xdata()[0]), 3) for line in axes.lines if len(line.get_xdata()) == 1}
    expected = {"throughput": {35, 40, 45, 50, 55, 60}, "tokens": {7.5}, "seconds": {2.0}}
    assert places == expected[against]


@pytest.mark.parametrize("width", [COLUMN, PAGE])
def test_print_size(test, tmp_path, width):
    figure = score_figure(test, width=width)
    figure.canvas.draw()
    [legend], [axes] = figure.legends, figure.axes
    sizes = [text.get_size() for text in [*legend.get_texts(), *axes.get_xticklabels(), axes.xaxis.label]]
    assert min(sizes) >= 7
    assert legend.get_window_extent().y1 < axes.xaxis.label.get_window_extent().y0
    assert figure.get_size_inches()[0] == width
    save(figure, tmp_path, "score")
    assert (tmp_path / "score.svg").read_bytes() != b""
    pixels = plt.imread(tmp_path / "score.png").shape[1]
    assert pixels == pytest.approx(300 * width, abs=1)


def test_a_given_axis_is_drawn_into(test, analysis):
    mine, (left, right) = plt.subplots(1, 2)
    assert score_figure(test, axes=left) is throughput_figure(test, analysis.speeds, axes=right) is mine
    assert left.get_legend() is not None
    assert mine.legends == []


def test_of_two_hundred_variants_the_most_relevant(analysis, test):
    row = test.means[0]
    means = [
        replace(
            row,
            variant=row.variant.model_copy(
                update={"number": number, "coordinates": {"truncation": f"s{number}", "max_len": 8}}
            ),
            estimate=IntervalEstimate(number / 200, number / 200 - 0.01, number / 200 + 0.01, 0.01, 9),
        )
        for number in range(200)
    ]
    many = replace(
        test, means=means, contrasts=[], recommendation=None, series=tuple(f"s{n}" for n in range(200))
    )
    [axes] = score_figure(many).axes
    assert [label.get_text() for label in axes.get_yticklabels()] == [f"s{n}" for n in range(160, 200)]
    assert axes.get_title(loc="left") == "40 of 200 variants: baselines and the best means"
    speeds = [replace(analysis.speeds[0], variant=each.variant) for each in means]
    figure = throughput_figure(many, speeds)
    assert "188 other variants" in words_of(figure)
    assert len(figure.axes[0].lines[0].get_xdata()) == 200
    assert seed_figure(many).get_size_inches()[1] < 11
