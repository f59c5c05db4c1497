"""A terminal of a given size, in tmux: what stands on it after a Python program has run."""

import contextlib
import os
import shutil
import subprocess
import sys
import time
import uuid
from pathlib import Path

import pytest

needs_tmux = pytest.mark.skipif(shutil.which("tmux") is None, reason="needs tmux; apt-get install tmux")

PATIENCE = 120  # seconds
_END = "the program has ended"


class Screen:
    """A program that runs in a terminal."""

    def __init__(self, socket):
        self.socket = socket

    def tmux(self, *words):
        """The output of a tmux command."""
        command = ["tmux", "-L", self.socket, *words]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout

    def lines(self):
        """The lines that the program wrote; one that the terminal had to wrap counts as one line."""
        return [line.rstrip() for line in self.tmux("capture-pane", "-p", "-J", "-S", "-").splitlines()]

    def wait_for(self, words):
        """Return the lines once ``words`` stand in one of them."""
        deadline = time.monotonic() + PATIENCE
        while not any(words in line for line in self.lines()):
            assert time.monotonic() < deadline, "\n".join(self.lines())
            time.sleep(0.05)
        return self.lines()

    def at_the_end(self):
        """The lines after the program has ended."""
        lines = self.wait_for(_END)
        return lines[: next(number for number, line in enumerate(lines) if _END in line)]


@contextlib.contextmanager
def screen(program, columns, rows=50):
    """A Screen on which ``program``, Python code, runs in the current folder; it is killed at the end."""
    shown = Screen(f"trimtab-{uuid.uuid4().hex}")
    path = Path(f"{shown.socket}.py")
    path.write_text(f"{program}\nprint({_END!r}, flush=True)\nimport time; time.sleep({PATIENCE})\n")
    environment = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES")}
    command = ["tmux", "-L", shown.socket, "-f", "/dev/null", "new-session", "-d"]
    command += ["-x", str(columns), "-y", str(rows), sys.executable, str(path.absolute())]
    subprocess.run(command, check=True, env=environment)
    try:
        yield shown
    finally:
        with contextlib.suppress(subprocess.CalledProcessError):
            shown.tmux("kill-server")
