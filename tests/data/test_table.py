import gzip
import json
import re
import sys

import numpy as np
import pyarrow
import pyarrow.parquet
import pytest

from trimtab.config import InputError
from trimtab.data.readers import read
from trimtab.data.table import column_names, read_texts

pytestmark = pytest.mark.usefixtures("own_environment")

PAIR = {"first": "one", "second": "two", "label": "label"}
RECORDS = [
    {"one": 'He said "hi", twice', "two": "b c", "label": "yes", "group": "x"},
    {"one": "d", "two": 'é "f', "label": "no", "group": "y"},
    {"one": "g", "two": "h", "label": "yes", "group": "x"},
]


def write(tmp_path, name, text):
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def quoted(cell):
    return '"' + cell.replace('"', '""') + '"'


def written(tmp_path, ending, records=RECORDS):
    """The records as a file of that ending."""
    path = tmp_path / f"some.{ending}"
    rows = [list(records[0]), *(list(record.values()) for record in records)]
    if ending == "parquet":
        pyarrow.parquet.write_table(pyarrow.Table.from_pylist(records), path, row_group_size=2)
    elif ending == "csv":
        path.write_text("".join(",".join(map(quoted, row)) + "\r\n" for row in rows), "utf-8-sig", newline="")
    elif ending in ("tsv", "txt"):
        path.write_text("".join("\t".join(row) + "\n" for row in rows), "utf-8")
    else:
        path.write_text("\n\n".join(json.dumps(record) for record in records), "utf-8")
    return path.name


@pytest.mark.parametrize("ending", ["csv", "tsv", "txt", "jsonl", "ndjson", "json", "parquet"])
def test_every_format_gives_the_same(tmp_path, ending):
    found = read("table", "any name", tmp_path, file=written(tmp_path, ending), cluster="group", **PAIR)
    assert found.first == [record["one"] for record in RECORDS]
    assert found.second == [record["two"] for record in RECORDS]
    assert found.label_names == ("no", "yes")
    assert found.labels.tolist() == [1, 0, 1]
    assert found.clusters.tolist() == [0, 1, 0]
    assert found.labels.dtype == found.clusters.dtype == np.int64
    assert found.evidence is None


@pytest.mark.parametrize("ending", ["csv", "tsv", "txt", "jsonl"])
def test_a_compressed_file_is_read_as_what_it_holds(tmp_path, ending):
    name = written(tmp_path, ending)
    plain = (tmp_path / name).read_bytes()
    (tmp_path / f"{name}.gz").write_bytes(gzip.compress(plain))
    found, packed = (read("table", "", tmp_path, file=one, **PAIR) for one in (name, f"{name}.gz"))
    assert (packed.first, packed.second) == (found.first, found.second)
    assert column_names(f"{name}.gz", tmp_path) == column_names(name, tmp_path)
    (tmp_path / f"{name}.gz").write_bytes(gzip.compress(plain)[:-12])
    with pytest.raises(InputError, match="is truncated or corrupt"):
        read("table", "", tmp_path, file=f"{name}.gz", **PAIR)


def test_a_compressed_line_may_not_fill_the_memory(tmp_path):
    with gzip.open(tmp_path / "bomb.csv.gz", "wb", compresslevel=1) as file:
        for _ in range(65):
            file.write(bytes(1 << 20))
    with pytest.raises(InputError, match="has a line of over 64 MiB, too long for a row"):
        read("table", "", tmp_path, file="bomb.csv.gz", **PAIR)


@pytest.mark.parametrize("ending", ["csv", "tsv", "jsonl"])
def test_lines_may_end_in_a_carriage_return(tmp_path, ending):
    """As old programs for the Macintosh wrote them; the numbers of lines stay."""
    name = written(tmp_path, ending)
    text = (tmp_path / name).read_bytes().replace(b"\r\n", b"\n").replace(b"\n", b"\r")
    (tmp_path / name).write_bytes(text)
    assert read("table", "", tmp_path, file=name, **PAIR).first == [record["one"] for record in RECORDS]
    broken = text + (b"\r{" if ending == "jsonl" else b"x")
    (tmp_path / name).write_bytes(broken)
    with pytest.raises(InputError, match=rf"{name}:\d+: "):
        read("table", "", tmp_path, file=name, **PAIR)


def test_a_spreadsheet_is_to_be_saved_as_csv(tmp_path):
    write(tmp_path, "sheet.xlsx", b"PK")
    with pytest.raises(InputError, match="is a spreadsheet; save its table as CSV in UTF-8"):
        read("table", "", tmp_path, file="sheet.xlsx", **PAIR)


def test_second_and_cluster_may_be_left_out(tmp_path):
    found = read("table", "train", tmp_path, file=written(tmp_path, "csv"), first="one", label="label")
    assert found.second is None
    assert found.clusters.tolist() == [0, 1, 2]


def test_labels_may_be_fixed_and_dropped(tmp_path):
    options = {"file": written(tmp_path, "tsv"), "labels": ["yes", "maybe"], "drop": ["no"], **PAIR}
    found = read("table", "train", tmp_path, **options)
    assert (found.label_names, found.labels.tolist(), found.dropped) == (("yes", "maybe"), [0, 0], 1)
    assert found.clusters.tolist() == [0, 1]


@pytest.mark.parametrize("ending", ["jsonl", "parquet"])
@pytest.mark.parametrize(
    ("labels", "names"), [([10, 9, -1], ("-1", "9", "10")), ([True, False, True], ("false", "true"))]
)
def test_labels_may_be_whole_numbers_and_booleans(tmp_path, ending, labels, names):
    records = [record | {"label": label} for record, label in zip(RECORDS, labels, strict=True)]
    file = written(tmp_path, ending, records)
    found = read("table", "train", tmp_path, file=file, **PAIR)
    assert found.label_names == names
    fixed = read("table", "train", tmp_path, file=file, labels=sorted(set(labels)), **PAIR)
    assert fixed.label_names == names
    assert np.array_equal(fixed.labels, found.labels)


def test_whole_numbers_kept_as_floats_are_the_same_labels(tmp_path):
    records = [record | {"label": label} for record, label in zip(RECORDS, [1.0, 0.0, None], strict=True)]
    file = written(tmp_path, "parquet", records)
    found = read("table", "train", tmp_path, file=file, drop=[""], **PAIR)
    assert (found.label_names, found.labels.tolist(), found.dropped) == (("0", "1"), [1, 0], 1)


@pytest.mark.parametrize(
    ("labels", "order"),
    [
        (["10", "9", "1"], ["1", "9", "10"]),
        (["10", "2.5"], ["2.5", "10"]),
        (["2.5", "10", "nan"], ["10", "2.5", "nan"]),
        (["b", "10", "9"], ["10", "9", "b"]),
    ],
)
def test_labels_are_sorted_as_numbers_where_all_are(tmp_path, labels, order):
    write(tmp_path, "a.tsv", "one\tlabel\n" + "".join(f"x\t{label}\n" for label in labels))
    found = read("table", "train", tmp_path, file="a.tsv", first="one", label="label")
    assert list(found.label_names) == order


def test_a_row_without_a_label_can_be_dropped(tmp_path):
    rows = ({"one": "a", "label": None}, {"one": None, "label": None}, {"one": "b", "label": 0})
    write(tmp_path, "a.jsonl", "\n".join(map(json.dumps, rows)))
    found = read("table", "train", tmp_path, file="a.jsonl", first="one", label="label", drop=[""])
    assert (found.first, found.dropped) == (["b"], 2)


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("a.csv", "one,too,label\n", ": no column 'two' in the header, did you mean 'too'?"),
        ("a.csv", "one,two,two,label\n", ": 2 columns are named 'two'; rename"),
        ("a.csv", "", ":1: no header"),
        ("a.csv", "one,two,label\n", ": no row with a label"),
        ("a.csv", 'one,two,label\n"a\nb",c,d\ne,f\n', ":4: 2 columns where the header has 3"),
        ("a.csv", 'one,two,label\n"a\nb",c,d\ne,"f,g\nh\n', ":4: not valid CSV (unexpected end of data)"),
        ("a.csv", 'one,two,label\na,"b"c,d\n', ":2: not valid CSV (',' expected after '\"')"),
        ("a.csv", b"one,two,label\n\n\na,\xff,b\n", ":4: byte 3 of the line is not valid UTF-8"),
        ("a.csv", "one,two,label\na, ,b\n", ":2: nothing in column 'two'; fill it in"),
        ("a.csv", "one,two,label\na,b,\n", ":2: nothing in column 'label'"),
        ("a.tsv", "one\ttwo\tlabel\na\tb\tc\td\n", ":2: 4 columns where the header has 3"),
        ("a.tsv", b"\xff\xfeo\x00", ":1: byte 1 of the line is not valid UTF-8; save the file as UTF-8"),
        ("a.jsonl", '{"one": 1, "two": "b", "label": "c"}', ":1: column 'one' holds 1, which is not text"),
        ("a.jsonl", '{"one": "a", "two": "b", "label": 0.5}', ":1: column 'label' holds 0.5"),
        ("a.jsonl", '{"one": "a", "two": null, "label": 0}', ":1: nothing in column 'two'"),
        ("a.jsonl", '{"one": "a", "to": "b", "label": 0}', ":1: no key 'two', did you mean 'to'?"),
        (
            "a.json",
            '[\n{"one": "a"}]',
            ":1: not valid JSON (Expecting value, column ",
        ),
        ("a.parquet", "PAR1", ": is truncated or corrupt"),
        (
            "a.docx",
            "",
            ": the file name must end in one of .csv, .tsv, .txt, .jsonl, .ndjson, .json, .par",
        ),
    ],
)
def test_a_wrong_file_is_refused_by_line(tmp_path, name, text, message):
    path = write(tmp_path, name, text)
    with pytest.raises(InputError, match=re.escape(f"{path}{message}")):
        read("table", "train", tmp_path, file=name, **PAIR)


def test_an_unknown_label_is_refused_by_line(tmp_path):
    written(tmp_path, "tsv")
    message = r"some\.tsv:3: label 'no' is not in the set, did you mean 'not'\? \(correct the row, or add it"
    with pytest.raises(InputError, match=message):
        read("table", "train", tmp_path, file="some.tsv", labels=["yes", "not"], **PAIR)


def test_wrong_parquet_is_refused_by_row(tmp_path):
    file = written(tmp_path, "parquet", [*RECORDS, RECORDS[0] | {"two": None}])
    with pytest.raises(InputError, match=r"some\.parquet:4: nothing in column 'two'"):
        read("table", "train", tmp_path, file=file, **PAIR)
    with pytest.raises(InputError, match=r"some\.parquet: no column 'onee' in the header, did you mean"):
        read("table", "train", tmp_path, file=file, first="onee", label="label")


def test_parquet_without_pyarrow_says_what_to_install(tmp_path, monkeypatch):
    file = written(tmp_path, "parquet")
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(InputError, match=re.escape("pip install 'trimtab[parquet]'")):
        read("table", "train", tmp_path, file=file, **PAIR)


def test_a_file_is_looked_for_below_root_then_the_variable_then_here(tmp_path, monkeypatch):
    written(tmp_path, "csv")
    options = {"file": "some.csv", **PAIR}
    monkeypatch.chdir("/")
    for root in (tmp_path, str(tmp_path)):
        assert len(read("table", "train", root, **options)) == 3
    with pytest.raises(InputError, match=r"there is no file /some\.csv; name its folder with --data"):
        read("table", "train", **options)
    assert len(read("table", "train", **options | {"file": str(tmp_path / "some.csv")})) == 3
    monkeypatch.setenv("TRIMTAB_DATA", str(tmp_path))
    assert len(read("table", "train", **options)) == 3
    monkeypatch.delenv("TRIMTAB_DATA")
    monkeypatch.chdir(tmp_path)
    assert len(read("table", "train", **options)) == 3
    with pytest.raises(InputError, match="is a folder; name a file in it"):
        read("table", "train", **options | {"file": "."})


def test_a_very_long_cell_is_read(tmp_path):
    write(tmp_path, "a.csv", f"one,label\n{'word ' * 50_000},1\n")
    assert len(read("table", "train", tmp_path, file="a.csv", first="one", label="label").first[0]) == 250_000


SNLI = {"first": "sentence1", "second": "sentence2", "label": "gold_label"}
MNLI = {"first": "sentence1", "second": "sentence2", "label": "label"}
STANCES = {"first": "Headline", "label": "Stance", "cluster": "Body ID"}
BOOLQ = {"first": "passage", "second": "question", "label": "answer"}


@pytest.mark.parametrize(
    ("file", "options", "counts", "dropped"),
    [
        (
            "snli/train_27k.tsv",
            SNLI | {"labels": ["entailment", "contradiction", "neutral"]},
            {"entailment": 8952, "contradiction": 9123, "neutral": 8816},
            0,
        ),
        (
            "mnli/multinli_1.0_dev_matched.csv",
            MNLI | {"drop": ["-"]},
            {"contradiction": 3213, "entailment": 3479, "neutral": 3123},
            185,
        ),
        (
            "mnli/multinli_1.0_dev_mismatched.csv",
            MNLI | {"drop": ["-"]},
            {"contradiction": 3240, "entailment": 3463, "neutral": 3129},
            168,
        ),
        ("boolq/dev.jsonl", BOOLQ, {"false": 1237, "true": 2033}, 0),
        (
            "fnc-1/train_stances.csv",
            STANCES,
            {"agree": 3678, "disagree": 840, "discuss": 8909, "unrelated": 36545},
            0,
        ),
    ],
)
def test_real_files_have_their_counts(shared_data, file, options, counts, dropped):
    found = read("table", "train", shared_data, file=file, **options)
    assert found.label_names == tuple(counts)
    assert np.bincount(found.labels).tolist() == list(counts.values())
    assert found.dropped == dropped
    if file.startswith("fnc-1"):
        assert found.clusters.max() + 1 == 1683


def test_rows_with_line_ends_inside_are_one_row(shared_data):
    bodies = {"file": "fnc-1/train_bodies.csv", "first": "articleBody", "label": "Body ID"}
    found = read("table", "train", shared_data, **bodies)
    assert len(found) == 1683
    assert any("\n" in text for text in found.first)
    assert found.label_names[:3] == ("0", "4", "5")


@pytest.mark.parametrize("ending", ["csv", "tsv", "txt", "jsonl", "ndjson", "json", "parquet"])
def test_texts_need_no_label(tmp_path, ending):
    name = written(tmp_path, ending)
    found = read_texts(name, tmp_path, "one")
    assert (found.first, found.second) == ([record["one"] for record in RECORDS], None)
    assert (found.label_names, found.labels.tolist()) == (("",), [0, 0, 0])
    found = read_texts(name, tmp_path, "one", "two", "label")
    assert found.second == [record["two"] for record in RECORDS]
    assert (found.label_names, found.labels.tolist()) == (("no", "yes"), [1, 0, 1])
    assert column_names(name, tmp_path) == ["one", "two", "label", "group"]


def test_texts_of_no_row(tmp_path):
    write(tmp_path, "head.csv", "one,two\n")
    with pytest.raises(InputError, match=r"head.csv: no rows; name a file that has some"):
        read_texts("head.csv", tmp_path, "one")
    assert column_names("head.csv", tmp_path) == ["one", "two"]


@pytest.mark.parametrize(
    ("name", "text", "sentence"),
    [
        ("x.csv", "", "x.csv:1: no header"),
        ("x.csv", '"one', "x.csv:1: not valid CSV"),
        ("x.jsonl", "", "x.jsonl: no row"),
        ("x.jsonl", "[1]", "x.jsonl:1: not a JSON object"),
        ("x.parquet", "junk", "x.parquet: is truncated or corrupt"),
        ("x.xml", "<a/>", "x.xml: the file name must end in one of"),
    ],
)
def test_a_file_whose_columns_cannot_be_told(tmp_path, name, text, sentence):
    write(tmp_path, name, text)
    with pytest.raises(InputError, match=re.escape(sentence)):
        column_names(name, tmp_path)
