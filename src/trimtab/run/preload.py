"""What every worker imports, done once: the fork server imports this, and each worker is a copy of it.

A worker that starts from nothing spends some seven seconds on importing torch, with its first optimizer
torch._dynamo, and what a trial needs. Nothing here may start a thread or touch a GPU: neither survives a
fork.
"""

import gc
import os

# oneDNN keeps a kernel for each shape that it meets, a megabyte each, a thousand of them by default. In
# bf16 batches come in a few sizes, and training and evaluation repeat no more than these.
os.environ.setdefault("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "256")
# Threads that spin while they wait take the processor from other programs: beside another
# program a trial of two threads ran at 160 to 180 examples/s spinning, at 930 to 1,310 sleeping.
# Both are read when torch is loaded, so they stand before it.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")

import torch._dynamo  # noqa: F401

import trimtab.run.trial_work  # noqa: F401

# None of some 300,000 objects of these modules will ever be freed: without this, looking at all of them once
# more after each trial took a quarter of a second.
gc.collect()
gc.freeze()
