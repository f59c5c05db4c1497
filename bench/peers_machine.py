"""The machine that peers are compared on: its processor, what arithmetic that has, and all versions."""

from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import torch

from trimtab.machine import signature
from trimtab.training.precision import processor_name

# Those that decide what matrix products cost, as Linux names them.
NAMED = ("avx2", "avx512f", "avx512_bf16", "amx_bf16", "amx_tile", "neon", "bf16")
PEERS = ("d2l", "transformers", "accelerate")


def instructions() -> list[str]:
    """Which of NAMED this processor has; none where the system does not say."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return []
    found = next((line for line in lines if line.lower().startswith(("flags", "features"))), "").split()
    return [name for name in NAMED if name in found]


def has_bf16() -> bool:
    """Whether the processor multiplies bf16 numbers itself."""
    return bool({"avx512_bf16", "amx_bf16"} & set(instructions()))


def has_amx() -> bool:
    """Whether the processor has AMX for bf16, whose limits are the higher ones."""
    return "amx_bf16" in instructions()


def signed() -> dict[str, str]:
    """What stands under the figures: day, processor, instruction sets, threads, versions, commit."""
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "processor": processor_name(),
        "instructions": " ".join(instructions()) or "unknown",
        "threads": str(torch.get_num_threads()),
        **signature(Path(__file__).parent),
        **{name: version(name) for name in PEERS},
    }
