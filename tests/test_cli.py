"""The command line as a person meets it: exit codes, one line for each mistake, quiet off a terminal."""

import hashlib
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from zipfile import ZipFile

import numpy as np
import pytest
import torch

from trimtab.cli import main
from trimtab.cli.progress import Display
from trimtab.training.loop import Progress

QUICKSTART = Path(__file__).parents[1] / "studies" / "quickstart.toml"
PATIENCE = 120  # seconds until a test gives up on another process

STUDY = """\
question = "Does it matter?"

[data]
reader = "probe"
train = 320
test = 60
first_length = [8, 14]
second_length = [4, 6]
min_freq = 1

[base]
size = "2x32/64/2"
epochs = 1
precision = "fp32"

[grid]
truncation = ["longest_first", "ratio"]
max_len = [12]
seeds = 2
"""
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


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A folder with study.toml, and a cache beside it."""
    folder = tmp_path_factory.mktemp("home")
    (folder / "study.toml").write_text(STUDY)
    return folder


@pytest.fixture(autouse=True)
def at_home(home, tmp_path, monkeypatch):
    """Each test works in a folder of its own, with the study in it and the cache of all."""
    monkeypatch.setenv("TRIMTAB_CACHE", str(home / "cache"))
    monkeypatch.delenv("TRIMTAB_DATA", raising=False)
    monkeypatch.chdir(tmp_path)
    shutil.copy(home / "study.toml", tmp_path)


def start(home, *arguments, **options):
    environment = {key: value for key, value in os.environ.items() if key != "TRIMTAB_DATA"}
    environment |= {"TRIMTAB_CACHE": str(home / "cache")}
    return subprocess.Popen(
        [Path(sys.executable).with_name("trimtab"), *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
        **options,
    )


@pytest.fixture(scope="module")
def done(home):
    """``trimtab run study.toml`` as a process of its own: exit code, stdout, stderr, folder."""
    process = start(home, "run", "study.toml", "--device", "cpu", "--jobs", "1", cwd=home)
    said, complained = process.communicate(timeout=PATIENCE)
    return process.returncode, said, complained, home / "results" / "study"


@pytest.fixture
def trimtab(capsys):
    """trimtab(words): exit code and the lines of stdout and of stderr."""

    def call(*words):
        code = main([str(word) for word in words])
        said, complained = capsys.readouterr()
        return code, said.splitlines(), complained.splitlines()

    return call


@pytest.fixture
def wrong(trimtab):
    """wrong(words): the one sentence that a wrong input is answered with."""

    def sentence(*words):
        code, said, complained = trimtab(*words)
        assert (code, said) == (2, [])
        assert len(complained) == 1, complained
        assert complained[0].startswith("trimtab: ")
        return complained[0].removeprefix("trimtab: ")

    return sentence


def write(text, name="study.toml"):
    Path(name).write_text(text)
    return name


def table(train=ROWS, test=ROWS, section=TABLE):
    """A study on a table of the user's own, whose files lie in the current folder."""
    start, end = STUDY.index("reader"), STUDY.index("[base]")
    write(STUDY[:start] + section + STUDY[end:])
    for name, text in (("train.csv", train), ("test.csv", test)):
        if text is not None:
            Path(name).write_bytes(text if isinstance(text, bytes) else text.encode())
    return "study.toml"


# What works.


def test_run_is_quiet_and_ends_with_the_path_of_the_report(done):
    code, said, complained, folder = done
    assert (code, complained) == (0, "")
    lines = said.splitlines()
    assert lines[0] == "4 trials done now, 0 before"
    assert lines[-1] == "results/study/report.md"
    assert (folder / "report.md").is_file()


def test_report_of_what_was_run(done, trimtab, tmp_path):
    copy = tmp_path / "elsewhere"
    shutil.copytree(done[3], copy)
    before = (copy / "report.md").read_bytes()
    (copy / "report.md").unlink()
    shutil.rmtree(copy / "tables")
    code, said, complained = trimtab("report", copy)
    assert (code, complained, said[-1]) == (0, [], str(copy / "report.md"))
    assert (copy / "report.md").read_bytes() == before


def test_plan_of_what_was_run(done, trimtab):
    code, said, complained = trimtab("plan", "study.toml", "--out", done[3])
    assert (code, complained) == (0, [])
    text = "\n".join(said)
    assert said[0] == "Does it matter?"
    assert "0 left, 2 done" in text
    assert "ceiling of test %" in text
    assert "1 contrast, 1 of them tested." in text
    assert said[-1] == "nothing is left to run"


def test_another_score_on_finished_trials_trains_nothing(done, trimtab, tmp_path):
    folder = shutil.copytree(done[3], tmp_path / "results" / "study")
    before = {path: path.read_bytes() for path in folder.glob("trials/*/*")}
    write(STUDY + '[compare]\nscore = "matthews"\nmargin = 0.05\n')
    code, said, complained = trimtab("run", "study.toml", "--device", "cpu")
    assert (code, complained) == (0, [])
    assert said[0] == "0 trials done now, 4 before"
    text = (folder / "report.md").read_text()
    assert "## Matthews correlation on test" in text
    assert (folder / "tables" / "matthews-test.csv").exists()
    assert not (folder / "tables" / "accuracy-test.csv").exists()
    assert {path: path.read_bytes() for path in folder.glob("trials/*/*")} == before
    assert before
    code, again, _ = trimtab("report", folder)
    assert (code, again) == (0, [*said[1:-1], str(folder / "report.md")])
    _, plan, _ = trimtab("plan", "study.toml")
    assert any("in Matthews correlation; and to find" in line for line in plan)


def test_plan_of_what_was_not_trains_nothing(trimtab, tmp_path):
    write(STUDY.replace("[12]", "[12, 40]"))
    code, said, complained = trimtab("plan", "study.toml", "--device", "cpu")
    assert (code, complained) == (0, [])
    [line] = [line for line in said if line.startswith("ratio, max_len 40")]
    assert line.endswith("longest_first, max_len 40")
    assert said[-1].startswith("6 trials left, ")
    assert said[-1].endswith(": under a minute of training here")
    assert not (tmp_path / "results").exists()


def test_audit(trimtab, tmp_path):
    code, said, complained = trimtab("audit", "study.toml")
    assert (code, complained) == (0, [])
    assert len([line for line in said if line.startswith("ratio, max_len 12")]) == 3 + 9  # splits, labels
    assert not (tmp_path / "results").exists()


def test_audit_writes_tables_and_a_figure(trimtab, tmp_path):
    code, said, complained = trimtab("audit", "study.toml", "--out", "out/audit")
    assert (code, complained) == (0, [])
    names = [
        "tables/lengths.md",
        "tables/audit.md",
        "tables/audit-by-label.md",
        "tables/audit-differences.md",
        "figures/audit.png",
    ]
    assert said[-5:] == [f"out/audit/{name}" for name in names]
    assert all((tmp_path / path).is_file() for path in said[-5:])


LONG = "".join(f"a row {'of words ' * i},another {i},{'yes' if i % 2 else 'no'}\n" for i in range(1, 20))


@pytest.mark.parametrize("options", [[], ["--second", "b"], ["--second", "b", "--label", "l"]])
def test_audit_of_a_file(trimtab, tmp_path, options):
    write("a,b,l\n" + LONG, "my.csv")
    code, said, complained = trimtab("audit", "my.csv", "--data", tmp_path, "--first", "a", *options)
    assert (code, complained) == (0, [])
    assert said[:2] == ["my.csv: 19 rows", "tokens by words"]
    lengths = [line.split()[2] for line in said if line.startswith("longest_first, ") and " 19 " in line]
    assert lengths == ["32", "64", "128", "256"]
    assert ("The same by label:" in said) == ("--label" in options)
    assert said[-1] == "The figure, and the tables as files: --out DIR"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["my.csv", "study.toml"]


def test_the_longest_sentence_of_cola(trimtab, tmp_path, shared_data, bert_vocabulary):
    raw = shared_data / "cola" / "cola_public" / "raw" / "in_domain_train.tsv"
    write("code\tlabel\tmark\tsentence\n" + raw.read_text(), "cola.tsv")
    words = ["--data", tmp_path, "--first", "sentence", "--tokenizer", bert_vocabulary, "--max-len", 64]
    code, said, _ = trimtab("audit", "cola.tsv", *words)
    assert code == 0
    lengths = said[said.index("How long the rows are, in tokens with the special ones:") + 4]
    assert (lengths.split()[1], lengths.split()[-1]) == ("8,551", "47")  # as the tutorial counts


def test_audit_of_a_file_with_everything(trimtab, tmp_path):
    write("a\tb\n" + LONG.replace(",yes", "").replace(",no", "").replace(",", "\t"), "my.tsv")
    words = [
        "--truncation",
        "ratio+salient",
        "--truncation",
        "only_second",
        "--max-len",
        "6",
        "--max-len",
        "40",
    ]
    code, said, complained = trimtab(
        "audit",
        "my.tsv",
        "--first",
        "a",
        "--second",
        "b",
        "--tokenizer",
        "whitespace",
        *words,
        "--out",
        "out",
    )
    assert (code, complained) == (0, [])
    assert said[1] == "tokens by whitespace"
    assert "ratio+salient is fitted on these texts themselves, for want of a training split." in said
    assert any(
        line.startswith("only_second, max_len 6 is left out: only_second keeps the first") for line in said
    )
    assert said[-1] == "out/figures/audit.png"


def test_show(trimtab):
    code, said, complained = trimtab("show", "study.toml", "--row", "2", "--split", "train")
    assert (code, complained) == (0, [])
    assert said[0].startswith("train, row 2 of 320 (counted from 0), label ")
    assert "longest_first, max_len 12" in said
    assert any(line.startswith("  first: ") for line in said)
    assert "[" in "".join(said[4:])
    assert trimtab("show", "study.toml") == trimtab("show", "study.toml", "--row", "0", "--split", "test")


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("strategies", ["longest_first", "ratio", "only_first", "only_second", "head_tail", "tie=bert|"]),
        ("sizes", ["tiny", "small", "medium", "base", "large", "parameters"]),
        ("datasets", ["probe", "snli", "rte", "fnc1", "table", "hub", "licence", "train 8,551", "Matthews"]),
        ("datasets probe", ["what: made by the program", "options of reader probe", "seed = 0"]),
        ("datasets table", ["first (required)", "where from: yours", "sample:"]),
        ("datasets glue", ["mrpc", "#1 String", "sst2", "task (required): which of its tasks"]),
        ("datasets fnc1", ["clusters: the body", "columns: first: Headline", "sample_seed = 0"]),
        ("--help", ["run", "plan", "report", "audit", "show", "strategies", "sizes", "datasets"]),
    ],
)
def test_what_there_is(trimtab, command, words):
    code, said, complained = trimtab(*command.split())
    assert (code, complained) == (0, [])
    for word in words:
        assert word in "\n".join(said)


def test_the_tensors_of_a_size(trimtab, wrong):
    code, said, complained = trimtab("sizes", "base")
    assert (code, complained) == (0, [])
    assert len(said) == 2 + 201 + 2
    assert said[2].split() == ["bert.embeddings.word_embeddings.weight", "30522", "x", "768", "23,440,896"]
    assert said[202].split() == ["classifier.bias", "2", "2"]
    assert said[-1] == "base: 201 named tensors, 109,483,778 parameters"
    _, said, _ = trimtab("sizes", "1x8/16/2", "--vocabulary", "50", "--classes", "3")
    assert said[2].split()[1:] == ["50", "x", "8", "400"]
    assert said[-1].startswith("1x8/16/2: 25 named tensors, ")
    assert "did you mean 'base'" in wrong("sizes", "bose")
    assert "must be 1 or more" in wrong("sizes", "0x8")
    assert "are for one size; name it, such as: sizes base" in wrong("sizes", "--classes", "3")


def test_all_there_is_to_know_of_a_data_set(trimtab, wrong):
    code, said, complained = trimtab("datasets", "cola")
    assert (code, complained) == (0, [])
    assert (
        "  validation: a tenth of train, whole clusters, unless a study gives a share or [data.validation]"
        in said
    )
    assert (
        "  validation: its own split, unless a study gives a share or [data.validation]"
        in trimtab("datasets", "snli")[1]
    )
    assert "  read by: trimtab pretrain" in trimtab("datasets", "wikitext")[1]
    assert "there is no data set 'wikitext2'; did you mean 'wikitext'?" in wrong("datasets", "wikitext2")


def test_without_a_command_it_helps(trimtab):
    assert trimtab() == trimtab("--help")


def test_a_users_own_table(trimtab, tmp_path, monkeypatch):
    table(ROWS + "\n".join(f"row {i} word,other {i},{'yes' if i % 2 else 'no'}" for i in range(40)))
    code, said, complained = trimtab("audit", "study.toml", "--data", tmp_path)
    assert (code, complained) == (0, [])
    monkeypatch.setenv("TRIMTAB_DATA", str(tmp_path))
    assert trimtab("audit", "study.toml") == (0, said, [])


def predictions(folder):
    arrays = {}
    for path in sorted(folder.glob("trials/*/predictions.npz")):
        with np.load(path) as loaded:
            arrays[path.parent.name] = loaded["test"].tobytes()
    return arrays


def test_corrupt_cached_tokens_are_noticed_and_rebuilt(done, home, trimtab, tmp_path, monkeypatch):
    shutil.copytree(home / "cache", tmp_path / "cache")
    monkeypatch.setenv("TRIMTAB_CACHE", str(tmp_path / "cache"))
    damaged = sorted(tmp_path.glob("cache/tokens/*/first_values.npy"))
    assert damaged
    for path in damaged:
        content = bytearray(path.read_bytes())
        content[-4] ^= 1
        path.write_bytes(content)
    sums = {path: hashlib.sha256(path.read_bytes()).digest() for path in damaged}
    code, _, complained = trimtab("run", "study.toml", "--device", "cpu", "--jobs", "1")
    assert (code, complained) == (0, [])
    assert any(sums[path] != hashlib.sha256(path.read_bytes()).digest() for path in damaged)
    assert predictions(tmp_path / "results" / "study") == predictions(done[3])


# What does not.


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["rnu"], "No such command 'rnu'; see trimtab --help"),
        (["--nope"], "No such option: --nope; see trimtab --help"),
        (["run"], "Missing argument 'STUDY'; see trimtab --help"),
        (["report"], "Missing argument 'DIR'; see trimtab --help"),
        (["run", "study.toml", "--nope"], "No such option: --nope; see trimtab --help"),
        (["strategies", "large"], "Got unexpected extra argument(s) (large); see trimtab --help"),
    ],
)
def test_a_wrong_command_line(wrong, words, sentence):
    # The end of it is typer's own wording, and may gain a hint.
    assert wrong(*words).startswith(sentence.partition(";")[0])
    assert wrong(*words).endswith("; see trimtab --help")


@pytest.mark.parametrize("value", ["0", "two", "-1"])
def test_a_wrong_number_of_jobs(wrong, value):
    assert wrong("run", "study.toml", f"--jobs={value}").startswith("Invalid value for '--jobs'")


def test_a_wrong_device(wrong):
    sentence = wrong("run", "study.toml", "--device", "tpu")
    assert sentence.startswith("Invalid value for '--device': 'tpu' is not one of ")


@pytest.mark.parametrize("command", ["run", "plan", "audit", "show"])
def test_a_study_that_is_not_there(wrong, command):
    assert wrong(command, "nowhere.toml") == (
        "nowhere.toml: there is no such study file; name one, such as studies/quickstart.toml"
    )


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("epochs", "epohcs", "study.toml: [base]: unknown key 'epohcs'; did you mean 'epochs'?"),
        (
            '"ratio"',
            '"raito"',
            "study.toml: [grid]: truncation 'raito': no split is called 'raito'; did you mean 'ratio'?",
        ),
        (
            "epochs = 1",
            "epochs = true",
            "study.toml: [base]: epochs = True is wrong; it should be a whole number",
        ),
        ("[12]", "[2]", "study.toml: max_len 2 has no room beside the special tokens; take 4 or more"),
        (
            "seeds = 2",
            "",
            "study.toml: [grid]: seeds is missing; say how many, such as seeds = 5, or list them",
        ),
        (
            "seeds = 2",
            'seeds = 2\n[compare]\nscore = "acuracy"',
            "study.toml: [compare]: score 'acuracy' is unknown: did you mean 'accuracy'?",
        ),
    ],
)
def test_a_wrong_study(wrong, old, new, sentence):
    write(STUDY.replace(old, new))
    assert wrong("run", "study.toml") == sentence
    assert not Path("results").exists()


def test_a_study_without_its_data(wrong, tmp_path):
    table(train=None)
    where = "name its folder with --data DIR, or its whole path"
    assert wrong("audit", "study.toml") == f"there is no file {tmp_path / 'train.csv'}; {where}"
    assert wrong("audit", "study.toml", "--data", "nowhere") == (
        "--data: there is no folder nowhere; name the one that holds the data"
    )
    assert wrong("audit", "study.toml", "--data", "study.toml") == (
        "--data: there is no folder study.toml; name the one that holds the data"
    )


@pytest.mark.parametrize(
    ("train", "test", "sentence"),
    [
        (
            "a,c,l\nx,y,yes\n",
            ROWS,
            "{here}/train.csv: no column 'b' in the header, known: a, c, l",
        ),
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
def test_wrong_data(wrong, tmp_path, train, test, sentence):
    table(train, test)
    assert wrong("audit", "study.toml") == sentence.format(here=tmp_path)
    assert wrong("run", "study.toml", "--device", "cpu") == sentence.format(here=tmp_path)


def test_an_altered_zip(wrong, tmp_path):
    with ZipFile("snli_1.0.zip", "w") as file:
        file.writestr("snli_1.0/snli_1.0_train.txt", "nothing")
    table(None, None, 'reader = "snli"\n')
    sentence = wrong("audit", "study.toml", "--data", tmp_path)
    assert sentence.startswith(f"{tmp_path / 'snli_1.0.zip'}: is altered or truncated (its SHA-1 is ")
    assert sentence.endswith("or delete it")


def test_a_folder_without_snli(wrong, tmp_path):
    table(None, None, 'reader = "snli"\n')
    assert wrong("run", "study.toml", "--data", ".").startswith(".: holds no snli_1.0_train.txt")


def test_another_studys_results(done, wrong):
    write(STUDY, "other.toml")
    sentence = (
        f"{done[3]}: holds the results of study 'study'; choose another folder with --out DIR for 'other'"
    )
    for command in ("run", "plan"):
        assert wrong(command, "other.toml", "--out", done[3]) == sentence


def test_a_folder_that_cannot_be_written(wrong):
    assert wrong("run", "study.toml", "--out", "study.toml/out") == (
        "study.toml/out: cannot be written (Not a directory); choose another folder with --out DIR"
    )
    assert wrong("run", "study.toml", "--out", "study.toml") == (
        "study.toml: cannot be written (File exists); choose another folder with --out DIR"
    )


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_without_leave_to_write(wrong, tmp_path):
    tmp_path.chmod(0o500)
    assert wrong("run", "study.toml") == (
        "results/study: cannot be written (Permission denied); choose another folder with --out DIR"
    )
    tmp_path.chmod(0o700)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["my.csv"], "my.csv: --first is missing; name the column of the first text: a, b, l"),
        (["my.csv", "--first", "c"], "{here}/my.csv: no column 'c' in the header, known: a, b, l"),
        (
            ["my.csv", "--first", "a", "--max-len", "2"],
            "max_len 2 has room for the special tokens alone; raise it",
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
            "--first: is for a table of texts, but a study such as study.toml names its own; leave it out",
        ),
        (
            ["study.toml", "--max-len", "9"],
            "--max-len: is for a table of texts, but a study such as study.toml names its own; leave it out",
        ),
    ],
)
def test_a_wrong_audit(wrong, tmp_path, words, sentence):
    write(ROWS, "my.csv")
    assert wrong("audit", *words) == sentence.format(here=tmp_path)


def test_a_row_that_is_not_there(wrong):
    sentence = "--row 60: test has 60 rows; take a number from 0 to 59"
    assert wrong("show", "study.toml", "--row", "60") == sentence
    assert wrong("show", "study.toml", "--row", "-1").startswith("Invalid value for '--row'")
    assert wrong("show", "study.toml", "--split", "dev").startswith(
        "--split dev: the study has no such split"
    )


def test_a_report_on_nothing(wrong):
    assert wrong("report", "nowhere") == "nowhere: holds no results; name the folder of a study that was run"


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device")
def test_cuda_where_there_is_none(wrong):
    said = wrong("run", "study.toml", "--device", "cuda")
    assert said.startswith("--device cuda: PyTorch finds no CUDA device here; leave --device out; ")


def test_a_wrong_input_as_a_process_of_its_own(home):
    process = start(home, "run", "nowhere.toml", cwd=home)
    said, complained = process.communicate(timeout=PATIENCE)
    assert (process.returncode, said) == (2, "")
    [line] = complained.splitlines()
    assert line.startswith("trimtab: nowhere.toml: ")


# Ctrl-C.


def has_children(pid):
    return any(path.read_text().strip() for path in Path(f"/proc/{pid}/task").glob("*/children"))


def trials_begun(folder):
    return bool(list(folder.glob("trials/*/metrics.jsonl")))


@pytest.mark.skipif(sys.platform != "linux", reason="looks for processes in /proc")
@pytest.mark.parametrize("moment", ["a worker starts", "a trial runs"])
def test_ctrl_c(home, tmp_path, moment):
    write(STUDY.replace("epochs = 1", "epochs = 500"))
    process = start(
        home, "run", "study.toml", "--device", "cpu", "--jobs", "1", cwd=tmp_path, start_new_session=True
    )
    folder, deadline = tmp_path / "results" / "study", time.monotonic() + PATIENCE
    try:
        while not (
            trials_begun(folder)
            if moment == "a trial runs"
            else (folder / "study.json").exists() and has_children(process.pid)
        ):
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.005)
        os.killpg(process.pid, signal.SIGINT)  # as a terminal does: every process of the group hears it
        said, complained = process.communicate(timeout=PATIENCE)
    finally:
        process.kill()
        process.wait()
    assert (process.returncode, said) == (130, "")
    assert complained == ("trimtab: stopped; what is finished is kept, and the same command goes on there\n")


@pytest.mark.slow
def test_quickstart_finds_what_its_ceilings_say(tmp_path, home):
    """The issue's criterion: no mean above its ceiling, uncut within two points of it, the effects found."""
    from trimtab.analysis.analysis import analyse
    from trimtab.ledger import Ledger

    process = start(home, "run", QUICKSTART, "--out", tmp_path / "out")
    _, complained = process.communicate(timeout=1200)
    assert (process.returncode, complained) == (0, "")
    [test] = analyse(Ledger(tmp_path / "out")).tests
    ceilings = {row["variant"]: row["ceiling"] for row in test.means}
    for row in test.means:
        assert row["p_above_ceiling"] > 0.01, row["name"]
        if row["ceiling"] == 1:
            assert row["mean"] > 0.98, row["name"]
    predicted = 0
    for row in test.contrasts:
        difference = ceilings[row["variant"]] - ceilings[row["baseline_number"]]
        if abs(difference) > 0.03:
            predicted += 1
            assert row["verdict"] == ("better" if difference > 0 else "worse"), row
    assert predicted


# Progress.


def progress(step, loss):
    return Progress(epoch=1, epochs=2, step=step, steps=20, loss=loss, examples_per_second=1234.0)


def shown(capsys):
    with Display() as display:
        display.stage("reading the data")
        display.start(3, 1, 20.0)
        display.news("ratio, seed 0", "progress", progress(5, 0.75))
        display.news("ratio, seed 0", "epoch", {"loss": 0.5})
        display.progress.refresh()
        display.end("ratio, seed 0", 10.0, None)
        display.end("ratio, seed 1", 10.0, "the loss became [nan]; lower learning_rate")
        display.progress.refresh()
    said, complained = capsys.readouterr()
    assert said == ""
    return complained


def test_off_a_terminal_no_progress_is_shown(capsys):
    assert shown(capsys) == ""


def test_on_a_terminal_progress_is_shown(capsys, monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "200")
    text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", shown(capsys))
    assert "epoch 1/2, loss 0.750, 1,234 ex./s" in text
    assert "1 of 3 done" in text
    assert "2 of 3 done" in text
    assert "failed: ratio, seed 1: the loss became [nan]; lower learning_rate" in text
