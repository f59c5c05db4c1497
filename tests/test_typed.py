"""The types that ``import trimtab`` promises: its stub has its names, and a program of a user's passes."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import trimtab

ROOT = Path(__file__).parents[1]
CONSUMER = ROOT / "tests" / "typed" / "consumer.py"


def parsed(path):
    return ast.parse(path.read_text())


def python(*words):
    done = subprocess.run(
        [sys.executable, *map(str, words)], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_stub_says_where_each_name_comes_from():
    stub = parsed(Path(trimtab.__file__).with_suffix(".pyi"))
    told = {
        alias.asname: (node.module, alias.name)
        for node in stub.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    assert told == trimtab._PUBLIC
    (listed,) = (
        ast.literal_eval(node.value)
        for node in stub.body
        if isinstance(node, ast.Assign) and node.targets[0].id == "__all__"
    )
    assert sorted(listed) == sorted(trimtab.__all__)


def test_the_consumer_uses_every_public_name():
    used = set()
    for node in ast.walk(parsed(CONSUMER)):
        if isinstance(node, ast.ImportFrom) and node.module == "trimtab":
            used |= {alias.name for alias in node.names}
        if (
            isinstance(node, ast.Attribute)
            and isinstance(node.value, ast.Name)
            and node.value.id == "trimtab"
        ):
            used.add(node.attr)
    assert used == set(trimtab.__all__)


@pytest.mark.slow
def test_a_strict_checker_passes_the_consumer(tmp_path):
    """`make lint` checks it with the same flags, but as one of our own files."""
    python("-m", "mypy", "--strict", "--follow-imports=silent", "--cache-dir", tmp_path, CONSUMER)


@pytest.mark.integration
def test_the_consumer_runs(tmp_path, tiny):
    (tmp_path / "study.toml").write_text(tiny())
    found = python(CONSUMER, ROOT / "results" / "aa", tmp_path / "study.toml", tmp_path / "out")
    assert "not a fast tokeniser of transformers" in found
    assert (tmp_path / "out" / "report.html").is_file()
