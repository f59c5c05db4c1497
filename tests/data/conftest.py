"""Where the real data is, for the tests that want it."""

import os
from pathlib import Path

import pytest

_HERE = Path(__file__).resolve().parents[2]
_SHARED = Path(os.environ.get("TRIMTAB_DATA") or _HERE.parent / "shared" / "data")


@pytest.fixture
def shared_data():
    """The folder of shared data; the test is skipped where it is not there."""
    if not (_SHARED / "snli").is_dir():
        pytest.skip(f"no data in {_SHARED}; name its folder in TRIMTAB_DATA")
    return _SHARED


@pytest.fixture
def own_environment(tmp_path, monkeypatch):
    """No data folder of the user's, and a cache of the test's own."""
    monkeypatch.delenv("TRIMTAB_DATA", raising=False)
    monkeypatch.setenv("TRIMTAB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    return tmp_path
