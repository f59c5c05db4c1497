"""Every command and every Python example of README, CONTRIBUTING and docs/ runs, on small data."""

import doctest
import re
import shutil
import subprocess
import tomllib
from importlib.util import find_spec

import pytest
import typer

import trimtab
from document_blocks import blocks, code, documents
from document_figures import RESULTS_PAGE, ROOT
from document_scenes import furnish, shrunk
from trimtab.cli import app, main
from trimtab.study import load

# Commands that start processes of their own, so that a document with one of them is slow.
SLOW = {"run", "plan", "bench", "pretrain"}
# Pages whose Python trains models.
TRAINS = {"docs/predictions.md"}
# What a document's first TOML block is saved as; other TOML blocks are parts of files, and only parsed.
STUDIES = {"README.md": "mine.toml", "docs/study-file.md": "study.toml"}
# One trial at a time, on the CPU.
TRAINING = {"run": ["--jobs", "1"], "plan": ["--jobs", "1"], "bench": ["--jobs", "1"], "pretrain": []}
PROGRAMS = {"trimtab", "make", "pip", "python", "git"}


@pytest.fixture
def scene(own_environment, monkeypatch):
    """The current folder, with data and studies in it."""
    furnish(own_environment)
    (own_environment / "mine.toml").write_text("keep_weights = true\n" + shrunk(_study("README.md")))
    monkeypatch.chdir(own_environment)
    return own_environment


def _study(document):
    return next(block.text for block in blocks(document) if block.language == "toml")


def _marked(document):
    commands = {words[1] for block in blocks(document) for words in block.commands if words[0] == "trimtab"}
    return pytest.param(document, marks=pytest.mark.slow if commands & SLOW or document in TRAINS else ())


@pytest.mark.parametrize("document", [_marked(name) for name in documents()])
def test_blocks_run_one_after_the_other(document, scene):
    names = _names_for(document)
    for number, block in enumerate(blocks(document)):
        where = f"{document}, block {number}"
        if document in (RESULTS_PAGE, "docs/doctor.md"):
            _as_in_a_clone(scene / "results")
        if block.language == "sh":
            for words in block.commands:
                assert words[0] in PROGRAMS, f"{where}: who checks {words[0]}?"
                if words[0] == "trimtab":
                    assert main(_here(words[1:])) == 0, f"{where}: {' '.join(words)}"
        elif block.language == "toml":
            parsed = tomllib.loads(block.text)
            if document in STUDIES and "question" in parsed:
                (scene / STUDIES[document]).write_text(shrunk(block.text))
        elif block.language == "python" and not block.text.startswith(">>>"):
            exec(compile(block.text, where, "exec"), names)
        else:
            assert block.language in ("python", "text"), f"{where}: a block in {block.language}"


def _as_in_a_clone(results):
    """Nothing but the compact ledger of a committed study."""
    shutil.rmtree(results, ignore_errors=True)
    (results / "aa").mkdir(parents=True)
    for name in ("ledger.json", "ledger.zip"):
        shutil.copy(ROOT / "results" / "aa" / name, results / "aa")


@pytest.mark.parametrize("document", documents())
def test_examples_give_what_they_show(document, monkeypatch):
    monkeypatch.chdir(ROOT)  # they read committed results
    names = {}
    for number, block in enumerate(blocks(document)):
        if block.language == "python" and block.text.startswith(">>>"):
            _run_doctest(block.text, names, f"{document}, block {number}")


@pytest.mark.parametrize(("document", "name"), list(STUDIES.items()))
def test_studies_are_valid(document, name, tmp_path):
    (tmp_path / name).write_text(_study(document))
    assert load(tmp_path / name).question


def _here(words):
    """The words of a command, with the options that keep it small."""
    return [*words, *TRAINING[words[0]], "--device", "cpu"] if words[0] in TRAINING else words


def _run_doctest(text, names, where):
    test = doctest.DocTestParser().get_doctest(text, names, where, None, 0)
    said = []
    failed = doctest.DocTestRunner(verbose=False).run(test, out=said.append, clear_globs=False).failed
    names.update(test.globs)
    assert not failed, "".join(said)


def _names_for(document):
    """What a document's Python examples take from their reader: a tokeniser, texts, a table."""
    if document == "docs/notebook.md":
        return {"trimtab": trimtab}
    if document != "docs/huggingface.md":
        return {}
    from datasets import Dataset, disable_progress_bars
    from tokenizers import Tokenizer
    from tokenizers.models import WordLevel
    from tokenizers.pre_tokenizers import Whitespace
    from transformers import PreTrainedTokenizerFast

    disable_progress_bars()
    words = Tokenizer(WordLevel({"[UNK]": 0, "[PAD]": 1, "a": 2, "b": 3}, unk_token="[UNK]"))
    words.pre_tokenizer = Whitespace()
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=words, unk_token="[UNK]", pad_token="[PAD]")
    pairs = {"premise": ["a b a", "b"], "hypothesis": ["b", "a a"]}
    return {
        "tokenizer": tokenizer,
        "premises": pairs["premise"],
        "hypotheses": pairs["hypothesis"],
        "table": Dataset.from_dict(pairs),
    }


def _commands(program):
    return [
        (document, words)
        for document in documents()
        for block in blocks(document)
        if block.language == "sh"
        for words in block.commands
        if words[0] == program
    ]


def test_make_knows_every_target():
    """A dry run, as the targets themselves are the tests, the guards and the quickstart; see below."""
    targets = sorted({target for _, words in _commands("make") for target in words[1:]})
    assert {"study", "test"} <= set(targets)
    done = subprocess.run(
        ["make", "--dry-run", *targets], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
def test_make_study_writes_a_report(tmp_path):
    if not (ROOT / ".venv").is_dir():
        pytest.skip("no .venv here; run make study once, which needs the package index")
    kept = shutil.ignore_patterns(".*", "results", "__pycache__", "shared")
    clone = shutil.copytree(ROOT, tmp_path / "clone", ignore=kept)
    (clone / ".venv").symlink_to(ROOT / ".venv")
    ready = ["--old-file=.venv/run", "--old-file=.venv/bin/python"]  # what it has set up before
    done = subprocess.run(["make", *ready, "study"], cwd=clone, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "results/quickstart/report.html"
    assert (clone / "results" / "quickstart" / "report.html").is_file()


def test_pip_is_asked_for_extras_that_there_are():
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    for document, words in _commands("pip"):
        for asked in re.findall(r"\[([\w,]+)\]", " ".join(words)):
            assert set(asked.split(",")) <= extras.keys(), f"{document}: {' '.join(words)}"
    rows = re.findall(r"^\| ((?:`\w+`(?:, )?)+) \|", (ROOT / "README.md").read_text(), re.MULTILINE)
    named = re.findall(r"\w+", " ".join(rows))
    assert {"train", "parquet", "datasets", "hub", "minilm", "mpnet", "peers"} <= set(named) & extras.keys()


def test_python_is_given_files_and_modules_that_there_are():
    for document, words in _commands("python"):
        there = find_spec(words[2]) if words[1] == "-m" else (ROOT / words[1]).is_file()
        assert there, f"{document}: {' '.join(words)}"


def _options():
    """By command of the command line: its options."""
    commands = typer.main.get_command(app).commands
    return {
        name: {o for p in command.params for o in (*p.opts, *p.secondary_opts)}
        for name, command in commands.items()
    }


def test_commands_and_options_in_the_text_are_those_there_are():
    known = _options()
    of_all = {name for each in typer.main.get_command(app).params for name in each.opts}
    every = set().union(*known.values(), of_all, {"--help", "-h"})
    for document in documents():
        for piece in code(document):
            words = piece.replace("\\|", "|").split()
            if words[0] == "trimtab" and len(words) > 1:
                assert words[1] in known, f"{document}: {piece}"
            if words[0].startswith("--"):
                assert words[0] in every, f"{document}: {piece}"
            elif words[0] == "trimtab":
                asked = {word for word in words if word.startswith("--")}
                assert asked <= known[words[1]], f"{document}: {piece}"


def test_readme_names_every_command():
    text = " ".join(code("README.md"))
    missing = [name for name in _options() if not re.search(rf"\b{name}\b", text)]
    assert not missing


def test_shell_commands_stand_in_fenced_blocks():
    """An indented block would not be run."""
    for document in documents():
        text = (ROOT / document).read_text()
        assert not re.search(r"^    (?:trimtab|make|pip|python) ", text, re.MULTILINE), document
