"""What must be reached on a GPU, and which of its results are wrong."""

from bench.gpu.measures import Figures

FULL_LENGTH = 128

# What must be reached: how the names of the measurements start, of which the best counts; figure; limit.
LIMITS = (
    ("small", "examples_per_second", 400_000),
    ("base", "examples_per_second", 25_000),
    ("base", "share", 0.45),
    ("large", "share", 0.45),
    (f"base at {FULL_LENGTH}", "share", 0.55),
    (f"large at {FULL_LENGTH}", "share", 0.55),
)

# Largest error against fp32 on the CPU: relative, of the logits; in nats, of the losses of some steps.
NUMERICS = {"fp32": (1e-3, 1e-3), "bf16": (0.05, 0.05)}


def judged(found: dict[str, Figures]) -> list[Figures]:
    """For each limit the value reached (None where nothing was measured), and by which measurement."""
    rows = []
    for start, figure, limit in LIMITS:
        reached = {
            name: figures[figure]
            for name, figures in found.items()
            if name.startswith(f"{start}, batch") and figure in figures
        }
        best = max(reached, key=lambda name: reached[name], default=None)
        value = None if best is None else reached[best]
        rows.append({"of": start, "figure": figure, "limit": limit, "reached": value, "by": best})
    return rows


def wrong(found: dict[str, Figures]) -> list[str]:
    """A sentence for each measurement that failed, and each result of the device that is wrong."""
    sentences = [f"{name}: {figures['failed']}" for name, figures in found.items() if "failed" in figures]
    for name, figures in found.items():
        for precision, (of_logits, of_losses) in NUMERICS.items():
            errors = figures.get(precision, {}) if name.startswith("numerics") else {}
            limits = {"relative_error_of_logits": of_logits, "largest_error_of_loss": of_losses}
            for figure, limit in limits.items():
                if figure in errors and not errors[figure] <= limit:  # written so that nan is wrong
                    value = f"{figure} {errors[figure]:.2g}, at most {limit:g}"
                    sentences.append(f"{name} in {precision}: {value}")
        if figures.get("same_bits") is False:
            sentences.append(f"{name}: the same seed gave different weights")
    return sentences
