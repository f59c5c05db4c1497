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


def names(found):
    return [found.label_names[label] for label in found.labels]


FILES = {
    "mrpc": (
        "MRPC",
        "Quality\t#1 ID\t#2 ID\t#1 String\t#2 String",
        '1\t7\t8\tHe said "a\t"b" he said',
        "\ufeff",
    ),
    "rte": ("RTE", "index\tsentence1\tsentence2\tlabel", '0\tHe said "a\t"b" he said\tentailment', ""),
    "qnli": ("QNLI", "index\tquestion\tsentence\tlabel", '0\tHe said "a\t"b" he said\tentailment', ""),
    "qqp": (
        "QQP",
        "id\tqid1\tqid2\tquestion1\tquestion2\tis_duplicate",
        '1\t2\t3\tHe said "a\t"b" he said\t1',
        "",
    ),
    "mnli": (
        "MNLI",
        "index\tpromptID\tpairID\tgenre\tsentence1_parse\tsentence1\tsentence2\tlabel1\tgold_label",
        '0\t1\t1e\tfiction\t( )\tHe said "a\t"b" he said\tneutral\tentailment',
        "",
    ),
    "sst2": ("SST-2", "sentence\tlabel", 'He said "a\t1', ""),
}
NAMES = {
    "mrpc": ("not_equivalent", "equivalent"),
    "rte": ("entailment", "not_entailment"),
    "qnli": ("entailment", "not_entailment"),
    "qqp": ("not_duplicate", "duplicate"),
    "mnli": ("entailment", "neutral", "contradiction"),
    "sst2": ("negative", "positive"),
}


@pytest.mark.parametrize("task", FILES)
@pytest.mark.parametrize("below", ["", "glue_data"])
def test_a_task_of_glue(tmp_path, task, below):
    folder, header, row, mark = FILES[task]
    dev = "dev_matched" if task == "mnli" else "dev"
    write(tmp_path / below / folder / "train.tsv", f"{mark}{header}\n{row}\n{row}\n")
    write(tmp_path / below / folder / f"{dev}.tsv", f"{mark}{header}\n{row}\n")
    found = read("glue", "train", tmp_path, task=task)
    assert found.first == ['He said "a'] * 2
    assert found.second == (None if task == "sst2" else ['"b" he said'] * 2)
    assert found.label_names == NAMES[task]
    positive = {"mrpc": "equivalent", "qqp": "duplicate", "sst2": "positive"}.get(task, "entailment")
    assert names(found) == [positive] * 2
    assert found.clusters.tolist() == ([0, 1] if task in ("mrpc", "sst2") else [0, 0])
    assert found.dropped == 0
    for split in ("validation", "test"):
        assert len(read("glue", split, tmp_path / below / folder, task=task)) == 1


def test_both_development_sets_of_mnli(tmp_path):
    folder, header, row, _ = FILES["mnli"]
    write(tmp_path / folder / "dev_matched.tsv", f"{header}\n{row}\n")
    write(tmp_path / folder / "dev_mismatched.tsv", f"{header}\n{row}\n{row}\n")
    assert len(read("glue", "validation_matched", tmp_path, task="mnli")) == 1
    assert len(read("glue", "validation_mismatched", tmp_path, task="mnli")) == 2
    sentence = said("glue", "validation_matched", tmp_path, task="rte")
    assert sentence == (
        "reader 'glue': task 'rte' has no split 'validation_matched'; take 'train' or 'validation'"
    )


def test_broken_lines_of_qqp_are_counted(tmp_path):
    folder, header, row, _ = FILES["qqp"]
    broken = [
        "1\t2\t3\tthe first half",
        "the second half\t0",
        "5\t6\t7\t \tno first\t0",
        "8\t9\t10\ta\tb\tc\t0",
    ]
    write(tmp_path / folder / "train.tsv", "\n".join([header, row, *broken, row, "", row]))
    found = read("glue", "train", tmp_path, task="qqp")
    assert (len(found), found.dropped) == (3, 4)
    write(tmp_path / folder / "train.tsv", "\n".join([header, *broken, row]))  # the first line, too
    found = read("glue", "train", tmp_path, task="qqp")
    assert (len(found), found.dropped) == (1, 4)


def test_a_file_of_another_kind_is_no_glue(tmp_path):
    path = write(tmp_path / "dev.jsonl", '{"question": "is it"}\n')
    assert said("glue", "train", tmp_path, task="rte", file=path.name) == (
        f"{path}: GLUE files end in .tsv, .txt, .csv; for another file use reader = 'table'"
    )


@pytest.mark.parametrize(
    ("task", "text", "message"),
    [
        (
            "rte",
            "index\tsentence1\tlabel\n",
            ": no column 'sentence2' in the header, did you mean 'sentence1'?",
        ),
        ("rte", "index\tsentence1\tsentence2\tlabel\n0\ta\tb\n", ":2: 3 columns where the header has 4"),
        (
            "rte",
            "index\tsentence1\tsentence2\tlabel\n0\ta\tb\tneutral\n",
            ":2: label 'neutral' is not in the",
        ),
        (
            "rte",
            "index\tsentence1\tsentence2\tlabel\n0\t\tb\tentailment\n",
            ":2: nothing in column 'sentence1'",
        ),
        ("rte", "", ":1: no header"),
        ("mnli", "sentence1\tsentence2\n", ": no column 'gold_label' in the header"),
        ("mnli", "sentence1\tsentence2\tlabel\na\tb\t-\n", ": no row with a label (1 were left out)"),
        (
            "qqp",
            "question1\tquestion2\tis_duplicate\na\tb\tyes\n",
            ":2: label 'yes' is not in the set, known: 0, 1",
        ),
    ],
)
def test_a_wrong_line_of_glue_is_named(tmp_path, task, text, message):
    path = write(tmp_path / FILES[task][0] / "train.tsv", text)
    assert said("glue", "train", tmp_path, task=task).startswith(f"{path}{message}")


def test_no_such_folder_of_glue(tmp_path):
    sentence = said("glue", "test", tmp_path, task="sst2")
    assert sentence.startswith(
        f"{tmp_path}: holds no SST-2/dev.tsv, there or a folder down; get it from https://"
    )


@pytest.mark.parametrize(
    ("file", "rows", "dropped"),
    [
        ("multinli_1.0_dev_matched.csv", (3479, 3123, 3213), 185),
        ("multinli_1.0_dev_mismatched.csv", (3463, 3129, 3240), 168),
        ("nyu_hw2_mnli_train.tsv", (6709, 6646, 6645), 0),
    ],
)
def test_the_real_mnli_has_its_counts(shared_data, file, rows, dropped):
    found = read("glue", "train", shared_data, task="mnli", file=f"mnli/{file}")
    assert tuple(np.bincount(found.labels)) == rows
    assert (found.dropped, len(set(found.first))) == (dropped, found.clusters.max() + 1)
