"""Each test of the command line works in a folder of its own, which holds the tiny study as study.toml."""

from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def at_home(tmp_path, monkeypatch, tiny):
    monkeypatch.chdir(tmp_path)
    Path("study.toml").write_text(tiny())
    return tmp_path
