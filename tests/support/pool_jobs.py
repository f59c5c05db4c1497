"""Jobs for the tests of the pool, in a module that worker processes can import."""

import os
import signal
import struct
import threading
import time
from dataclasses import dataclass

from trimtab.run.stopping import asked_to_stop


@dataclass(frozen=True)
class Answer:
    """Reports its value, and returns it."""

    value: int

    def run(self, report):
        report(self.value)
        return self.value


@dataclass(frozen=True)
class Rate:
    """A measurement that found this rate."""

    rate: float

    def run(self, report):
        return {"examples_per_second": self.rate}


class Raise:
    def run(self, report):
        raise ValueError("this job cannot be done")


class SpoilTheDevice:
    """Ends with an error after which no later call of CUDA would end well."""

    def run(self, report):
        report(os.getpid())
        raise RuntimeError("CUDA error: an illegal memory access was encountered")


class Process:
    def run(self, report):
        return os.getpid()


class Exit:
    def run(self, report):
        os._exit(7)


class Kill:
    def run(self, report):
        os.kill(os.getpid(), signal.SIGKILL)


class HalfAWord:
    """Dies in the middle of a message."""

    def run(self, report):
        pipe = report.__closure__[0].cell_contents
        os.write(pipe.fileno(), struct.pack("!i", 1000) + b"half")
        os._exit(9)


class DieLater:
    """Ends well, and its worker dies soon after, while it has nothing to do."""

    def run(self, report):
        threading.Timer(0.1, os._exit, (1,)).start()
        return "well"


class WaitAndExit:
    def run(self, report):
        time.sleep(1.0)
        os._exit(3)


class Threads:
    def run(self, report):
        import torch

        return torch.get_num_threads(), signal.getsignal(signal.SIGINT) == signal.SIG_IGN


class Hang:
    """Stops its own process, as a debugger would: it is alive, and does nothing more."""

    def run(self, report):
        os.kill(os.getpid(), signal.SIGSTOP)


class StopWhenAsked:
    """Says that it runs, and goes on until it is asked to stop."""

    def run(self, report):
        with asked_to_stop() as stop:
            report("running")
            while not stop():
                time.sleep(0.01)
            return "stopped"


class Forever:
    """Says that it runs, and never ends."""

    def run(self, report):
        report("running")
        while True:
            time.sleep(0.01)


class Devices:
    """Says which GPU its worker sees, and how many workers share it."""

    def run(self, report):
        return os.environ["CUDA_VISIBLE_DEVICES"], os.environ["TRIMTAB_GPU_SHARERS"]
