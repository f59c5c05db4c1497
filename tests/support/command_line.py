"""``trimtab`` as a process of its own, with the signals that a test needs; it never outlives the test."""

import contextlib
import os
import signal
import subprocess
import sys
import time

PATIENCE = 120  # seconds until a test gives up on another process


@contextlib.contextmanager
def started(*arguments, interruptible=True, **options):
    """A running ``trimtab``: its Popen, whose stdout and stderr are pipes of text.

    It leads a process group of its own, which is killed at the end if it still runs. A process inherits
    whether SIGINT is ignored, and a script ignores it in what it starts with ``&``; so this is set here.
    """
    with _sigint(signal.default_int_handler if interruptible else signal.SIG_IGN):
        process = subprocess.Popen(
            [sys.executable, "-m", "trimtab.cli", *map(str, arguments)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
            **options,
        )
    with process:  # closes the pipes and waits
        try:
            yield process
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)


def wait_until(condition, process):
    """Return once ``condition()`` holds, which it must while ``process`` runs, and before patience ends."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.005)


def interrupt(process):
    """Ctrl-C, as a terminal sends it: to every process of the group."""
    os.killpg(process.pid, signal.SIGINT)


@contextlib.contextmanager
def _sigint(handler):
    before = signal.signal(signal.SIGINT, handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
