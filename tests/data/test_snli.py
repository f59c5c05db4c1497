import hashlib
import re
import shutil
import zipfile

import numpy as np
import pytest

from trimtab.config import InputError
from trimtab.data import snli
from trimtab.data.readers import read

pytestmark = pytest.mark.usefixtures("own_environment")

HEADER = "gold_label\tsentence1_binary_parse\tsentence2_binary_parse\tsentence1\tsentence2\tlabel1\n"
ROW = "neutral\t( ( A dog ) runs )\t( It sleeps )\tA dog runs\tIt sleeps\tneutral\n"


def folder_with(tmp_path, text, name="snli_1.0_dev.txt"):
    folder = tmp_path / "snli_1.0"
    folder.mkdir(exist_ok=True)
    (folder / name).write_bytes(text if isinstance(text, bytes) else text.encode())
    return folder


def zip_of(path, files):
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return snli.Archive(f"https://example.org/{path.name}", hashlib.sha1(path.read_bytes()).hexdigest())


def d2l(text):
    """d2l.read_snli's extract_text, word for word."""
    text = re.sub("\\(", "", text)
    text = re.sub("\\)", "", text)
    text = re.sub("\\s{2,}", " ", text)
    return text.strip()


def d2l_rows(path):
    ids = {"entailment": 0, "contradiction": 1, "neutral": 2}
    with path.open(encoding="utf-8") as stream:
        rows = [row.split("\t") for row in stream.readlines()[1:]]
    return [(d2l(row[1]), d2l(row[2]), ids[row[0]]) for row in rows if row[0] in ids]


@pytest.mark.parametrize(("split", "part", "kept"), [("validation", "dev", 9842), ("test", "test", 9824)])
def test_official_splits_are_read_as_d2l_reads_them(shared_data, split, part, kept):
    found = read("snli", split, shared_data)
    assert (len(found), found.dropped) == (kept, 10_000 - kept)
    assert found.label_names == ("entailment", "contradiction", "neutral")
    path = shared_data / f"snli/snli_1.0/snli_1.0_{part}.txt"
    assert list(zip(found.first, found.second, found.labels.tolist(), strict=True)) == d2l_rows(path)
    assert found.source == str(path)


@pytest.mark.parametrize("text", ["parse", "sentence"])
def test_json_lines_hold_the_same_as_the_text(shared_data, text):
    lines = read("snli", "validation", shared_data, file="snli/snli_1.0/snli_1.0_dev.jsonl", text=text)
    official = read("snli", "validation", shared_data, text=text)
    assert lines.first == official.first
    assert lines.second == official.second
    assert np.array_equal(lines.labels, official.labels)
    assert np.array_equal(lines.clusters, official.clusters)
    assert lines.dropped == official.dropped == 158


def test_json_lines_are_found_where_there_is_no_text_file(shared_data, tmp_path):
    (tmp_path / "snli_1.0").mkdir()
    shutil.copy(shared_data / "snli/snli_1.0/snli_1.0_dev.jsonl", tmp_path / "snli_1.0")
    assert len(read("snli", "validation", tmp_path)) == 9842


def test_a_file_in_the_official_format_can_be_named(shared_data):
    found = read("snli", "train", shared_data, file="snli/train_1pct_official_format.txt")
    assert (len(found), found.dropped) == (5498, 4)


@pytest.mark.parametrize("below", ["", "snli", "snli/snli_1.0"])
def test_the_folder_its_parent_and_its_grandparent_will_do(shared_data, below, monkeypatch):
    assert len(read("snli", "test", shared_data / below)) == 9824
    monkeypatch.setenv("TRIMTAB_DATA", str(shared_data / below))
    assert len(read("snli", "test")) == 9824


def test_clusters_are_the_premises(shared_data):
    found = read("snli", "test", shared_data, text="sentence")
    premise = dict(zip(found.clusters.tolist(), found.first, strict=True))
    assert [premise[cluster] for cluster in found.clusters.tolist()] == found.first
    assert sorted(premise) == list(range(len(set(found.first))))


@pytest.mark.parametrize(
    "parse", ["( a\u00a0 b )", "(a\tb)", " ( x ( \u2003 y ) )", "", "( -LRB- )", "a\n\n(b)"]
)
def test_odd_white_space_is_treated_as_d2l_does(parse):
    assert snli.words_of(parse) == d2l(parse)


def test_columns_are_found_by_name(tmp_path):
    text = "sentence2\tgold_label\tsentence1\nIt sleeps\tneutral\tA dog runs\n"
    found = read("snli", "validation", folder_with(tmp_path, text), text="sentence")
    assert (found.first, found.second, found.labels.tolist()) == (["A dog runs"], ["It sleeps"], [2])


def test_a_row_may_miss_annotators_at_its_end_and_end_in_a_carriage_return(tmp_path):
    text = HEADER + ROW.replace("\tneutral\n", "\r\n") + "\n"
    assert read("snli", "validation", folder_with(tmp_path, text)).second == ["It sleeps"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            HEADER + ROW + ROW.replace("neutral", "neutrl", 1),
            ":3: label 'neutrl' is not in the set, did you mean 'neutral'?",
        ),
        (HEADER + ROW + "neutral\t( A )\n", ":3: 2 columns where the header has 6"),
        (HEADER + ROW.replace("\n", "\tmore\n"), ":2: 7 columns where the header has 6"),
        (HEADER.encode() + b"neutral\t( caf\xe9 )\n", ":2: byte 14 of the line is not valid UTF-8"),
        ("gold\tsentence1\n", ": no column 'gold_label' in the header, did you mean 'gold'?"),
        ("", ":1: no header"),
        (HEADER, ": no row with a label (0 were left out)"),
        (HEADER + ROW.replace("neutral", "-", 1), ": no row with a label (1 were left out)"),
    ],
)
def test_a_wrong_text_file_is_refused_by_line(tmp_path, text, message):
    folder = folder_with(tmp_path, text)
    with pytest.raises(InputError, match=re.escape(f"{folder / 'snli_1.0_dev.txt'}{message}")):
        read("snli", "validation", folder)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('{"gold_label": ', ":2: not valid JSON (Expecting value, column "),
        ("[1]", ":2: not a JSON object"),
        ('{"gold_label": "neutral"}', ":2: no key 'sentence1_binary_parse'"),
        ('{"gold_label": 1, "sentence1_binary_parse": "", "sentence2_binary_parse": ""}', ":2: gold_label, "),
        (
            '{"gold_label": "x", "sentence1_binary_parse": "\\ud83d", "sentence2_binary_parse": ""}',
            ":2: contains an unpaired surrogate",
        ),
    ],
)
def test_wrong_json_is_refused_by_line(tmp_path, line, message):
    folder = folder_with(tmp_path, f"\n{line}\n", "snli_1.0_dev.jsonl")
    with pytest.raises(InputError, match=re.escape(f"{folder / 'snli_1.0_dev.jsonl'}{message}")):
        read("snli", "validation", folder)


def test_a_folder_without_snli_is_refused_and_nothing_fetched(tmp_path, monkeypatch):
    monkeypatch.setattr(snli, "fetch", lambda *_: pytest.fail("fetched"))
    with pytest.raises(InputError, match=r"holds no snli_1.0_train.txt or .jsonl .* nor snli_1.0.zip; fetch"):
        read("snli", "train", tmp_path)
    with pytest.raises(InputError, match=r"--data: there is no folder .*missing"):
        read("snli", "train", tmp_path / "missing")
    monkeypatch.setenv("TRIMTAB_DATA", str(tmp_path))
    with pytest.raises(InputError, match="holds no"):
        read("snli", "train")
    with pytest.raises(InputError, match=r"there is no file .*/x\.txt; name its folder"):
        read("snli", "train", file="x.txt")


@pytest.mark.parametrize("below", ["", "downloads"])
def test_the_zip_is_read_where_it_is(tmp_path, below):
    (tmp_path / below).mkdir(exist_ok=True)
    path = tmp_path / below / "snli_1.0.zip"
    archive = zip_of(
        path, {"snli_1.0/snli_1.0_dev.txt": HEADER + ROW, "__MACOSX/snli_1.0/._snli_1.0_dev.txt": "x"}
    )
    found = snli.read("validation", tmp_path, snli.Options(), archive)
    assert (found.first, found.second) == (["A dog runs"], ["It sleeps"])
    assert found.source == f"{path}/snli_1.0/snli_1.0_dev.txt"
    assert sorted(tmp_path.rglob("*")) == sorted({tmp_path / below, path} - {tmp_path})


def test_an_error_in_the_zip_names_its_line(tmp_path):
    archive = zip_of(tmp_path / "snli_1.0.zip", {"snli_1.0/snli_1.0_test.txt": HEADER + "no\n"})
    with pytest.raises(InputError, match=r"snli_1\.0\.zip/snli_1\.0/snli_1\.0_test\.txt:2: 1 column where"):
        snli.read("test", tmp_path, snli.Options(), archive)


@pytest.mark.parametrize("spoil", [lambda data: data[:-30], lambda data: data[:40] + b"X" + data[41:]])
def test_a_truncated_or_altered_zip_is_refused(tmp_path, spoil):
    path = tmp_path / "snli_1.0.zip"
    archive = zip_of(path, {"snli_1.0/snli_1.0_dev.txt": HEADER + ROW})
    path.write_bytes(spoil(path.read_bytes()))
    with pytest.raises(InputError, match=r"\.zip: is altered or truncated .* fetch it again .* or delete"):
        snli.read("validation", tmp_path, snli.Options(), archive)


def test_without_a_data_folder_the_zip_is_fetched_into_the_cache(tmp_path, monkeypatch):
    archive = zip_of(tmp_path / "snli_1.0.zip", {"snli_1.0/snli_1.0_dev.txt": HEADER + ROW})
    asked = []

    def fetched(url, sha1, folder):
        asked.append((url, sha1, folder))
        return tmp_path / "snli_1.0.zip"

    monkeypatch.setattr(snli, "fetch", fetched)
    assert len(snli.read("validation", None, snli.Options(), archive)) == 1
    assert asked == [(archive.url, archive.sha1, tmp_path / "cache" / "downloads")]
    with pytest.raises(InputError, match="altered or truncated"):
        read("snli", "validation")
    assert asked[1][:2] == (
        "https://nlp.stanford.edu/projects/snli/snli_1.0.zip",
        "9fcde07509c7e87ec61c640c1b2753d9041758e4",
    )
