"""How large the measurements are: in full on a GPU, tiny on a CPU."""

from dataclasses import dataclass

from trimtab.model.architecture import Architecture
from trimtab.model.sizes import architecture

_WARM = 20  # steps, in which sizes are captured and libraries tune themselves


@dataclass(frozen=True)
class Scale:
    """How large the measurements are.

    sizes: the architecture that each name stands for; vocabulary: rows of its token table; rows of the data;
    batches: rows per step, of which measurements of one batch size take the first; seconds: of each chunk;
    warm: steps before it; matrix: rows and columns of the matrices that are multiplied; few: rows and
    steps of numerics.
    """

    sizes: dict[str, Architecture]
    vocabulary: dict[str, int]
    rows: int
    batches: dict[str, tuple[int, ...]]
    seconds: float
    warm: int
    matrix: int
    few: int


FULL = Scale(
    sizes={name: architecture(name) for name in ("small", "base", "large")},
    vocabulary={"small": 60_005, "base": 30_522, "large": 30_522},
    rows=1 << 17,
    batches={"small": (512, 4096), "base": (512, 2048, 32), "large": (512, 1024)},
    seconds=0.5,
    warm=_WARM,
    matrix=8192,
    few=64,
)
TINY = Scale(
    sizes={
        "small": architecture("2x32/64/2", activation="relu", embedding_norm=False),
        "base": architecture("3x32/64/2"),
        "large": architecture("4x32/64/2"),
    },
    vocabulary={"small": 200, "base": 200, "large": 200},
    rows=200,
    batches=dict.fromkeys(("small", "base", "large"), (16,)),
    seconds=0.01,
    warm=1,
    matrix=64,
    few=8,
)
