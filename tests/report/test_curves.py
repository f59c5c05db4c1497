"""The learning curves of a report: the table of epochs, each trial's, the remark, the figure."""

import csv

import matplotlib.pyplot as plt
import numpy as np
import pytest

from handmade import epoch
from trimtab.analysis.analysis import analyse
from trimtab.report.curves_figure import curves_figure

# By variant: validation losses after each of four epochs; the second rises from its lowest on.
VALIDATION = [[0.9, 0.8, 0.7, 0.6], [0.9, 0.5, 0.7, 0.8], [0.8, 0.7, 0.7, 0.65]]


def epochs(variant, seed):
    """Seeds stand apart by their level, so that their rises agree but for a little."""
    return [
        epoch(
            number,
            validation_loss=loss + 0.1 * seed + 0.001 * seed * number,
            validation_accuracy=0.5 + number / 100,
            seconds=1.5 + seed,
        )
        for number, loss in enumerate(VALIDATION[variant], 1)
    ]


@pytest.fixture(scope="module")
def ledger(tmp_path_factory, handmade, scores):
    folder = tmp_path_factory.mktemp("made")
    return handmade.write(folder, {"test": scores}, epochs=epochs)


@pytest.fixture(scope="module")
def text(ledger, section):
    """The section of that ledger's report; its tables are there too."""
    return section(ledger.folder)


@pytest.fixture(autouse=True)
def figures_closed():
    yield
    plt.close("all")


def rows(folder, name):
    with (folder / "tables" / f"{name}.csv").open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="session")
def section(reported):
    """section(folder): the learning curves of the report of a ledger; see ``reported``."""

    def read(folder, curves=False):
        page = reported(folder, curves).path.read_text()
        return page.split("## Learning curves\n\n")[1].split("\n\n## ")[0]

    return read


def test_the_table_of_epochs(ledger, text):
    assert "| t1, max_len 8 | 3       | 0.3333" in text
    line = next(line for line in text.splitlines() if line.startswith("| t1, max_len 8 | 4 "))
    assert [cell.strip() for cell in line.split("|")[3:-1]] == [
        "0.2500 (0.2500 to 0.2500)",
        "0.9560 (0.8000 to 1.1120)",
        "54.00 (54.00 to 54.00)",
        "3.0 (1.5 to 4.5)",
        "0.25 (0.25 to 0.25)",
        "4 of 4 seeds",
    ]
    table = rows(ledger.folder, "epochs")
    assert [(row["name"], row["epoch"]) for row in table[:5]] == [
        *(("t0, max_len 8", str(e)) for e in (1, 2, 3, 4)),
        ("t1, max_len 8", "1"),
    ]
    assert float(table[7]["validation_loss_high"]) == pytest.approx(1.112)
    assert (table[3]["evaluated"], table[2]["evaluated"]) == ("0 1 2 3", "")


def test_each_trials_epochs(ledger, text):
    assert "(tables/epochs-by-trial.csv)" in text
    table = rows(ledger.folder, "epochs-by-trial")
    assert len(table) == 3 * 4 * 4
    found = {(row["name"][:2], row["seed"], row["epoch"]): row for row in table}
    row = found["t2", "1", "4"]
    assert float(row["validation_loss"]) == pytest.approx(0.65 + 0.1 + 0.004)
    assert (float(row["loss"]), float(row["seconds"]), float(row["validation_seconds"])) == (0.25, 2.5, 0.25)
    assert (row["evaluated"], found["t2", "1", "3"]["evaluated"]) == ("True", "False")


def test_the_remark(text):
    assert text.startswith(
        "* **t1, max_len 8** over-fits from epoch 3 on: validation loss is lowest after epoch 2 and ends "
        "0.303 nats higher (standard error 0.001, 4 seeds), while training loss falls from 0.500 to 0.250.\n"
    )
    assert text.count("over-fits") == 1
    assert "describes the curves and is not a test" in text


def test_the_remark_of_one_seed(tmp_path, handmade, scores, section):
    handmade.write(tmp_path, {"test": scores[:, :1]}, epochs=epochs)
    assert "ends 0.300 nats higher (one seed, so it may be chance)" in section(tmp_path)


@pytest.mark.integration
def test_nothing_over_fits(tmp_path, handmade, scores, section):
    handmade.write(tmp_path, {"test": scores}, epochs=lambda variant, seed: epochs(0, seed))
    text = section(tmp_path)
    assert text.startswith("* No variant over-fits: ")
    assert "describes the curves" not in text
    handmade.write(tmp_path / "one", {"test": scores}, epochs=lambda variant, seed: [epoch(1)])
    assert "over-fit" not in section(tmp_path / "one", curves=True)


def thick_lines(axes):
    """The means of training and of validation, among lines of four seeds each."""
    lines = [line for line in axes.lines if len(line.get_xdata()) == 4]
    assert len(lines) == 2 * (4 + 1)
    widest = max(line.get_linewidth() for line in lines)
    return [line.get_ydata() for line in lines if line.get_linewidth() == widest]


def test_the_figure_shows_every_seed_and_the_mean(ledger):
    analysis = analyse(ledger)
    figure = curves_figure(analysis.curves, analysis.overfitted)
    losses, accuracies = figure.axes[:3], figure.axes[3:]
    assert [axes.get_title(loc="left") for axes in losses] == [f"t{n}, max_len 8" for n in range(3)]
    for variant, axes in enumerate(losses):
        training, validation = thick_lines(axes)
        np.testing.assert_allclose(training, [1, 1 / 2, 1 / 3, 1 / 4])
        means = np.array(VALIDATION[variant]) + 0.15 + 0.0015 * np.arange(1, 5)
        np.testing.assert_allclose(validation, means)
    for axes in accuracies:
        training, validation = thick_lines(axes)
        np.testing.assert_allclose(training, [40] * 4)
        np.testing.assert_allclose(validation, 50 + np.arange(1, 5))
    for place, axes in enumerate(figure.axes):
        variant = place % 3
        vertical = [line for line in axes.lines if list(line.get_xdata()) == [3, 3]]
        assert len(vertical) == (variant == 1)
    [legend] = figure.legends
    words = [text.get_text() for text in legend.get_texts()]
    assert words == ["training, with dropout", "validation", "over-fitting begins"]


def test_of_many_variants_those_that_over_fit_come_first(tmp_path, handmade, scores):
    ledger = handmade.write(
        tmp_path,
        {"test": np.tile(scores[:1, :1], (14, 1, 1))},
        epochs=lambda variant, seed: epochs(int(variant == 13), seed),
    )
    analysis = analyse(ledger)
    figure = curves_figure(analysis.curves, analysis.overfitted)
    titles = [axes.get_title(loc="left") for axes in figure.axes]
    shown = [title for title in titles if title]
    assert shown == [*(f"t{number}, max_len 8" for number in range(11)), "t13, max_len 8"]
    assert figure.get_suptitle() == "12 of 14 variants"
