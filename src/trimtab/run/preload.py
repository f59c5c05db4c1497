"""What every worker imports, done once: the fork server imports this, and each worker is a copy of it.

A worker that starts from nothing spends some six seconds on importing torch and, with its first optimizer,
torch._dynamo. Nothing here may start a thread or touch a GPU: neither survives a fork.
"""

import os

# oneDNN keeps a kernel for each shape that it meets, a megabyte each, a thousand of them by default. In
# bf16 batches come in a few sizes, and training and evaluation repeat no more than these.
os.environ.setdefault("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "256")
# Threads that spin while they wait take the processor from other programs: beside another
# program a trial of two threads ran at 160 to 180 examples/s spinning, at 930 to 1,310 sleeping.
# Both are read when torch is loaded, so they stand before it.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")

import torch._dynamo  # noqa: F401
