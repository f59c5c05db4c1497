"""A study on files of the user's own: where they lie, and one sentence for each mistake in them."""

from pathlib import Path
from zipfile import ZipFile

import pytest

TABLE = """\
reader = "table"
file = "train.csv"
first = "a"
second = "b"
label = "l"
min_freq = 1
[data.test]
file = "test.csv"

"""
ROWS = "a,b,l\nsome words here,others there,yes\nno more words,at all,no\n"


@pytest.fixture
def write(tiny):
    """write(files, section): a study whose [data] is ``section``, and the files that lie beside it."""

    def written(files, section=TABLE):
        text = tiny()
        start, end = text.index("reader"), text.index("[base]")
        Path("study.toml").write_text(text[:start] + section + text[end:])
        for name, content in files.items():
            Path(name).write_bytes(content if isinstance(content, bytes) else content.encode())

    return written


def test_a_table(write, trimtab, tmp_path, monkeypatch):
    more = "".join(f"row {i} word,other {i},{'yes' if i % 2 else 'no'}\n" for i in range(40))
    write({"train.csv": ROWS + more, "test.csv": ROWS})
    code, said, complained = trimtab("audit", "study.toml", "--data", tmp_path)
    assert (code, complained) == (0, [])
    monkeypatch.setenv("TRIMTAB_DATA", str(tmp_path))
    assert trimtab("audit", "study.toml") == (0, said, [])


def test_cached_tokens_that_were_altered_are_made_again(own_environment, trimtab):
    assert trimtab("audit", "study.toml")[0] == 0
    tokens = {path: path.read_bytes() for path in own_environment.glob("cache/tokens/*/*.npy")}
    altered = [path for path in tokens if path.name == "first_values.npy"]
    assert altered
    for path in altered:
        content = bytearray(tokens[path])
        content[-4] ^= 1
        path.write_bytes(content)
    code, _, complained = trimtab("audit", "study.toml")
    assert (code, complained) == (0, [])
    assert {path: path.read_bytes() for path in tokens} == tokens


def test_a_file_that_is_not_there(write, wrong, tmp_path):
    write({"test.csv": ROWS})
    where = "name its folder with --data DIR, or its whole path"
    assert wrong("audit", "study.toml") == f"there is no file {tmp_path / 'train.csv'}; {where}"


@pytest.mark.parametrize("folder", ["nowhere", "study.toml"])
def test_a_folder_of_data_that_is_not_there(write, wrong, folder):
    write({})
    assert wrong("audit", "study.toml", "--data", folder) == (
        f"--data: there is no folder {folder}; name the one that holds the data"
    )


@pytest.mark.parametrize(
    ("train", "test", "sentence"),
    [
        ("a,c,l\nx,y,yes\n", ROWS, "{here}/train.csv: no column 'b' in the header, known: a, c, l"),
        (
            ROWS,
            ROWS + "what is this,then,maybe\n",
            "{here}/test.csv:4: label 'maybe' is not in the set, did you mean 'yes'? (correct the row, or "
            "add it to 'labels' or 'drop')",
        ),
        ("", ROWS, "{here}/train.csv:1: no header; the first line names the columns"),
        (
            "a,b,l\n",
            ROWS,
            "{here}/train.csv: no row with a label (0 were left out); name a file that has some",
        ),
        (
            ROWS.encode() + b"caf\xe9,x,yes\n",
            ROWS,
            "{here}/train.csv:4: byte 4 of the line is not valid UTF-8; save the file as UTF-8",
        ),
        (ROWS + "one,two\n", ROWS, "{here}/train.csv:4: 2 columns where the header has 3; correct the row"),
        (
            ROWS + ",two,no\n",
            ROWS,
            "{here}/train.csv:4: nothing in column 'a'; fill it in, or take the row out",
        ),
    ],
    ids=["column", "label", "empty", "no rows", "utf-8", "cells", "text"],
)
def test_wrong_rows(write, wrong, tmp_path, train, test, sentence):
    write({"train.csv": train, "test.csv": test})
    assert wrong("audit", "study.toml") == sentence.format(here=tmp_path)
    assert wrong("run", "study.toml", "--device", "cpu") == sentence.format(here=tmp_path)


def test_an_altered_zip(write, wrong, tmp_path):
    with ZipFile("snli_1.0.zip", "w") as file:
        file.writestr("snli_1.0/snli_1.0_train.txt", "nothing")
    write({}, 'reader = "snli"\n')
    sentence = wrong("audit", "study.toml", "--data", tmp_path)
    assert sentence.startswith(f"{tmp_path / 'snli_1.0.zip'}: is altered or truncated (its SHA-1 is ")
    assert sentence.endswith("or delete it")


def test_a_folder_without_snli(write, wrong):
    write({}, 'reader = "snli"\n')
    assert wrong("run", "study.toml", "--data", ".").startswith(".: holds no snli_1.0_train.txt")
