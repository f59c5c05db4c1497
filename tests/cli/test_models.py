"""``trimtab embed``: a table, a file of vectors, one line for each mistake."""

import numpy as np
import pytest

from trimtab.data.tokenizer import build
from trimtab.model import encode, load, weights_hf
from trimtab.model.heads import Bert, Parts
from trimtab.model.initialise import initialise
from trimtab.model.sizes import architecture
from trimtab.model.weights import weights_of

SIZE = architecture("2x16/24/2", positions=12)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("model")
    tokenizer = build("words", ["a crane is flying driver came he just left"], min_freq=1)
    model = Bert(Parts(SIZE, tokenizer.get_vocab_size()))
    initialise(model, 0, 0.3)
    weights_hf.write(path, weights_of(model, SIZE), tokenizer)
    return path


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "pairs.csv"
    path.write_text("a,b\na crane is flying,he left\ncrane,he just left\na driver,he came\n")
    return path


def test_a_pair_as_a_table(folder, trimtab):
    code, said, complained = trimtab("embed", folder, "A crane driver came", "he just left")
    assert (code, complained) == (0, [])
    assert said[0] == "10 tokens: <cls> a crane driver came <sep> he just left <sep>"
    assert said[1] == "16 dimensions, the first 6:"
    model, tokenizer = load(folder)
    [vectors] = encode("A crane driver came", "he just left", model=model, tokenizer=tokenizer)
    rows = [line.split() for line in said[5:]]
    assert [row[0] for row in rows] == said[0].split()[2:]
    np.testing.assert_allclose([float(row[1]) for row in rows], np.linalg.norm(vectors, axis=1), atol=6e-4)
    np.testing.assert_allclose([[float(x) for x in row[2:]] for row in rows], vectors[:, :6], atol=6e-4)


@pytest.mark.parametrize("pooling", ["cls", "mean"])
def test_one_vector(folder, trimtab, tmp_path, pooling):
    out = tmp_path / "vector.npy"
    code, said, complained = trimtab("embed", folder, "a crane", "--pooling", pooling, "--out", out)
    assert (code, complained) == (0, [])
    assert said[-2].split()[0] == pooling
    assert said[-1] == f"{out}: vectors (1, 16)"
    model, tokenizer = load(folder)
    np.testing.assert_array_equal(
        np.load(out), encode("a crane", model=model, tokenizer=tokenizer, pooling=pooling)
    )


def test_a_table_of_pairs_as_a_file(folder, table, trimtab, tmp_path):
    out = tmp_path / "vectors.npz"
    words = ["--file", table, "--first", "a", "--second", "b", "--max-len", "8"]
    code, said, complained = trimtab("embed", folder, *words, "--truncation", "longest_first", "--out", out)
    assert (code, complained) == (0, [])
    assert said == [f"{out}: vectors (22, 16), offsets (4,), tokens (22,)"]
    model, tokenizer = load(folder)
    first, second = ["a crane is flying", "crane", "a driver"], ["he left", "he just left", "he came"]
    expected = encode(first, second, model=model, tokenizer=tokenizer, max_len=8, truncation="longest_first")
    with np.load(out) as found:
        np.testing.assert_array_equal(found["vectors"], np.concatenate(expected))
        start, end = found["offsets"][1:3]
        assert " ".join(found["tokens"][start:end]) == "<cls> crane <sep> he just left <sep>"
    assert not list(tmp_path.glob(".writing-*"))


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "TEXT: missing; give one text, or the two of a pair, each in quotes, or a table with --file"),
        (
            ["a", "b", "c"],
            "TEXT: given 3 times; give one text, or the two of a pair, each in quotes, or a table",
        ),
        ([" "], "TEXT: ' ' contains no word; leave it out, or write a text"),
        (
            ["a", "--first", "x"],
            "--first: names a column of a table; give the table with --file, or leave it out",
        ),
        (["a", "--file", "x.csv"], "TEXT: 'a' is given together with --file x.csv; give only one of them"),
        (
            ["--file", "x.csv"],
            "--file: the vectors of a table are written to a file; name it with --out FILE.npz",
        ),
        (["a", "--out", "x.txt"], "--out: x.txt ends in neither .npz nor .npy; name it so"),
        (["a", "--out", "no/x.npz"], "--out: there is no folder no; make it, or name another"),
        (["a", "--pooling", "max"], "see trimtab --help"),
        (["a", "--truncation", "ratoi"], "no split is called 'ratoi'; did you mean 'ratio'?"),
        (
            ["a", "--max-len", "13"],
            "max_len 13 exceeds the 12 positions of the weights; use at most 12",
        ),
        (
            ["a " * 11],
            "row 0 (counted from 0) has 11 tokens and 2 special tokens, more than 12, as have 1 of 1 rows",
        ),
    ],
)
def test_a_wrong_command(folder, wrong, words, message):
    assert message in wrong("embed", folder, *words)


def test_a_table_without_the_column(folder, table, wrong, tmp_path):
    words = ["embed", folder, "--file", table, "--out", tmp_path / "x.npz"]
    assert wrong(*words) == f"{table}: --first is missing; name the column of the first text: a, b"
    assert "no column 'c' in the header, known: a, b" in wrong(*words, "--first", "c")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["pairs.csv", "study.toml"]
