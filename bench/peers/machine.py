"""The machine that contestants run on: its processor, the instructions that matter here, all versions."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

import torch

from trimtab.config import InputError
from trimtab.machine import signature
from trimtab.training.auto_precision import processor_name

# Those that decide what matrix products cost, as Linux names them.
NAMED = ("avx2", "avx512f", "avx512_bf16", "amx_bf16", "amx_tile", "neon", "bf16")
PEERS = ("d2l", "transformers", "accelerate")


def require_peers(peers: Sequence[str] | None = None) -> None:
    """InputError where a package that is compared, by default one of PEERS, is not installed."""
    missing = [name for name in (PEERS if peers is None else peers) if find_spec(name) is None]
    if missing:
        raise InputError(f"{', '.join(missing)}: not installed; run `make .venv/peers`")


def instructions() -> list[str]:
    """Which of NAMED this processor has; none where the system does not tell."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return []
    found = next((line for line in lines if line.lower().startswith(("flags", "features"))), "").split()
    return [name for name in NAMED if name in found]


def precisions(bf16: str) -> list[str]:
    """What is measured: fp32, and bf16 where ``bf16`` is 'yes', or 'auto' and the processor has it."""
    native = bool({"avx512_bf16", "amx_bf16"} & set(instructions()))
    return ["fp32", "bf16"] if bf16 == "yes" or (bf16 == "auto" and native) else ["fp32"]


def has_amx() -> bool:
    """Whether the processor has AMX for bf16, for which the limits are higher."""
    return "amx_bf16" in instructions()


def signed(peers: Sequence[str] | None = None) -> dict[str, str]:
    """What stands under the figures: date, processor, instruction sets, threads, versions, commit."""
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "processor": processor_name(),
        "instructions": " ".join(instructions()) or "unknown",
        "threads": str(torch.get_num_threads()),
        **asdict(signature(Path(__file__).parent)),
        **{name: version(name) for name in (PEERS if peers is None else peers)},
    }
