"""The progress of a run: shown on a terminal, and nowhere else."""

import re

import pytest

from trimtab.cli.progress import Display, shortened
from trimtab.training.epoch import Epoch
from trimtab.training.loop import TrialProgress

EPOCH = Epoch(1, 0.5, 0.5, 0.5, 0.5, 100.0, 1000.0, 1 << 20, 1.0, 0.1)


def progress(step, loss):
    return TrialProgress(epoch=1, epochs=2, step=step, steps=20, loss=loss, examples_per_second=1234.0)


@pytest.fixture
def shown(capsys):
    """shown(): what a run of three trials, one of them done before and one that fails, shows on stderr."""

    def run():
        with Display() as display:
            display.stage("reading the data")
            display.start(3, 1, 20.0)
            display.news("ratio, seed 0", progress(5, 0.75))
            display.news("ratio, seed 0", EPOCH)
            display.progress.refresh()
            display.end("ratio, seed 0", 10.0, None)
            display.end("ratio, seed 1", 10.0, "the loss became [nan]; lower learning_rate")
            display.progress.refresh()
        said, complained = capsys.readouterr()
        assert said == ""
        return complained

    return run


def test_off_a_terminal_no_progress_is_shown(shown):
    assert shown() == ""


def test_on_a_terminal_progress_is_shown(shown, monkeypatch):
    for name, value in {"FORCE_COLOR": "1", "TERM": "xterm", "COLUMNS": "200"}.items():
        monkeypatch.setenv(name, value)
    text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", shown())
    assert "epoch 1/2, loss 0.750, 1,234 ex./s" in text
    assert "1 of 3 done" in text
    assert "2 of 3 done" in text
    assert "failed: ratio, seed 1: the loss became [nan]; lower learning_rate" in text


@pytest.mark.parametrize(
    ("label", "width", "expected"),
    [
        ("ratio, seed 0", 30, "ratio, seed 0"),
        ("longest_first, max_len 16, size small, seed 0", 40, "longest_first, max_le…size small, seed 0"),
        ("longest_first, max_len 16, size small, seed 0", 3, "longest…mall, seed 0"),
    ],
)
def test_a_long_label_loses_its_middle(label, width, expected):
    assert shortened(label, width) == expected
