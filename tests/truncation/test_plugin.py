"""Strategies of another package, which is really built, installed and found through its entry points."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.integration

STUDY = """
question = "Is another package's strategy a variant like any other?"
[data]
reader = "probe"
train = 300
test = 100
[base]
size = "1x16/32/2"
precision = "fp32"
epochs = 1
max_len = 20
[grid]
truncation = ["longest_first", "limited(most=4)+evenly"]
seeds = 1
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """An environment in which the package of the folder plugin is installed; its files are nowhere else."""
    folder = tmp_path_factory.mktemp("plugin")
    # Copied, because a build leaves files beside its sources.
    source = shutil.copytree(Path(__file__).parent / "plugin", folder / "source")
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    offline = ["--no-index", "--no-deps", "--no-build-isolation", "--target", str(folder / "installed")]
    subprocess.run([*pip, *offline, str(source)], check=True, stdin=subprocess.DEVNULL)
    cache = {"TRIMTAB_CACHE": str(folder / "cache")}
    known = {key: value for key, value in os.environ.items() if key != "COLUMNS"}  # by which tables fold
    return known | cache | {"PYTHONPATH": str(folder / "installed")}


def trimtab(environment, *arguments, folder=None):
    command = [sys.executable, "-m", "trimtab.cli", *arguments]
    return subprocess.run(
        command, env=environment, cwd=folder, capture_output=True, text=True, check=False, timeout=300
    )


def test_strategies_lists_it(installed):
    listed = trimtab(installed, "strategies").stdout.splitlines()
    (limited,) = [line.split() for line in listed if " limited " in line]
    assert limited[:4] == ["split", "limited", "most=16", "Gives"]
    (evenly,) = [line.split() for line in listed if " evenly " in line]
    assert evenly[:3] == ["selection", "evenly", "Keeps"]


def test_without_it_the_name_is_unknown_and_with_it_a_slip_is_mended(installed, tmp_path):
    study = tmp_path / "study.toml"
    study.write_text(STUDY.replace("most=4", "mots=4"))
    done = trimtab(installed, "plan", str(study))
    assert (done.returncode, done.stdout) == (2, "")
    assert "limited has no option 'mots'; did you mean 'most'?" in done.stderr
    done = trimtab(os.environ | {"PYTHONPATH": ""}, "plan", str(study))
    assert done.returncode == 2
    assert "no split is called 'limited'" in done.stderr


def test_it_cuts_as_it_says(installed):
    program = """
from trimtab.ragged import Ragged
from trimtab.truncation import parse
cut = parse("limited(most=2)+evenly").apply(
    Ragged.from_rows([range(10, 20), [10]]), Ragged.from_rows([range(20, 26), range(20, 29)]), 7
)
print([[side[row].tolist() for row in (0, 1)] for side in cut])
"""
    done = subprocess.run(
        [sys.executable, "-c", program], env=installed, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[[[10, 12, 14, 16, 18], [10]], [[20, 23], [20, 21, 23, 24, 26, 27]]]"


@pytest.mark.slow
def test_a_study_runs_it(installed, tmp_path):
    (tmp_path / "study.toml").write_text(STUDY)
    done = trimtab(installed, "run", "study.toml", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "2 trials done now" in done.stdout
    row = next(
        line
        for line in (tmp_path / "results/study/report.md").read_text().splitlines()
        if line.startswith("| limited(most=4)+evenly")
    )
    assert row.count("|") > 5
    audit = trimtab(installed, "plan", "study.toml", folder=tmp_path).stdout
    # A ceiling is given, because the package says that its selection does not look at the words.
    assert "ceiling of test %" in audit
    assert all(cell for cell in next(x for x in audit.splitlines() if "limited" in x).split()[:4])
