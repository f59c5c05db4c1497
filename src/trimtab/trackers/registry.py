"""The trackers that there are."""

from collections.abc import Callable
from pathlib import Path

from trimtab.config import InputError, nearest
from trimtab.trackers.jsonl import JsonLines
from trimtab.trackers.mlflow import MLflow
from trimtab.trackers.tensorboard import TensorBoard
from trimtab.trackers.tracker import Tracker
from trimtab.trackers.wandb import WandB

# By name: what makes one, given its folder and the study's name.
TRACKERS: dict[str, Callable[[Path, str], Tracker]] = {
    "jsonl": JsonLines,
    "tensorboard": TensorBoard,
    "wandb": WandB,
    "mlflow": MLflow,
}


def tracker_named(name: str) -> Callable[[Path, str], Tracker]:
    """What makes the tracker of that name; InputError where there is none."""
    if name not in TRACKERS:
        raise InputError(f"--log {name}: there is no such tracker; {nearest(name, TRACKERS)}")
    return TRACKERS[name]
