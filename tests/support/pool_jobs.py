"""Jobs for the tests of the pool, in a module that worker processes can import."""

import os
import signal
import struct
import threading
import time
from dataclasses import dataclass


@dataclass(frozen=True)
class Answer:
    """Tells its value, and returns it."""

    value: int

    def run(self, tell):
        tell("news", self.value)
        return self.value


class Raise:
    def run(self, tell):
        raise ValueError("this job cannot be done")


class Exit:
    def run(self, tell):
        os._exit(7)


class Kill:
    def run(self, tell):
        os.kill(os.getpid(), signal.SIGKILL)


class HalfAWord:
    """Dies in the middle of a message."""

    def run(self, tell):
        pipe = tell.__closure__[0].cell_contents
        os.write(pipe.fileno(), struct.pack("!i", 1000) + b"half")
        os._exit(9)


class DieLater:
    """Ends well, and its worker dies soon after, while it has nothing to do."""

    def run(self, tell):
        threading.Timer(0.1, os._exit, (1,)).start()
        return "well"


class WaitAndExit:
    def run(self, tell):
        time.sleep(1.0)
        os._exit(3)


class Threads:
    def run(self, tell):
        import torch

        return torch.get_num_threads(), signal.getsignal(signal.SIGINT) == signal.SIG_IGN
