"""An audit as tables and as the figure, which is drawn from what a ledger keeps."""

import csv
from dataclasses import replace

import matplotlib.pyplot as plt
import numpy as np
import pytest
from pydantic import TypeAdapter

from trimtab.config import InputError
from trimtab.plan.audit import Audited, AuditRow, DifferenceRow
from trimtab.report.audit import audit_text, claim, difference_table, write
from trimtab.report.audit_figure import audit_figure
from trimtab.report.audit_tables import length_table
from trimtab.truncation import parse
from trimtab.truncation.audit import audit
from trimtab.truncation.profile import LengthProfile, LengthSummary, length_profile, length_summary

pytestmark = pytest.mark.integration

LENGTHS = np.random.default_rng(0).integers(3, 30, (2, 300))
DIFFERENCES = [
    DifferenceRow("test", 9, 1, "ratio", {2: 0.25}),
    DifferenceRow("test", 9, 2, "random(seed=1, x=2)", {1: 0.25}),
]


def profile(lengths=LENGTHS, specs=("longest_first", "only_first", "ratio"), marks=(16, 40)):
    second = lengths[1] if len(lengths) > 1 else None
    return length_profile(lengths[0], second, [parse(spec) for spec in specs], marks, 3)


def audited(differences=DIFFERENCES, hardly=(), notes=()):
    return Audited(
        rows=[AuditRow("ratio, max_len 9", "test", audit(*LENGTHS, *np.minimum(LENGTHS, 9)), 11.5)],
        differences=list(differences),
        profiles={"test": profile()},
        lengths={"test": length_summary(*LENGTHS, 3)},
        hardly=list(hardly),
        notes=list(notes),
    )


@pytest.fixture(autouse=True)
def figures_closed():
    yield
    plt.close("all")


def test_a_matrix_of_differences():
    lines = difference_table(DIFFERENCES).text().splitlines()
    assert lines[0].split("  ")[-1].strip() == "from 2, %"
    assert lines[2].split() == ["test", "9", "1", "ratio", "25.0"]
    assert lines[3].split() == ["test", "9", "2", "random(seed=1,", "x=2)", "25.0"]


def test_the_words(tmp_path):
    text = audit_text(["my.csv: 3 rows"], audited(hardly=["ratio, max_len 9"], notes=["A note."]))
    assert text.startswith("my.csv: 3 rows\n\nA note.\n\n")
    assert text.endswith("can be expected (under 1 % of rows cut): ratio, max_len 9.")
    assert "different tokens" in text
    assert text.index("How long the rows are") < text.index("What is cut")
    alone = audit_text([], audited(DIFFERENCES[:1]))
    assert "different tokens" not in alone
    assert "Hardly" not in alone


def test_the_files(tmp_path):
    paths = write(tmp_path / "out", audited())
    assert all(path.is_file() for path in paths)
    assert [path.name for path in paths] == ["lengths.md", "audit.md", "audit-differences.md", "audit.png"]
    assert (tmp_path / "out" / "figures" / "audit.svg").is_file()
    with (tmp_path / "out" / "tables" / "audit-differences.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert rows[1] == {
        "split": "test",
        "max_len": "9",
        "number": "2",
        "truncation": "random(seed=1, x=2)",
        "from_1": "0.25",
        "from_2": "",
    }
    svg = (tmp_path / "out" / "figures" / "audit.svg").read_bytes()
    write(tmp_path / "out", audited())
    assert (tmp_path / "out" / "figures" / "audit.svg").read_bytes() == svg


def test_a_folder_that_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("")
    for folder in (tmp_path / "file", tmp_path / "file" / "out"):
        for attempt in (claim, lambda folder: write(folder, audited())):
            with pytest.raises(InputError, match=r"cannot be written \(.*\); choose another folder"):
                attempt(folder)


def lines_of(axes):
    """Each drawn line's colour, style and y values."""
    return [(line.get_color(), line.get_linestyle(), line.get_ydata()) for line in axes.get_lines()]


def test_the_figure_shows_the_curves_of_the_profile():
    kept = TypeAdapter(dict[str, LengthProfile])
    made = kept.validate_json(kept.dump_json({"train": profile(), "test": profile()}))
    left, right = audit_figure(made).axes[:2]
    drawn = [np.asarray(y, float) for _, _, y in lines_of(right)]
    splits = made["train"].splits
    assert len(splits) == 3
    for shares in [made["train"].cut, *(side for row in splits for side in (row.first, row.second))]:
        wanted = np.array([np.nan if share is None else 100 * share for share in shares])
        assert any(len(y) == len(wanted) and np.array_equal(y, wanted, equal_nan=True) for y in drawn)
    marks = [line.get_xdata()[0] for line in left.get_lines()]
    assert marks == [16, 40]
    assert {text.get_text() for text in left.texts} == {"16", "40"}
    assert left.get_title(loc="left") == "train: 300 pairs"
    assert left.get_xlim() == right.get_xlim()


def legend(figure):
    [found] = figure.legends  # one for all panels
    return [text.get_text() for text in found.get_texts()]


def test_the_legend_says_how_many_special_tokens_rows_have():
    made = profile()
    assert "pair, with its 3 special tokens" in legend(audit_figure({"test (bert)": made}))
    both = {"test (bert)": made, "test (roberta)": replace(made, special=4)}
    assert "pair, with its 3 or 4 special tokens" in legend(audit_figure(both))


def test_the_legend_says_where_a_split_refuses():
    assert "only_first: refuses pairs where it has no line" in legend(audit_figure({"t": profile()}))
    words = legend(audit_figure({"t": profile(LENGTHS + np.array([[0], [500]]), marks=(20,))}))
    assert "only_first: refuses pairs where it has no line" in words
    made = profile()
    nowhere = (None,) * len(made.max_len)
    first, second, third = made.splits
    refusing = replace(made, splits=(first, replace(second, first=nowhere, second=nowhere), third))
    assert "only_first: refuses pairs everywhere" in legend(audit_figure({"t": refusing}))


@pytest.mark.parametrize(
    ("lengths", "marks", "scale"),
    [(LENGTHS, (16,), "linear"), (LENGTHS * [[1], [60]], (64,), "log"), (LENGTHS[:1], (16,), "linear")],
)
def test_the_axis(lengths, marks, scale, tmp_path):
    figure = audit_figure({"t": profile(lengths, marks=marks)})
    assert {axes.get_xscale() for axes in figure.axes} == {scale}
    figure.canvas.draw()  # a warning is an error here


def test_lengths_as_a_person_reads_them():
    lengths = LengthSummary(pairs=7695, mean=11.26, median=10.0, p90=17.0, p99=24.5, longest=1047)
    lines = length_table({"train": lengths}).text().splitlines()
    assert lines[2].split() == ["train", "7,695", "11.3", "10", "17", "24.5", "1,047"]


def test_the_lead_says_how_long_max_len_must_be():
    one = audit_text(["about"], replace(audited(), uncut={"texts": {0.95: 61, 0.99: 84}}))
    assert one.startswith("95 % of the rows are uncut from max_len 61 on, 99 % from 84 on\n\nabout\n\n")
    two = audit_text([], replace(audited(), uncut={"train": {0.95: 9, 0.99: 12}, "test": {0.95: 8, 0.99: 9}}))
    assert two.startswith(
        "95 % of the rows of train are uncut from max_len 9 on, 99 % from 12 on\n"
        "95 % of the rows of test are uncut from max_len 8 on, 99 % from 9 on\n"
    )
