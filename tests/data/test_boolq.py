import json
import re

import numpy as np
import pytest

from trimtab.config import InputError
from trimtab.data.readers import read

pytestmark = pytest.mark.usefixtures("own_environment")


def write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def said(*arguments, **options):
    with pytest.raises(InputError) as raised:
        read(*arguments, **options)
    assert "\n" not in str(raised.value)
    return str(raised.value)


ANSWERED = [
    {"question": "is it so", "title": "It", "answer": True, "passage": "It is so."},
    {"question": "was it", "title": "It", "answer": False, "passage": "It is so."},
]


def test_boolq_as_published_and_as_in_superglue(tmp_path):
    write(tmp_path / "boolq" / "dev.jsonl", "\n".join(map(json.dumps, ANSWERED)))
    renamed = [{"label" if key == "answer" else key: value for key, value in row.items()} for row in ANSWERED]
    write(tmp_path / "super" / "BoolQ" / "val.jsonl", "\n".join(map(json.dumps, renamed)))
    for root in (tmp_path, tmp_path / "boolq", tmp_path / "super"):
        for split in ("validation", "test"):
            found = read("boolq", split, root)
            assert found.first == ["is it so", "was it"]
            assert found.second == ["It is so."] * 2
            assert (found.label_names, found.labels.tolist()) == (("false", "true"), [1, 0])
            assert found.clusters.tolist() == [0, 0]
    assert "holds no boolq/train.jsonl, nor BoolQ/train.jsonl, there" in said("boolq", "train", tmp_path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"answer": "perhaps"}, ":1: label 'perhaps' is not in the set, known: false, true"),
        ({"answer": None}, ":1: nothing in column 'answer'"),
        ({"question": 3}, ":1: column 'question' holds 3, which is not text"),
        ({"passage": " "}, ":1: nothing in column 'passage'"),
    ],
)
def test_a_wrong_line_of_boolq_is_named(tmp_path, change, message):
    path = write(tmp_path / "mine.jsonl", json.dumps(ANSWERED[0] | change))
    assert said("boolq", "train", tmp_path, file="mine.jsonl").startswith(f"{path}{message}")


def test_boolq_is_json_lines(tmp_path):
    path = write(tmp_path / "mine.csv", "question,passage,answer\n")
    assert said("boolq", "train", tmp_path, file="mine.csv").startswith(f"{path}: BoolQ is a JSON Lines file")
    path = write(tmp_path / "mine.jsonl", '{"question": "a", "answer": true}')
    assert re.search(r":1: no key 'passage', ", said("boolq", "train", tmp_path, file="mine.jsonl"))


@pytest.mark.parametrize(
    ("options", "counts", "passages"),
    [({}, (1237, 2033), 2938), ({"file": "boolq/train_2000.jsonl"}, (759, 1241), 1886)],
)
def test_the_real_boolq_has_its_counts(shared_data, options, counts, passages):
    found = read("boolq", "test", shared_data, **options)
    assert tuple(np.bincount(found.labels)) == counts
    assert found.clusters.max() + 1 == passages == len(set(found.second))
