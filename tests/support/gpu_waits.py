"""What a test does on a GPU while every wait for it is an error."""

import contextlib
import warnings

import torch


@contextlib.contextmanager
def no_waiting():
    """Let every wait for the GPU raise; afterwards all is as before, whatever happened.

    torch warns, when this is first switched on, that it is a prototype.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            torch.cuda.set_sync_debug_mode("error")
        yield
    finally:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            torch.cuda.set_sync_debug_mode("default")
