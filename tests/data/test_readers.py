import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError

from trimtab.config import InputError
from trimtab.data import readers
from trimtab.data.examples import Examples
from trimtab.data.readers import READERS, check, describe, option_meanings, options_of, read

NAMES = [
    "probe",
    "snli",
    "cola",
    "mrpc",
    "rte",
    "qnli",
    "qqp",
    "mnli",
    "stsb",
    "sst2",
    "fnc1",
    "boolq",
    "wikiqa",
    "sick",
    "table",
    "hub",
]
TABLE = {"file": "a.csv", "first": "a", "label": "b"}


def examples(labels=(0, 1, 1, 2), names=("a", "b", "c")):
    rows = len(labels)
    return Examples(
        first=[f"first {i}" for i in range(rows)],
        second=[f"second {i}" for i in range(rows)],
        labels=np.array(labels),
        label_names=names,
        clusters=np.array([0, 1, 2, 2])[:rows],
        evidence=np.arange(2 * rows).reshape(rows, 2),
        dropped=3,
        source="some.csv",
    )


def test_take_keeps_rows_whole_and_clusters_dense():
    found = examples().take([3, 1, 3])
    assert found.first == ["first 3", "first 1", "first 3"]
    assert found.second == ["second 3", "second 1", "second 3"]
    assert found.labels.tolist() == [2, 1, 2]
    assert found.clusters.tolist() == [1, 0, 1]
    assert found.evidence.tolist() == [[6, 7], [2, 3], [6, 7]]
    assert (found.dropped, found.source, found.label_names) == (3, "some.csv", ("a", "b", "c"))
    assert len(examples().take([])) == 0


def test_relabel_gives_ids_under_another_order():
    found = examples().relabel(["c", "x", "a", "b"])
    assert found.labels.tolist() == [2, 3, 3, 0]
    assert found.label_names == ("c", "x", "a", "b")
    assert examples(labels=(0, 1)).relabel(["b", "a"]).labels.tolist() == [1, 0]
    with pytest.raises(InputError, match=r"some\.csv: label 'c' is not in the set, known: a, b"):
        examples().relabel(["b", "a"])


def test_arrays_of_other_lengths_are_a_defect():
    with pytest.raises(ValueError, match="differ in length"):
        Examples(["a"], None, np.array([0, 1]), ("a",), np.array([0]))


@pytest.mark.parametrize(
    ("reader", "split", "options", "message"),
    [
        ("snil", "train", {}, "no reader 'snil', did you mean 'snli'?"),
        ("snli", "dev", {}, "reader 'snli': no split 'dev', known: test, train, validation"),
        ("snli", "train", {"sample": 0}, "option 'sample' (number of rows to sample"),
        ("snli", "train", {"sample": 2.5}, "is 2.5, but should be a valid integer"),
        ("probe", "train", {"sample_seed": 1}, "option 'sample_seed' has nothing to draw; say how many rows"),
        ("glue", "train", {}, "reader 'glue': option 'task' is missing: which task"),
        (
            "glue",
            "train",
            {"task": "sst-2"},
            "is 'sst-2', but should be 'mrpc', 'rte', 'qnli', 'qqp', 'mnli', 'stsb' or",
        ),
        ("fnc1", "validation", {}, "reader 'fnc1': no split 'validation', known: test, train"),
        (
            "cola",
            "dev",
            {},
            "no split 'dev', known: in_domain_dev, out_of_domain_dev, test, train, validation",
        ),
        ("snli", "train", {"txt": "parse"}, "reader 'snli': no option 'txt', did you mean 'text'?"),
        ("snli", "train", {"text": "raw"}, "is 'raw', but should be 'parse' or 'sentence'"),
        ("snli", "train", {"file": 3}, "option 'file' (a file in the official format to read"),
        ("table", "x", {"file": "a.csv", "first": "a"}, "option 'label' is missing: the column of the label"),
        ("table", "x", {"fiel": "a.csv"}, "reader 'table': no option 'fiel', did you mean 'file'?"),
        ("table", "x", TABLE | {"labels": "a"}, "is 'a', but should be a list"),
        ("table", "x", TABLE | {"labels": ["a", 0.5]}, "is 0.5, but should be a valid string"),
        ("table", "x", TABLE | {"labels": []}, "is [], but should be a list that names each label once"),
        ("table", "x", TABLE | {"labels": ["a", "a"]}, "a list that names each label once"),
        (
            "probe",
            "train",
            {"train": 0},
            "(pairs to train on) is 0, but should be greater than or equal",
        ),
        ("probe", "train", {"train": "9"}, "is '9', but should be a valid integer"),
        ("probe", "train", {"train": True}, "is True, but should be a valid integer"),
        ("probe", "train", {"seed": -1}, "is -1, but should be greater than or equal to 0"),
        ("probe", "train", {"seed": 1.0}, "is 1.0, but should be a valid integer"),
        (
            "probe",
            "train",
            {"first_length": [9, 5]},
            "is [9, 5], but should be a list of two whole",
        ),
        ("probe", "train", {"first_length": [0, 5]}, "is [0, 5], but should be a list of two"),
        ("probe", "train", {"first_length": [1, 5.0]}, "is [1, 5.0], but should be a list of two"),
        ("probe", "train", {"second_length": 5}, "is 5, but should be a list of two"),
        ("probe", "train", {"evidence": "middle"}, "is 'middle', but should be 'uniform', 'head' or 'tail'"),
        ("probe", "train", {"evidence": ["head"]}, "is ['head'], but should be 'uniform'"),
        ("probe", "train", {"evidence": ["head", 1]}, "is ['head', 1], but should be 'uniform'"),
        ("probe", "train", {"evidence": [["head"], "tail"]}, "but should be 'uniform'"),
    ],
)
def test_wrong_names_and_options_are_refused_before_any_data_is_read(reader, split, options, message):
    for refuse in (check, read):
        with pytest.raises(InputError) as raised:
            refuse(reader, split, **options)
        assert message in str(raised.value)
        assert "\n" not in str(raised.value)


def test_check_gives_the_options_with_their_defaults():
    found = check("probe", "test", evidence="head", first_length=[3, 4])
    assert found.evidence == ("head", "head")
    assert found.first_length == (3, 4)
    assert found.test == 2000
    assert check("probe", "test", **found.model_dump(mode="json")) == found
    assert check("table", "x", labels=[0, True], **TABLE).labels == ("0", "true")
    with pytest.raises(ValidationError):
        found.test = 3


def test_options_are_listed_by_name():
    assert options_of("snli") == ("text", "file", "sample", "sample_seed")
    assert options_of("probe")[:2] == ("train", "test")
    for name, reader in READERS.items():
        assert {"sentence"} <= set(reader.text_forms) <= {"parse", "sentence"}
        if "text" in options_of(name):
            assert reader.options.model_fields["text"].default == reader.text_forms[0]
        else:
            assert len(reader.text_forms) == 1
        assert all(field.description for field in reader.options.model_fields.values()), name


def test_every_reader_is_described():
    rows = describe()
    assert [row["name"] for row in rows] == NAMES
    assert list(dict.fromkeys(row["reader"] for row in rows)) == list(READERS)
    assert all(isinstance(cell, str) and cell and "\n" not in cell for row in rows for cell in row.values())
    assert all(
        {"columns", "labels", "metric", "clusters", "licence", "where from"} <= row.keys() for row in rows
    )
    for reader, options in {
        "probe": ["first_length = [25, 60]"],
        "snli": ['text = "parse"', "file", "sample", "sample_seed = 0"],
        "table": ["file (required)", "first (required)", "second", "label (required)"],
    }.items():
        assert [name for name in option_meanings(reader) if name in options] == options


class Entry:
    def __init__(self, name, value):
        self.name, self.value = name, f"somewhere:{name}"
        self.load = lambda: value


def test_readers_of_other_packages_are_found_and_ours_come_first(monkeypatch):
    seen = []

    def read_theirs(split, root, options):
        seen.append((split, root, options))
        return examples()

    facts = {"theirs": READERS["probe"].facts["probe"]}
    theirs = READERS["snli"].__class__(**vars(READERS["probe"]) | {"read": read_theirs, "facts": facts})
    entries = [Entry("theirs", theirs), Entry("snli", theirs)]
    monkeypatch.setattr(
        readers, "entry_points", lambda group: entries if group == "trimtab.readers" else pytest.fail(group)
    )
    assert len(read("theirs", "test", "some/folder", seed=4)) == 4
    assert seen == [("test", Path("some/folder"), check("probe", "test", seed=4))]
    assert readers.reader_of("snli") is READERS["snli"]
    assert [row["name"] for row in describe()] == [*NAMES, "theirs"]
    assert len(read("theirs", "test", "some/folder", sample=2)) == 2
    entries.append(Entry("odd", 3))
    with pytest.raises(InputError, match=r"reader 'odd': somewhere:odd is not a trimtab.data.readers.Reader"):
        read("odd", "test")


def test_a_study_file_can_be_checked_without_anything_heavy():
    heavy = "{'torch', 'pandas', 'pyarrow', 'datasets'}"
    code = f"import sys, trimtab.data.readers; print(sorted({heavy} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "[]\n"
