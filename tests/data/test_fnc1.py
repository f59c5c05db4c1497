import csv

import numpy as np
import pytest

from trimtab.config import InputError
from trimtab.data.readers import read

pytestmark = pytest.mark.usefixtures("own_environment")


def said(*arguments, **options):
    with pytest.raises(InputError) as raised:
        read(*arguments, **options)
    assert "\n" not in str(raised.value)
    return str(raised.value)


def stances(folder, rows, bodies, split="train"):
    for name, header, cells in (
        ("stances", ["Headline", "Body ID", "Stance"], rows),
        ("bodies", ["Body ID", "articleBody"], bodies),
    ):
        folder.mkdir(exist_ok=True)
        with (folder / f"{split}_{name}.csv").open("w", newline="") as file:
            csv.writer(file).writerows([header, *cells])


BODIES = [["5", 'Long, "quoted"\ntext'], ["7", "Other text"], ["9", "Nobody asks"]]


@pytest.mark.parametrize(("split", "prefix"), [("train", "train"), ("test", "competition_test")])
def test_fnc1_joins_headlines_and_bodies(tmp_path, split, prefix):
    rows = [["A", "7", "agree"], ["B", "5", "unrelated"], ["C", "7", "discuss"]]
    stances(tmp_path / "fnc-1", rows, BODIES, prefix)
    found = read("fnc1", split, tmp_path)
    assert found.first == ["A", "B", "C"]
    assert found.second == ["Other text", 'Long, "quoted"\ntext', "Other text"]
    assert found.label_names == ("agree", "disagree", "discuss", "unrelated")
    assert (found.labels.tolist(), found.clusters.tolist()) == ([0, 3, 2], [0, 1, 0])


def test_wrong_bodies_and_stances_are_counted_and_named(tmp_path):
    rows = [[f"H{i}", str(i), "agree"] for i in range(4, 9)]
    stances(tmp_path, rows, BODIES)
    assert said("fnc1", "train", tmp_path) == (
        f"{tmp_path}/train_stances.csv: 3 stances without a body beside it: Body ID '4' on line 2, '6' on "
        "line 4, '8' on line 6; add the bodies, or take the rows out"
    )
    stances(tmp_path, rows, BODIES[:1])
    assert (
        "4 stances without a body beside it: Body ID '4' on line 2, '6' on line 4, '7' on line 5 and 1 more;"
        in (said("fnc1", "train", tmp_path))
    )
    stances(tmp_path, rows, [*BODIES, ["7", "Again"]])
    assert said("fnc1", "train", tmp_path) == (
        f"{tmp_path}/train_bodies.csv: 1 body with a Body ID that occurs before: '7' on line 6; keep "
        "one body for each"
    )
    stances(tmp_path, rows, [["5"]])
    assert said("fnc1", "train", tmp_path) == (
        f"{tmp_path}/train_bodies.csv:2: 1 column where the header has 2; correct the row"
    )
    stances(tmp_path, [["A", "7", "agrees"]], BODIES)
    assert said("fnc1", "train", tmp_path) == (
        f"{tmp_path}/train_stances.csv:2: label 'agrees' is not in the set, did you mean 'agree'? (correct "
        "the row)"
    )
    stances(tmp_path, [["", "7", "agree"]], BODIES)
    assert "train_stances.csv:2: nothing in column 'Headline'" in said("fnc1", "train", tmp_path)
    stances(tmp_path, [["A", "7", "agree"]], [["7", " "]])
    assert "train_bodies.csv:2: nothing in column 'articleBody'" in said("fnc1", "train", tmp_path)
    (tmp_path / "train_bodies.csv").unlink()
    assert f"there is no file {tmp_path}/train_bodies.csv beside the stances" in said(
        "fnc1", "train", tmp_path
    )


@pytest.mark.parametrize(
    ("split", "counts", "texts"),
    [("train", (3678, 840, 8909, 36545), 1669), ("test", (1903, 697, 4464, 18349), 900)],
)
def test_the_real_fnc1_has_its_counts(shared_data, split, counts, texts):
    found = read("fnc1", split, shared_data)
    assert len(found) == {"train": 49_972, "test": 25_413}[split]
    assert tuple(np.bincount(found.labels)) == counts
    assert found.clusters.max() + 1 == texts  # of 1,683 and 904 bodies, some of which are alike
    body = dict(zip(found.clusters.tolist(), found.second, strict=True))
    assert [body[cluster] for cluster in found.clusters.tolist()] == found.second
