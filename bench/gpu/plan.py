"""Which measurements are made, by name; the most important first, the likeliest to fail last."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import torch

from bench.gpu.against_trainer import AgainstTrainer
from bench.gpu.judging import FULL_LENGTH
from bench.gpu.measures import Bench, Figures
from bench.gpu.probes import Probes
from bench.gpu.scale import Scale
from trimtab.training.memory import give_back

WAYS: dict[str, dict[str, bool]] = {
    "eager": {"graphs": False, "compiled": False},
    "graphs": {"graphs": True, "compiled": False},
    "compiled": {"graphs": False, "compiled": True},
    "both": {"graphs": True, "compiled": True},
}


@dataclass(frozen=True)
class Measurement:
    """A method of ``Bench``, or of what is ``made`` like it, and its arguments; a worker process calls it."""

    device: str
    scale: Scale
    method: str
    arguments: tuple[Any, ...] = ()
    settings: dict[str, Any] = field(default_factory=dict)
    made: Callable[[torch.device, Scale], object] = Bench

    def run(self, report: Any) -> Figures:
        """Measure; an error is the caller's to note."""
        bench = self.made(torch.device(self.device), self.scale)
        try:
            found: Figures = getattr(bench, self.method)(*self.arguments, **self.settings)
            return found
        finally:
            give_back()


def measurements(device: str, scale: Scale) -> dict[str, Measurement]:
    """All measurements of a device at a scale."""

    def of(method: str, *arguments: Any, **settings: Any) -> Measurement:
        return Measurement(device, scale, method, arguments, settings)

    found = _probes(device, scale)
    found |= {"matrix product": of("matrix_rate"), "copy": of("copy_rate"), "numerics": of("numerics")}
    batches = {name: several[0] for name, several in scale.batches.items()}
    for way, settings in WAYS.items():
        found[f"numerics, {way}"] = of("numerics", **settings)
        found[f"repeats, {way}"] = of("repeats", **settings)
    for name, several in scale.batches.items():
        for batch in several:
            for way, settings in WAYS.items():
                found[f"{name}, batch {batch}, {way}"] = of("training", name, batch, **settings)
            found[f"{name}, batch {batch}"] = of("training", name, batch)
    for name, batch in batches.items():
        found[f"{name} at {FULL_LENGTH}, batch {batch}"] = of("training", name, batch, length=FULL_LENGTH)
    for name in ("small", "base"):
        found[f"padded {name}, batch {batches[name]}"] = of("padded", name)
    first = batches["small"]
    found["small, streamed"] = of("training", "small", first, streamed=True, **WAYS["eager"])
    found["small, fp32"] = of("training", "small", first, precision="fp32")
    found["pretraining, small"] = of("pretraining", "small")
    return found | _against_trainer(device, scale)


def _probes(device: str, scale: Scale) -> dict[str, Measurement]:
    found = {
        f"probe, attention, width {width}, {'first' if first else 'all'} queries": Measurement(
            device, scale, "attention", (width, first), made=Probes
        )
        for width in (32, 64)
        for first in (False, True)
    }
    others = ("dropout", "capture", "compile", "waiting")
    return found | {f"probe, {name}": Measurement(device, scale, name, made=Probes) for name in others}


def _against_trainer(device: str, scale: Scale) -> dict[str, Measurement]:
    """The Trainer as it comes, then in its best setting; at the batch sizes of trimtab's own measurements."""
    found = {}
    for name in ("base", "small"):
        for batch in (*scale.batches[name][2:], scale.batches[name][0]):
            for grouped, compiled in ((True, False), (False, False), (True, True)):
                how = f"{'grouped' if grouped else 'random'}{', compiled' * compiled}"
                arguments = (name, batch, grouped, compiled)
                found[f"Trainer, {name}, batch {batch}, {how}"] = Measurement(
                    device, scale, "rate", arguments, made=AgainstTrainer
                )
    return found
