"""What is published: the wheel holds the package whole and nothing else, the sdist what git tracks."""

import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

import trimtab

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def tracked():
    done = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip("no git here, or no repository: nothing says what belongs to the project")
    # Files that git knows and that are gone from the folder are in no build.
    return {name for name in done.stdout.split("\0") if name and (ROOT / name).is_file()}


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    pytest.importorskip("hatchling", reason="no hatchling, which builds the package")
    folder = tmp_path_factory.mktemp("dist")
    build = [sys.executable, "-m", "build", "--no-isolation", "--sdist", "--wheel", "--outdir", str(folder)]
    done = subprocess.run([*build, str(ROOT)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


def test_the_wheel_is_the_package(built, tracked):
    (wheel,) = built.glob("*.whl")
    assert wheel.name == f"trimtab-{trimtab.__version__}-py3-none-any.whl"
    with zipfile.ZipFile(wheel) as file:
        names = file.namelist()
        about = f"trimtab-{trimtab.__version__}.dist-info"
        assert "trimtab = trimtab.cli:entry" in file.read(f"{about}/entry_points.txt").decode()
    package = {name.removeprefix("src/") for name in tracked if name.startswith("src/")}
    assert {"trimtab/py.typed", "trimtab/__init__.pyi"} <= package
    assert package <= set(names)
    assert {name for name in names if not name.startswith(f"{about}/")} == package


def test_the_sdist_is_what_git_tracks(built, tracked):
    (sdist,) = built.glob("*.tar.gz")
    with tarfile.open(sdist) as file:
        names = {name.split("/", 1)[1] for name in file.getnames()}
    assert tracked <= names
    assert names - tracked <= {"PKG-INFO"}
