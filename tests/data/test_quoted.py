"""Texts that a writer of CSV has quoted, read where quotes are ordinary characters."""

import csv
import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trimtab.cli import main
from trimtab.data.quoted import quoted


def as_a_cell(text):
    stream = io.StringIO()
    csv.writer(stream, lineterminator="").writerow([text])
    return stream.getvalue()


@given(st.text(st.sampled_from('ab "\t\n'), max_size=12))
def test_what_the_csv_module_quotes_is_found(text):
    """Of cells that the module has written: those with a quote in them, whatever else they hold."""
    assert quoted([as_a_cell(text)]) == ('"' in text)


@pytest.mark.parametrize(
    "text", ["", '"', '""', '"all of it"', '"one" and "two"', 'a ""b"" c', '"a "" b" c"', '6 1/2"']
)
def test_what_people_write_is_not(text):
    assert quoted([text]) == 0


def test_a_user_is_told(tmp_path, capsys, own_environment):
    texts = [('He said "stay" twice', "yes"), ("plain words", "no"), ('"in quotes"', "no")]
    path = tmp_path / "t.tsv"
    with path.open("w", newline="") as stream:
        csv.writer(stream, delimiter="\t").writerows([("text", "label"), *texts])
    assert main(["audit", str(path), "--first", "text", "--max-len", "8"]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "Warning: 2 texts of t.tsv stand in quotes and double the quotes in them" in said
    path = tmp_path / "t.jsonl"
    path.write_text("".join(json.dumps({"text": text}) + "\n" for text, _ in texts))
    assert main(["audit", str(path), "--first", "text", "--max-len", "8"]) == 0
    assert "Warning" not in capsys.readouterr().out
