"""Records of a made-up trial: what was trained, one epoch, what came out."""

import json

from trimtab.ledger.trial_records import Scores, TrialConfig, TrialResult
from trimtab.machine import signature
from trimtab.model.sizes import architecture
from trimtab.training.epoch import Epoch
from trimtab.training.recipe import Recipe

RECIPE = Recipe(precision="fp32")


def config(seed=0):
    splits = ("train", "validation", "test")
    return TrialConfig(
        size=architecture("1x16/32/2"),
        recipe=RECIPE,
        weights=None,
        vocabulary=50,
        classes=3,
        inputs={split: f"the inputs of {split}" for split in splits},
        seed=seed,
    )


def epoch(number):
    return Epoch(
        epoch=number,
        loss=1.0 / number,
        accuracy=0.4,
        validation_loss=1.1,
        validation_accuracy=0.35,
        examples_per_second=100.0,
        tokens_per_second=2000.0,
        peak_bytes=5 << 20,
        seconds=1.0,
        validation_seconds=0.1,
    )


def result(seconds=1.0, accuracy=0.5):
    return TrialResult(
        tests={"test": Scores(loss=1.0, accuracy=accuracy)},
        evaluated_epoch=2,
        validation=Scores(loss=1.1, accuracy=0.35),
        examples_per_second=100.0,
        tokens_per_second=2000.0,
        peak_bytes=5 << 20,
        training_seconds=0.5,
        seconds=seconds,
        recipe=RECIPE,
        machine="a machine",
        threads=1,
        signature=signature(),
    )


def unsealed(path):
    """A record of a ledger as JSON without its digest, to be changed and written as older versions did."""
    record = json.loads(path.read_text())
    record.pop("digest", None)
    return record
