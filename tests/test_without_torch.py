"""What works where torch is not installed, and what is said where it is needed."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.integration

RESULTS = Path(__file__).resolve().parents[1] / "results"

PROGRAM = """
import contextlib, io, json, sys

class Without:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "torch":
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Without())
import trimtab
from trimtab.cli import main

cut = trimtab.parse("ratio+tail").apply(
    trimtab.Ragged.from_rows([range(9)]), trimtab.Ragged.from_rows([range(3)]), budget=4
)
found = {"cut": [side[0].tolist() for side in cut]}
found["verdicts"] = [row.contrast.verdict for row in trimtab.Ledger("aa").contrasts()]
for words in json.loads(sys.argv[1]):
    said, complained = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(complained):
        code = main(words)
    found[words[0]] = [code, said.getvalue(), complained.getvalue()]
try:
    trimtab.run_study
except ModuleNotFoundError as error:
    found["run_study"] = str(error)
print(json.dumps(found))
"""

NEEDED = ["run", "bench", "predict", "embed"]


@pytest.fixture(scope="module")
def found(tmp_path_factory, tiny):
    folder = tmp_path_factory.mktemp("without")
    (folder / "study.toml").write_text(tiny())
    (folder / "pairs.csv").write_text("a,b\nx y z,u v\nx y,u v w\n")
    shutil.copytree(RESULTS / "aa", folder / "aa")
    commands = [
        ["audit", "pairs.csv", "--first", "a", "--second", "b", "--max-len", "6"],
        ["show", "study.toml"],
        ["run", "study.toml"],
        ["bench"],
        ["predict", "folder", "pairs.csv"],
        ["embed", "minilm", "a text"],
    ]
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, json.dumps(commands)],
        cwd=folder,
        env={name: value for name, value in os.environ.items() if name != "TRIMTAB_DATA"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_truncation_and_results(found):
    assert found["cut"] == [[6, 7, 8], [2]]
    assert len(found["verdicts"]) == 9


@pytest.mark.parametrize("command", ["audit", "show"])
def test_commands_that_read(found, command):
    code, said, complained = found[command]
    assert (code, complained) == (0, "")
    assert said


@pytest.mark.parametrize("command", NEEDED)
def test_commands_that_need_it_say_so(found, command):
    sentence = f"trimtab: {command}: needs torch, which is not installed; pip install 'trimtab[train]'\n"
    assert found[command] == [2, "", sentence]


def test_python_says_so_too(found):
    assert found["run_study"] == (
        "trimtab.run_study needs torch, which is not installed; pip install 'trimtab[train]'"
    )
