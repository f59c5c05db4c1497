"""What a worker process does: get ready to train, then job by job. Free of torch until then."""

import contextlib
import importlib
import multiprocessing
import os
import signal
import threading
import traceback
from collections.abc import Mapping
from multiprocessing.connection import Connection

from trimtab.run.ended import Ended

PRELOAD = "trimtab.run.preload"


def serve(pipe: Connection, threads: int, environment: Mapping[str, str]) -> None:
    """A worker's loop: take a job, do it, send how it ended."""
    begin_process(threads, environment)
    from trimtab.training.device_errors import spoils_device

    with contextlib.suppress(EOFError, BrokenPipeError):
        while True:
            job = pipe.recv()
            try:
                ended = Ended(job.run(lambda news: pipe.send(news)))
            except BrokenPipeError:
                raise
            except Exception as error:
                ended = Ended(traceback=traceback.format_exc(), lost_device=spoils_device(error))
            pipe.send(ended)
            if ended.lost_device:
                os._exit(1)  # the device's clean-up would fail or hang


def begin_process(threads: int, environment: Mapping[str, str]) -> None:
    """Make a new process fit to train: with so many threads, ending with its parent, deaf to Ctrl-C."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    os.environ.update(environment)  # the fork server's is as old as its first worker
    importlib.import_module(PRELOAD)  # where a fork server did, it costs nothing
    import torch  # here, so that the parent needs none

    from trimtab.training.memory import keep_freed_memory

    keep_freed_memory()
    torch.set_num_threads(threads)
    torch.set_flush_denormal(True)  # numbers too small to matter would slow the processor down a hundredfold


def _end_with_parent() -> None:
    """Leave at once when the parent is gone, however it went: nobody would read what comes out."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)
