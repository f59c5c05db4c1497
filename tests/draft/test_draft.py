"""What a drafted study says of a table: which column is what, which lengths, which rows are tested."""

import csv
import io
import json
import random
import tomllib
from pathlib import Path

import numpy as np
import pyarrow
import pyarrow.parquet
import pytest
from hypothesis import HealthCheck, given, reject, settings
from hypothesis import strategies as st

from trimtab.config import InputError
from trimtab.data.dataset import read_splits
from trimtab.draft import example
from trimtab.draft.draft import draft, file_name
from trimtab.draft.roles import Asked
from trimtab.study.definition import load_text

WORDS = ("red", "dog", "runs", "over", "big", "hill", "while", "cats", "sleep", "near", "old", "barn", "west")
OUT = Path("study.toml")


def texts(seed, number, least, most):
    random_ = random.Random(seed)
    return [" ".join(random_.choices(WORDS, k=random_.randint(least, most))) for _ in range(number)]


def written(name, columns):
    """A table of these columns as a file in the current folder, in the format of its name."""
    rows = list(zip(*columns.values(), strict=True))
    if name.endswith(".csv"):
        with open(name, "w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows([list(columns), *rows])
    elif name.endswith(".parquet"):
        pyarrow.parquet.write_table(pyarrow.table(columns), name)
    else:
        records = (json.dumps(dict(zip(columns, row, strict=True))) for row in rows)
        Path(name).write_text("\n".join(records))
    return name


@pytest.fixture(autouse=True)
def here(own_environment, monkeypatch):
    monkeypatch.chdir(own_environment)


@pytest.fixture
def pairs():
    """300 pairs whose second text is four times as long as the first."""
    return {
        "id": list(range(300)),
        "headline": texts(1, 300, 3, 7),
        "body": texts(2, 300, 10, 30),
        "stance": [("agree", "disagree", "unrelated")[n % 3] for n in range(300)],
    }


@pytest.fixture
def drafted():
    """drafted(columns, name, ...): [data] and [grid] of the draft, what it says, and its splits."""

    def make(columns, name="some.csv", **asked):
        made = draft(written(name, columns), None, OUT, Asked(**asked))
        study = tomllib.loads(made.text)
        splits = read_splits(load_text(OUT, made.text).data, None)
        return study["data"], study["grid"], "\n".join(made.said), splits

    return make


def test_columns_of_a_pair(drafted, pairs):
    data, grid, said, splits = drafted(pairs)
    assert [data[key] for key in ("first", "second", "label")] == ["headline", "body", "stance"]
    assert data["file"] == "some.csv"
    assert "target" not in data
    assert 'first text: "headline", ' in said
    assert '3 classes: "agree" 100, "disagree" 100, "unrelated" 100' in said
    assert grid["truncation"] == ["longest_first", "ratio", "only_second(otherwise=longest_first)+head_tail"]
    assert {name: len(rows) for name, rows in splits.items()} == {"train": 216, "validation": 24, "test": 60}


def test_lengths_are_those_of_the_audit(drafted, pairs, trimtab):
    _, grid, said, _ = drafted(pairs)
    code, audit, _ = trimtab("audit", "some.csv", "--first", "headline", "--second", "body")
    assert code == 0
    most, nearly_all = (audit[0].split(", ")[n].split(" from ")[1].split()[-2] for n in (0, 1))
    assert f"95 % uncut from max_len {most} on, 99 % uncut from max_len {nearly_all} on" in said
    assert max(grid["max_len"]) == int(nearly_all)
    assert min(grid["max_len"]) <= int(most) // 2


@pytest.mark.parametrize("name", ["some.jsonl", "some.parquet"])
def test_other_formats(drafted, pairs, name):
    pairs["score"] = np.linspace(0, 5, 300).tolist()
    data, _, said, splits = drafted(pairs, name, label="score")
    assert (data["target"], data["label"]) == ("score", "score")
    assert "scores from 0 to 5" in said
    assert sorted(splits["test"].labels)[-1] > 3


@pytest.mark.parametrize("name", ["stance", "headline"])
def test_a_key_that_the_first_object_lacks_is_a_column_too(pairs, name):
    """Its row cannot be read, and the study does not do without the column in silence."""
    rows = [{name: cells[n] for name, cells in pairs.items()} for n in range(300)]
    del rows[0][name]
    Path("some.jsonl").write_text("\n".join(map(json.dumps, rows)))
    with pytest.raises(InputError, match=rf"some\.jsonl: 1 of 300 rows have nothing in|no key '{name}'"):
        draft("some.jsonl", None, OUT, Asked())


def test_a_single_text(drafted, pairs):
    data, grid, _, _ = drafted(pairs, first="body")
    assert "second" not in data
    assert grid["truncation"] == ["longest_first", "longest_first+tail", "longest_first+head_tail"]


def test_frequent_labels_are_judged_by_macro_f1(pairs):
    pairs["stance"] = ["rare" if n % 10 == 0 else "usual" for n in range(300)]
    made = draft(written("some.csv", pairs), None, OUT, Asked())
    assert load_text(OUT, made.text).compare.score == "macro_f1"


@pytest.mark.parametrize(
    ("names", "chosen"),
    [
        (("sentence_id", "candidate", "query"), ("query", "candidate")),
        (("text", "summary", "s_binary_parse"), ("text", "summary")),
        (("Sentence_B", "Sentence_A", "QuestionID"), ("Sentence_A", "Sentence_B")),
        (("url", "street", "overtime"), ("street", "overtime")),
    ],
)
def test_names_of_texts(drafted, names, chosen):
    columns = {name: texts(seed, 60, 3, 9) for seed, name in enumerate(names)}
    data, _, _, _ = drafted(columns | {"label": ["x", "y"] * 30})
    assert (data["first"], data["second"]) == chosen


def test_what_the_user_says_is_taken(drafted, pairs):
    pairs["group"] = [n // 3 for n in range(300)]
    data, _, said, splits = drafted(pairs, first="body", second="headline", label="stance", cluster="group")
    assert [data[key] for key in ("first", "second", "cluster")] == ["body", "headline", "group"]
    assert said.count("as you said") == 4
    assert len(np.unique(splits["test"].clusters)) == 20


def test_a_text_that_repeats_is_a_cluster_and_stands_in_one_split_alone(drafted, pairs):
    pairs["body"] = [pairs["body"][n // 4] for n in range(300)]
    data, _, said, splits = drafted(pairs)
    assert data["cluster"] == "body"
    assert "its texts repeat" in said
    parts = [set(rows.second) for rows in splits.values()]
    assert sum(map(len, parts)) == len(set().union(*parts)) == 75


def test_grades_of_texts_that_share_a_query(drafted):
    columns = {
        "qid": [f"q{n // 5}" for n in range(300)],
        "question": [text for text in texts(3, 60, 3, 5) for _ in range(5)],
        "answer": texts(4, 300, 6, 20),
        "label": [int(n % 5 == 0) for n in range(300)],
    }
    data, _, said, splits = drafted(columns)
    assert (data["target"], data["query"]) == ("relevance", "qid")
    assert "cluster" not in data
    assert "60 of 300 rows above 0" in said
    assert len(np.unique(splits["test"].queries)) == 12
    assert "target" not in drafted(columns | {"label": ["yn"[n % 5 == 0] for n in range(300)]})[0]


def test_a_column_of_splits(drafted, pairs):
    pairs["Set"] = [("TRAIN", "TRAIN", "TRIAL", "TEST")[n % 4] for n in range(300)]
    data, _, _, splits = drafted(pairs)
    assert data["split_column"] == "Set"
    assert {name: len(rows) for name, rows in splits.items()} == {"train": 150, "validation": 75, "test": 75}
    assert "test_share" not in data


def test_a_development_split_is_the_test_set_where_there_is_no_other(drafted, pairs):
    pairs["split"] = [("train", "dev")[n % 4 == 0] for n in range(300)]
    data, _, _, splits = drafted(pairs)
    assert data["test"]["split"] == "dev"
    assert {name: len(rows) for name, rows in splits.items()} == {"train": 202, "validation": 23, "test": 75}


def test_a_file_of_test_rows(drafted, pairs):
    Path("sub").mkdir()
    written("sub/test.csv", pairs)
    data, _, said, splits = drafted(pairs, test="sub/test.csv")
    assert (data["train"]["file"], data["test"]["file"]) == ("some.csv", "sub/test.csv")
    assert len(splits["test"]) == 300
    assert "270 of 300 test rows have a first text that is in train too" in said


def test_missing_labels_are_left_out(drafted, pairs):
    pairs["stance"] = ["" if n % 10 == 0 else "-" if n % 10 == 1 else "abc"[n % 3] for n in range(300)]
    data, _, said, splits = drafted(pairs)
    assert set(data["drop"]) == {"", "-"}
    assert 'left out: 60 rows whose label is "" or "-"' in said
    assert sum(len(rows) for rows in splits.values()) == 240


def test_missing_labels_of_the_test_file_are_left_out(drafted, pairs):
    held = {name: cells[:40] for name, cells in pairs.items()}
    held["stance"] = [["agree", "", "nan"][n % 3] for n in range(40)]
    written("test.csv", held)
    data, _, _, splits = drafted(pairs, test="test.csv")
    assert set(data["drop"]) == {"", "nan"}
    assert len(splits["test"]) == 14
    written("test.csv", held | {"stance": ["-1"] * 40})
    with pytest.raises(InputError, match=r"test\.csv: no row has a label in column 'stance'; name a file"):
        drafted(pairs, test="test.csv")


def test_words_for_a_missing_text_are_no_cluster(drafted, pairs):
    """Half of all rows in one cluster could not be divided."""
    pairs["headline"] = ["no subject given" if n % 2 else text for n, text in enumerate(pairs["headline"])]
    data, _, said, splits = drafted(pairs)
    assert "cluster" not in data
    assert '"headline" is no cluster: one text stands in 150 rows' in said
    assert all("no subject given" in rows.first for rows in splits.values())


def test_ids_that_repeat_are_told(drafted, pairs):
    pairs["case"] = [f"c{n // 6}" for n in range(300)]
    data, _, said, _ = drafted(pairs)
    assert "cluster" not in data
    assert '"case" repeats (50 values on 300 rows): --cluster "case" where rows with one' in said
    assert drafted(pairs, cluster="case")[0]["cluster"] == "case"
    pairs["patient_id"] = pairs.pop("case")
    assert drafted(pairs)[0]["cluster"] == "patient_id"


def test_a_few_texts_that_repeat_are_said_to_be_too_few(drafted, pairs):
    pairs["headline"] = [f"the case of {n % 8}" for n in range(300)]
    data, _, said, _ = drafted(pairs)
    assert "cluster" not in data
    assert 'as 8 different texts of "headline" are too few to divide; rows that share one are not' in said


@pytest.mark.parametrize(("strange", "is_told"), [("test_hard", True), ("", False), ("Train", False)])
def test_a_column_of_splits_with_other_words(drafted, pairs, strange, is_told):
    pairs["split"] = [("train", "train", "test", strange)[n % 4] for n in range(300)]
    data, _, said, splits = drafted(pairs)
    assert ("split_column" not in data) == is_told
    if is_told:
        assert 'Warning: "split" is not used, as it has values that name no split: "test_hard"' in said
    else:
        assert "Warning: 75 rows are of no split" in said
        assert sum(map(len, splits.values())) == 225


def test_a_column_of_splits_beside_a_test_file_and_as_labels(drafted, pairs):
    pairs["split"] = [("train", "dev")[n % 2] for n in range(300)]
    written("test.csv", pairs)
    assert (
        'Warning: "split" names splits, and is not used beside --test' in drafted(pairs, test="test.csv")[2]
    )
    data = drafted(pairs, label="split")[0]
    assert data["label"] == "split"
    assert "split_column" not in data


def test_dates_and_names_are_no_texts(drafted, pairs):
    columns = {
        "when": [f"2024-05-{1 + n % 28:02d} 10:{n % 60:02d}" for n in range(300)],
        "customer": texts(8, 300, 2, 2),
        **pairs,
        "more": texts(9, 300, 5, 9),
    }
    data, _, said, _ = drafted(columns)
    assert [data[key] for key in ("first", "second")] == ["headline", "body"]
    assert 'texts that are not used: "more"' in said


def test_a_leak_is_told_in_the_study_too(drafted, pairs):
    pairs["body"] = [pairs["body"][n // 4] for n in range(300)]
    pairs["case"] = [n % 60 for n in range(300)]
    _, _, said, _ = drafted(pairs, cluster="case")
    warning = "Warning: 60 of 60 test rows have a second text that is in train too"
    assert f'{warning}; --cluster "body" would draw test rows that have none' in said
    made = draft("some.csv", None, OUT, Asked(cluster="case"))
    assert warning in made.text


def test_short_rows_are_never_cut(drafted):
    _, grid, said, _ = drafted({"text": texts(5, 100, 3, 6), "label": [n % 2 for n in range(100)]})
    assert "nothing is ever cut at a usual max_len such as 64: no row has more than 8 tokens" in said
    assert max(grid["max_len"]) <= 8


def test_a_large_table_is_sampled(drafted):
    columns = {"text": texts(6, 3_000, 60, 90), "label": [n % 2 for n in range(3_000)]}
    data, _, _, splits = drafted(columns)
    assert data["train"]["sample"] >= 600
    assert len(splits["train"]) + len(splits["validation"]) == data["train"]["sample"]


def test_a_rare_label_may_be_in_the_test_rows_alone(drafted, pairs):
    for n in (0, 7, 150, 299):
        pairs["stance"] = ["agree" if row != n else "rare" for row in range(300)]
        _, _, _, splits = drafted(pairs)
        assert splits["test"].label_names == splits["train"].label_names == ("agree", "rare")


LATER = {"text": texts(7, 60, 4, 9), "label": [n % 2 for n in range(60)]}
SAID = {
    "a header alone": ({"text": [], "label": []}, {}, "has a header and no rows; name a file that has some"),
    "one row": ({"text": ["a b c"], "label": ["x"]}, {},
                "has 1 row; a study needs at least 20, to train and to test"),
    "no text": ({"id": range(60), "label": ["x", "y"] * 30}, {},
                'no column with text of several words; name it with --first, one of "id", "label"'),
    "no label": ({"id": range(60), "text": LATER["text"]}, {},
                 'no column seems to hold labels; name it with --label, one of "id"'),
    "one label": (LATER | {"label": ["x"] * 60}, {},
                  'label column "label" has one label only, "x"; name a column with at least two labels with '
                  "--label"),
    "ids as labels": (LATER | {"label": [f"c{n}" for n in range(60)]}, {},
                      'label column "label" has 60 different values on 60 rows, too many for labels; name '
                      "another with --label"),
    "one column twice": (LATER, {"first": "text", "second": "text"},
                         "--first and --second both name 'text'; name two columns"),
    "no such column": (LATER, {"second": "txt"}, "no column 'txt' to take (did you mean 'text'?)"),
    "no grades": (LATER | {"label": ["x", "y"] * 30, "q": [n // 3 for n in range(60)]}, {"query": "q"},
                  "relevance 'x' is not a grade; give 0 for a text that is not relevant, and 1 or a higher "
                  "whole number (up to 100) for one that is"),
    "spelling": (LATER | {"label": ["Yes", "yes", "no"] * 20}, {},
                 "the labels 'Yes' and 'yes' differ in white space or case alone; write them alike, or give "
                 "them names that differ"),
    "semicolons": ({"text;label": ["a b c;x"] * 60}, {},
                   "one column alone, which is one cell with semicolons; .csv files are separated by commas, "
                   ".tsv and .txt by tabs"),
}  # fmt: skip


@pytest.mark.parametrize("case", SAID)
def test_tables_of_which_no_study_can_be_made(drafted, case):
    columns, asked, said = SAID[case]
    with pytest.raises(InputError) as caught:
        drafted(columns, **asked)
    assert str(caught.value).endswith(said)
    assert "some.csv" in str(caught.value) or str(caught.value).startswith("--")


def test_the_example_is_the_same_each_time_and_its_study_is_small():
    Path(example.FILE).write_text(example.table())
    assert example.table() == Path(example.FILE).read_text()
    made = draft(example.FILE, None, OUT, Asked(), training=example.TRAINING, question=example.QUESTION)
    study = load_text(OUT, made.text)
    rows = list(csv.DictReader(io.StringIO(example.table())))
    assert len(study.variants) * len(study.seeds) <= 30
    assert len({row["letter"] for row in rows}) == len(rows)
    last = [row["letter"].lower().split(". ")[-1].rstrip(".") for row in rows]
    decisive = {sentence for sentences in example._DECISIVE.values() for sentence in sentences}
    assert 0.7 < np.mean([sentence in decisive for sentence in last]) < 0.8


@pytest.mark.parametrize(
    ("file", "name"),
    [("a/My data, v2.csv.gz", "My-data-v2.toml"), ("äö.tsv", "äö.toml"), ("...", "study.toml")],
)
def test_the_name_of_the_study(file, name):
    assert file_name(file) == name


NAMES = st.text(
    st.characters(exclude_categories=("Cs",), exclude_characters="\r\n\0"), min_size=1, max_size=9
)
CELLS = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\r\n\0"), max_size=6)


@given(st.data())
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_is_written_loads_and_its_columns_are_those_of_the_file(own_environment, data):
    """Random names, labels and texts: whatever is guessed, the study is valid and names what there is."""
    names = data.draw(st.lists(NAMES.filter(lambda name: name.strip()), min_size=2, max_size=4, unique=True))
    rows = data.draw(st.integers(20, 40))
    seed = data.draw(st.integers(0, 99))
    labels = data.draw(st.lists(CELLS.filter(str.strip), min_size=2, max_size=4, unique=True))
    labels += data.draw(st.sampled_from([[], [""], ["-"]]))
    strange = data.draw(CELLS)
    columns = {names[0]: [f"{text} {strange}" for text in texts(seed, rows, 2, 9)]}
    columns |= {name: texts(seed + 1, rows, 2, 9) for name in names[1:-1]}
    columns[names[-1]] = random.Random(seed).choices(labels, k=rows)
    written("any.jsonl", columns)
    try:
        made = draft("any.jsonl", None, OUT, Asked())
    except InputError:  # labels that differ in case alone, and such; hypothesis complains if there are many
        reject()
    section = tomllib.loads(made.text)["data"]
    study = load_text(OUT, made.text)
    assert study.question
    roles = {"first", "second", "label", "cluster", "query"} & section.keys()
    assert {section[role] for role in roles} <= set(names)
    assert set(section.get("drop", ())) <= set(labels)
