"""Each test of the command line works in a folder of its own, which holds the tiny study as study.toml."""

from pathlib import Path

import pytest
from matplotlib.figure import Figure


@pytest.fixture(autouse=True)
def at_home(tmp_path, monkeypatch, tiny):
    monkeypatch.chdir(tmp_path)
    Path("study.toml").write_text(tiny())
    return tmp_path


@pytest.fixture
def unsaved_figures(monkeypatch):
    """Figures are drawn, but their files stay empty, as saving them is most of a report's time."""
    monkeypatch.setattr(Figure, "savefig", lambda figure, path, **options: Path(path).touch())
