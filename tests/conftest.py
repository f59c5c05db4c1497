"""Where the real data is, small inputs, a tiny study, its command line; a cache of this session's own."""

import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import settings

import handmade as handmade_module
from empty_figures import leave_figures_empty
from trimtab.cli import main
from trimtab.data.input_template import bert_template
from trimtab.data.pairs import make_pairs
from trimtab.data.tokenizer import SpecialTokens
from trimtab.data.tokens import Tokens
from trimtab.ragged import Ragged
from trimtab.run.runner import run
from trimtab.study import load
from trimtab.truncation import parse

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

# A change is judged by the same examples as the one before it; --hypothesis-profile=default draws new ones.
settings.register_profile("same examples", derandomize=True)
settings.load_profile("same examples")

# What makes rich believe that it writes to a terminal, or to one of another width.
_TERMINAL = ("FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE", "COLUMNS")

_HERE = Path(__file__).resolve().parents[1]
_SHARED = Path(os.environ.get("TRIMTAB_DATA") or _HERE.parent / "shared" / "data")


@pytest.fixture
def shared_data():
    """The folder of shared data; the test is skipped where it is not there."""
    if not (_SHARED / "snli").is_dir():
        pytest.skip(f"no data in {_SHARED}; name its folder in TRIMTAB_DATA")
    return _SHARED


@pytest.fixture
def bert_vocabulary():
    """The vocab.txt of BERT uncased; the test is skipped where it is not there."""
    path = _SHARED / "bert-vocab" / "vocab.txt"
    if not path.is_file():
        pytest.skip(f"no {path}; name its folder's parent in TRIMTAB_DATA")
    return path


@pytest.fixture
def own_environment(tmp_path, monkeypatch):
    """No data folder of the user's, and a cache of the test's own."""
    monkeypatch.delenv("TRIMTAB_DATA", raising=False)
    monkeypatch.setenv("TRIMTAB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    return tmp_path


def _tokens(first, second=None, labels=None, evidence=None):
    return Tokens(
        Ragged.from_rows(first),
        None if second is None else Ragged.from_rows(second),
        np.zeros(len(first), np.int64) if labels is None else np.asarray(labels, np.int64),
        np.arange(len(first)),
        None if evidence is None else np.asarray(evidence, np.int64),
        Path(),
    )


@pytest.fixture(scope="session")
def tokens_of():
    """Rows of ids as Tokens: tokens_of(first, second=None, labels=None, evidence=None)."""
    return _tokens


@pytest.fixture(scope="session")
def random_pairs():
    """Pairs of random ids 5 to 39, lengths 0 to 12, labels 0 to 2: random_pairs(seed, rows, single=False)."""

    def make(seed, rows, single=False):
        rng = np.random.default_rng(seed)
        sides = [[rng.integers(5, 40, length) for length in rng.integers(0, 13, rows)] for _ in range(2)]
        tokens = _tokens(sides[0], None if single else sides[1], rng.integers(0, 3, rows))
        return make_pairs(tokens, parse("longest_first"), 64, bert_template(SpecialTokens(3, 4)))

    return make


@pytest.fixture(scope="session")
def session_cache(tmp_path_factory):
    """The cache folder that all tests share, so that probe is tokenised once."""
    return tmp_path_factory.mktemp("cache")


def set_environment(patch, cache):
    patch.setenv("TRIMTAB_CACHE", str(cache))
    for name in ("TRIMTAB_DATA", *_TERMINAL):
        patch.delenv(name, raising=False)


@pytest.fixture(autouse=True)
def environment(session_cache, monkeypatch):
    set_environment(monkeypatch, session_cache)


@pytest.fixture
def unsaved_figures(monkeypatch):
    """Figures are drawn, but their files stay empty."""
    leave_figures_empty(monkeypatch)


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
        return study, run(study, out=folder / "out", device="cpu", jobs=1)


@pytest.fixture
def trimtab(capsys):
    """trimtab(words): the command line in this process; exit code, lines of stdout, lines of stderr."""

    def call(*words):
        code = main([str(word) for word in words])
        said, complained = capsys.readouterr()
        return code, said.splitlines(), complained.splitlines()

    return call


@pytest.fixture
def wrong(trimtab):
    """wrong(words): the one sentence that a wrong input is answered with, and nothing else."""

    def sentence(*words):
        code, said, complained = trimtab(*words)
        assert (code, said) == (2, [])
        assert len(complained) == 1, complained
        assert complained[0].startswith("trimtab: ")
        return complained[0].removeprefix("trimtab: ")

    return sentence


@pytest.fixture(scope="session")
def handmade():
    """The module handmade.py, which writes ledgers with known predictions."""
    return handmade_module


@pytest.fixture(scope="session")
def scores():
    """Bool (3 variants, 4 seeds, 60 examples), the third variant far better than the others."""
    rng = np.random.default_rng(1)
    return rng.random((3, 4, 60)) < np.array([0.4, 0.4, 0.97])[:, None, None]
