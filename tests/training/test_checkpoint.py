"""A trial's training resumes from its checkpoint as if it had never stopped, for every recipe."""

from dataclasses import asdict, replace

import pytest
import torch

from trimtab.model.sizes import architecture
from trimtab.training.backend import Backend
from trimtab.training.checkpoint import Checkpoint
from trimtab.training.epoch import StoppedError
from trimtab.training.loop import train
from trimtab.training.recipe import Recipe

pytestmark = pytest.mark.integration

CPU = Backend(torch.device("cpu"), "fp32")
SIZE = architecture("2x32/64/2")  # with dropout
RECIPE = Recipe(epochs=3, batch_size=8, learning_rate=3e-3, precision="fp32")
STEPS = 3 * 5
TIMES = ("examples_per_second", "tokens_per_second", "seconds", "validation_seconds", "peak_bytes")

RECIPES = {
    "adam": RECIPE,
    "adamw, grouped": replace(RECIPE, optimizer="adamw", weight_decay=0.1, batches="grouped", warmup=0.2),
    "the best epoch": replace(RECIPE, evaluate="best_loss", learning_rate=0.05),
    "micro-batches": replace(RECIPE, micro_batch=3, clip=0.5, schedule="constant"),
    "frozen": replace(RECIPE, frozen=1),
}


class Stopping:
    """Asked after each step, it says to stop after some of them."""

    def __init__(self, *after):
        self.after, self.steps = after, 0

    def __call__(self):
        self.steps += 1
        return self.steps in self.after


def fitted(pairs, recipe=RECIPE, **options):
    """The weights, and all epochs' records without times; those of a resumed training from its start."""
    records = []

    def on_resume(resumed):
        records[:] = resumed.epochs

    model = train(
        SIZE,
        recipe,
        0,
        CPU,
        vocabulary=40,
        classes=3,
        training=pairs[0],
        validation=pairs[1],
        on_resume=on_resume,
        on_epoch=records.append,
        **options,
    )
    told = [{name: value for name, value in asdict(each).items() if name not in TIMES} for each in records]
    return model.state_dict(), told


@pytest.fixture
def pairs(random_pairs):
    return random_pairs(0, 38), random_pairs(1, 20)


@pytest.fixture(autouse=True)
def one_thread():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.mark.parametrize("name", RECIPES)
def test_stopped_anywhere_and_resumed_it_comes_to_the_same_bits(pairs, tmp_path, name):
    """In the first step, in the middle of an epoch, at its end, and in the last step of all."""
    recipe, path = RECIPES[name], tmp_path / "checkpoint.pt"
    expected, whole = fitted(pairs, recipe)
    taken = 0
    for after in (1, 6, 3, 4):
        stop = Stopping(after)
        with pytest.raises(StoppedError):
            fitted(pairs, recipe, checkpoint=Checkpoint(path), stop=stop)
        taken += stop.steps
    left = Stopping()
    weights, records = fitted(pairs, recipe, checkpoint=Checkpoint(path), stop=left)
    assert taken + left.steps == STEPS  # no step was taken twice
    assert records == whole
    assert weights.keys() == expected.keys()
    assert all(torch.equal(weights[key], expected[key]) for key in expected)


def test_a_checkpoint_is_written_while_it_trains_and_without_one_everything_is_done_again(pairs, tmp_path):
    path = tmp_path / "checkpoint.pt"
    stop = Stopping(8)
    with pytest.raises(StoppedError):
        fitted(pairs, checkpoint=Checkpoint(path, every=0.0), stop=stop)
    path.unlink()
    again = Stopping()
    fitted(pairs, checkpoint=Checkpoint(path, every=0.0), stop=again)
    assert again.steps == STEPS
    assert path.exists()


@pytest.mark.parametrize("fault", ["cut", "empty", "no checkpoint", "other micro-batches", "another size"])
def test_one_that_does_not_fit_is_dropped_and_the_training_starts_over(pairs, tmp_path, fault):
    path, recipe = tmp_path / "checkpoint.pt", RECIPE
    with pytest.raises(StoppedError):
        fitted(pairs, checkpoint=Checkpoint(path), stop=Stopping(8))
    whole = path.read_bytes()
    if fault == "cut":
        path.write_bytes(whole[: len(whole) // 2])
    elif fault == "empty":
        path.write_bytes(b"")
    elif fault == "no checkpoint":
        torch.save([1, 2, 3], path)
    elif fault == "other micro-batches":
        recipe = replace(RECIPE, micro_batch=4)
    else:
        kept = torch.load(path)
        kept["trainer"]["model"].popitem()
        torch.save(kept, path)
    expected, whole = fitted(pairs, recipe)
    stop = Stopping()
    weights, records = fitted(pairs, recipe, checkpoint=Checkpoint(path), stop=stop)
    assert stop.steps == STEPS
    assert records == whole
    assert all(torch.equal(weights[key], expected[key]) for key in expected)


def test_a_stop_without_a_checkpoint_is_a_stop_too(pairs):
    with pytest.raises(StoppedError, match="stopped in epoch 2 of 3"):
        fitted(pairs, stop=Stopping(7))
