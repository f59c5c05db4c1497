"""Benchmarks: how fast trimtab is, how that compares with others, and how often its statistics err.

Each is called from the root of the repository:

    python -m bench.peers snli          d2l and transformers against trimtab (`make peers`)
    python -m bench.gpu                 all measurements of a GPU
    bench/lease.sh                      the first minutes on a GPU machine, stage by stage
    python -m bench.calibration         error rates of the analysis on simulated studies
    python -m bench.regression.memory   memory of a training run per pair

``bench.regression`` is for pytest: `make bench`, `make bench-guard`, `make bench-baseline`.
"""

from pathlib import Path

RESULTS = Path(__file__).resolve().parents[1] / "results" / "bench"
