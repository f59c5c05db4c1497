"""One table that holds several splits: by a column that names them, or by a share drawn for the test set."""

import numpy as np
import pytest

from trimtab.config import InputError
from trimtab.data.readers import check, read

pytestmark = pytest.mark.usefixtures("own_environment")

COLUMNS = {"first": "text", "label": "label"}


@pytest.fixture
def table(tmp_path):
    """400 rows in 80 clusters of five; the label z is rare; the splits are those of the fourth column."""
    rows = [
        f"text {n},{'z' if n == 7 else 'ab'[n % 2]},c{n // 5},{('TRAIN', 'TRAIN', 'DEV', 'TEST')[n % 4]}"
        for n in range(400)
    ]
    (tmp_path / "all.csv").write_text("\n".join(["text,label,group,part", *rows]))
    return lambda split, **options: read("table", split, tmp_path, file="all.csv", **COLUMNS, **options)


def test_a_share_is_drawn_in_whole_clusters(table):
    train, test = (table(split, test_share=0.25, cluster="group") for split in ("train", "test"))
    assert sorted(train.first + test.first) == sorted(f"text {n}" for n in range(400))
    clusters = [{int(text.split()[1]) // 5 for text in part.first} for part in (train, test)]
    assert not clusters[0] & clusters[1]
    assert len(test) == 100
    assert train.label_names == test.label_names == ("a", "b", "z")  # wherever the rare one is
    assert abs(np.mean(test.labels == 0) - 0.5) <= 0.03
    assert train.source != test.source


def test_the_draw_depends_on_its_seed_alone(table):
    one, same, other = (table("test", test_share=0.2, test_seed=seed).first for seed in (0, 0, 1))
    assert one == same != other


def test_a_column_names_the_splits(table):
    parts = {split: table(split, split_column="part").first for split in ("TRAIN", "DEV", "TEST")}
    assert {split: len(texts) for split, texts in parts.items()} == {"TRAIN": 200, "DEV": 100, "TEST": 100}
    assert parts["DEV"][0] == "text 2"
    assert len({table(split, split_column="part").source for split in parts}) == 3


def test_rows_of_another_split_may_be_without_a_label(tmp_path):
    (tmp_path / "t.csv").write_text("text,label,part\na b,x,train\nc d,,test\ne f,y,train\n")
    assert len(read("table", "train", tmp_path, file="t.csv", split_column="part", **COLUMNS)) == 2


@pytest.mark.parametrize(
    ("split", "options", "said"),
    [
        ("train", {"split_column": "part"},
         "no row has 'train' in column 'part' (known: DEV, TEST, TRAIN); name one of its values as 'split'"),
        ("validation", {"test_share": 0.2},
         "test_share = 0.2 divides it between train and test, so that nothing is left for validation; move "
         "test_share into [data.train] and [data.test], or leave [data.validation] out"),
        ("test", {"test_share": 0.001},
         "test_share = 0.001 of 400 rows in 400 clusters leaves no whole cluster for train and one for test; "
         "change it, or name the test rows' file in [data.test]"),
    ],
)  # fmt: skip
def test_what_cannot_be_divided(table, split, options, said):
    with pytest.raises(InputError) as caught:
        table(split, **options)
    assert str(caught.value).partition("all.csv: ")[2] == said


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"test_share": 0.2, "split_column": "part"},
         "options 'split_column' and 'test_share' both divide the file; keep one of them"),
        ({"test_seed": 3}, "option 'test_seed' has nothing to draw; say how many rows with 'test_share'"),
        ({"test_share": 1.0}, "is 1.0, but should be less than 1"),
    ],
)  # fmt: skip
def test_options_that_contradict_each_other(options, said):
    with pytest.raises(InputError) as caught:
        check("table", "train", file="all.csv", **COLUMNS, **options)
    assert said in str(caught.value)
