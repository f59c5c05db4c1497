"""Tiny studies, run for real, and hand-made ledgers; every test here has a cache of this session's own."""

import importlib.util
from pathlib import Path

import pytest

from trimtab.study import load

# Two hundred steps of almost no work: cut at 12, not cut at 40.
TINY = """\
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
epochs = 2
batch_size = 32
learning_rate = 1e-3
precision = "fp32"

[grid]
truncation = ["longest_first", "ratio"]
max_len = [12, 40]
seeds = 2
"""


@pytest.fixture(scope="session")
def session_cache(tmp_path_factory):
    """The cache folder that all tests here share, so that probe is tokenised once."""
    return tmp_path_factory.mktemp("cache")


def set_environment(patch, cache):
    patch.setenv("TRIMTAB_CACHE", str(cache))
    patch.delenv("TRIMTAB_DATA", raising=False)
    # Threads that wait by spinning make a trial a hundred times slower where the cores are busy otherwise.


@pytest.fixture(autouse=True)
def environment(session_cache, monkeypatch):
    set_environment(monkeypatch, session_cache)


@pytest.fixture(scope="session")
def tiny():
    """tiny(old, new, ...): the text of the tiny study with replacements, each of which must fit once."""

    def text(*replacements):
        made = TINY
        for old, new in zip(replacements[::2], replacements[1::2], strict=True):
            assert made.count(old) == 1, old
            made = made.replace(old, new)
        return made

    return text


@pytest.fixture(scope="session")
def study_at():
    """study_at(folder, text, name='study'): the file written there and loaded."""

    def written(folder, text, name="study"):
        folder.mkdir(parents=True, exist_ok=True)
        path = Path(folder) / f"{name}.toml"
        path.write_text(text)
        return load(path)

    return written


@pytest.fixture(scope="session")
def ran(tmp_path_factory, session_cache, tiny, study_at):
    """The tiny study, run without interruption: the study, its Outcome."""
    folder = tmp_path_factory.mktemp("ran")
    study = study_at(folder, tiny())
    with pytest.MonkeyPatch.context() as patch:
        set_environment(patch, session_cache)
        return study, study.run(out=folder / "out", device="cpu", jobs=1)


@pytest.fixture(scope="session")
def handmade():
    """The module handmade.py, which writes ledgers with known predictions."""
    spec = importlib.util.spec_from_file_location("handmade", Path(__file__).with_name("handmade.py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
