"""``trimtab audit`` of a study and of a table of texts, and ``trimtab show``."""

import io
import sys
from pathlib import Path

import pytest

from trimtab.cli import entry
from trimtab.data.tokenizer import build
from trimtab.model import weights_hf
from trimtab.model.heads import Bert, Parts
from trimtab.model.initialise import initialise
from trimtab.model.sizes import architecture
from trimtab.model.weights import weights_of

ROWS = "a,b,l\n" + "".join(
    f"a row {'of words ' * i},another {i},{'yes' if i % 2 else 'no'}\n" for i in range(1, 20)
)


def test_audit_of_a_study(trimtab):
    code, said, complained = trimtab("audit", "study.toml")
    assert (code, complained) == (0, [])
    assert len([line for line in said if line.startswith("ratio, max_len 12")]) == 3 + 9  # splits, labels
    assert not Path("results").exists()


@pytest.mark.integration
def test_audit_writes_tables_and_a_figure(trimtab):
    code, said, complained = trimtab("audit", "study.toml", "--out", "out/audit")
    assert (code, complained) == (0, [])
    tables = ("lengths", "audit", "audit-by-label", "audit-differences")
    assert said[-5:] == [*(f"out/audit/tables/{name}.md" for name in tables), "out/audit/figures/audit.png"]
    assert all(Path(path).is_file() for path in said[-5:])


@pytest.mark.parametrize("options", [[], ["--second", "b"], ["--second", "b", "--label", "l"]])
def test_audit_of_a_file(trimtab, tmp_path, options):
    Path("my.csv").write_text(ROWS)
    code, said, complained = trimtab("audit", "my.csv", "--data", tmp_path, "--first", "a", *options)
    assert (code, complained) == (0, [])
    assert said[0].startswith("95 % of the rows are uncut from max_len ")
    assert said[2:4] == ["my.csv: 19 rows", "tokens by words"]
    lengths = [line.split()[2] for line in said if line.startswith("longest_first, ") and " 19 " in line]
    assert lengths == ["32", "64", "128", "256"]
    assert ("The same by label:" in said) == ("--label" in options)
    assert said[-1] == "To write these tables and a figure to files: --out DIR"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["my.csv", "study.toml"]


def test_audit_of_a_file_with_everything(trimtab):
    Path("my.tsv").write_text(ROWS.replace(",", "\t"))
    words = ["--first", "a", "--second", "b", "--tokenizer", "whitespace", "--out", "out"]
    words += ["--truncation", "ratio+salient", "--truncation", "only_second"]
    words += ["--max-len", "6", "--max-len", "40"]
    code, said, complained = trimtab("audit", "my.tsv", *words)
    assert (code, complained) == (0, [])
    assert said[3] == "tokens by whitespace"
    assert "ratio+salient is fitted on these texts, as there is no training split." in said
    left_out = "only_second, max_len 6 is left out: only_second keeps the first"
    assert any(line.startswith(left_out) for line in said)
    assert said[-1] == "out/figures/audit.png"


def test_the_longest_sentence_of_cola(trimtab, tmp_path, shared_data, bert_vocabulary):
    raw = shared_data / "cola" / "cola_public" / "raw" / "in_domain_train.tsv"
    Path("cola.tsv").write_text("code\tlabel\tmark\tsentence\n" + raw.read_text())
    words = ["--data", tmp_path, "--first", "sentence", "--tokenizer", bert_vocabulary, "--max-len", 64]
    code, said, _ = trimtab("audit", "cola.tsv", *words)
    assert code == 0
    lengths = said[said.index("How long the rows are, in tokens with the special ones:") + 4]
    assert (lengths.split()[1], lengths.split()[-1]) == ("8,551", "47")  # as the tutorial counts


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["my.csv"], "my.csv: --first is missing; name the column of the first text: a, b, l"),
        (["my.csv", "--first", "c"], "{here}/my.csv: no column 'c' in the header, known: a, b, l"),
        (
            ["my.csv", "--first", "a", "--max-len", "2"],
            "max_len 2 leaves no room beside the special tokens; use 3 or more",
        ),
        (
            ["my.csv", "--first", "a", "--truncation", "raito"],
            "truncation 'raito': no split is called 'raito'; did you mean 'ratio'?",
        ),
        (
            ["my.csv", "--first", "a", "--tokenizer", "no.txt"],
            "there is no file {here}/no.txt; name its folder with --data DIR, or its whole path",
        ),
        (
            ["no.csv", "--first", "a"],
            "there is no file {here}/no.csv; name its folder with --data DIR, or its whole path",
        ),
        (
            ["my.csv", "--first", "a", "--out", "my.csv/out"],
            "my.csv/out/tables: cannot be written (Not a directory); choose another folder with --out DIR",
        ),
        (
            ["study.toml", "--first", "a"],
            "--first: applies only to a table of texts, and study.toml is a study; leave it out",
        ),
        (
            ["study.toml", "--max-len", "9"],
            "--max-len: applies only to a table of texts, and study.toml is a study; leave it out",
        ),
    ],
)
def test_a_wrong_audit(wrong, tmp_path, words, sentence):
    Path("my.csv").write_text(ROWS)
    assert wrong("audit", *words) == sentence.format(here=tmp_path)


def test_show(trimtab):
    code, said, complained = trimtab("show", "study.toml", "--row", "2", "--split", "train")
    assert (code, complained) == (0, [])
    assert said[0].startswith("train, row 2 of 320 (counted from 0), label ")
    assert "longest_first, max_len 12" in said
    assert any(line.startswith("  first: ") for line in said)
    assert "[" in "".join(said[4:])
    assert trimtab("show", "study.toml") == trimtab("show", "study.toml", "--row", "0", "--split", "test")


def test_what_the_encoding_of_stdout_lacks_is_escaped(monkeypatch, tiny):
    Path("train.csv").write_text("a,l\ncafé noir,yes\ncafé vert,no\n", encoding="utf-8")
    text = tiny()
    table = 'reader = "table"\nfile = "train.csv"\nfirst = "a"\nlabel = "l"\nmin_freq = 1\n\n'
    Path("study.toml").write_text(text[: text.index("reader")] + table + text[text.index("[base]") :])
    stdout = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr(sys, "stdout", stdout)
    monkeypatch.setattr(sys, "argv", ["trimtab", "show", "study.toml", "--split", "train"])
    with pytest.raises(SystemExit) as ended:
        entry()
    assert ended.value.code == 0
    stdout.flush()
    assert b"caf\\xe9 " in stdout.buffer.getvalue()


def test_a_row_that_is_not_there(wrong):
    sentence = "--row 60: test has 60 rows; take a number from 0 to 59"
    assert wrong("show", "study.toml", "--row", "60") == sentence
    assert wrong("show", "study.toml", "--row", "-1").startswith("Invalid value for '--row'")
    sentence = wrong("show", "study.toml", "--split", "dev")
    assert sentence.startswith("--split dev: the study has no such split")


def test_texts_that_the_vocabulary_lacks_are_warned_of(trimtab, at_home):
    rows = [f"{a}{b}{a},{b}{a},{'yes' if a < b else 'no'}" for a in "写气公很饭" for b in "园茶书今喝"]
    for name, part in (("train", rows[:20]), ("test", rows[20:])):
        (at_home / f"{name}.csv").write_text("\n".join(["a,b,label", *part]), encoding="utf-8")
    data = '[data]\nreader = "table"\nfirst = "a"\nsecond = "b"\nlabel = "label"\n'
    files = '[data.train]\nfile = "train.csv"\n[data.test]\nfile = "test.csv"\n'
    grid = '[grid]\ntruncation = ["longest_first"]\nseeds = [1]\n'
    (at_home / "cjk.toml").write_text(f'question = "Does it read?"\n{data}{files}{grid}')
    code, said, _ = trimtab("audit", "cjk.toml")
    assert code == 0
    [warned] = [line for line in said if line.startswith("Warning: tokenizer 'words' does not know ")]
    assert "100.0 % of test" in warned


@pytest.mark.parametrize("words", [["--max-len", "2"], ["--tokenizer", "wrods"]])
def test_a_wrong_audit_leaves_no_folders(wrong, tmp_path, words):
    Path("my.csv").write_text(ROWS)
    Path("old").mkdir()
    assert wrong("audit", "my.csv", "--first", "a", "--out", "new/audit", *words)
    assert wrong("audit", "my.csv", "--first", "a", "--out", "old/audit", *words)
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["my.csv", "old", "study.toml"]


def test_audit_with_the_tokenizer_of_weights(trimtab, tmp_path):
    """A folder of weights brings one, as in a study."""
    tokenizer = build("words", ["a few words of mine"], min_freq=1)
    size = architecture("1x16/32/2")
    model = Bert(Parts(size, tokenizer.get_vocab_size()))
    initialise(model, 0, 0.3)
    weights_hf.write(tmp_path / "weights", weights_of(model, size), tokenizer)
    Path("my.csv").write_text(ROWS)
    code, said, complained = trimtab("audit", "my.csv", "--first", "a", "--tokenizer", "./weights")
    assert (code, complained) == (0, [])
    assert "tokens by ./weights" in said
