"""Where the real data is, and small inputs, for the tests that want them."""

import os
from pathlib import Path

import numpy as np
import pytest

from trimtab.data.pairs import make_pairs
from trimtab.data.tokenizer import SpecialTokens
from trimtab.data.tokens import Tokens
from trimtab.ragged import Ragged
from trimtab.truncation import parse

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
        return make_pairs(tokens, parse("longest_first"), 64, SpecialTokens(3, 4))

    return make
