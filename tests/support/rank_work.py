"""Work for several processes that train together, in a module that they can import."""

import os
import signal
from dataclasses import dataclass, replace
from functools import partial
from multiprocessing import active_children

import torch

from trimtab.data.batches import training_batches
from trimtab.data.pairs import Pairs
from trimtab.data.synthetic import synthetic_pairs
from trimtab.model.sizes import architecture
from trimtab.ragged import Ragged
from trimtab.run.jobs import TrialJob
from trimtab.run.pool import worker_context
from trimtab.run.worker import begin_process
from trimtab.training.backend import Backend
from trimtab.training.loop import predict
from trimtab.training.ranks import Ranks
from trimtab.training.shared_trainer import SharedTrainer
from trimtab.training.trainer import Trainer

STEPS = 50
VOCABULARY, CLASSES, SEED = 90, 3, 1
TOKENS = 300  # of a part: a batch has some


@dataclass(frozen=True)
class Trained:
    """Losses and right answers of each step, weights as arrays, logits of evaluation, the masks' states."""

    losses: list[float]
    rights: list[int]
    weights: dict
    logits: object
    masks: dict


def rows():
    """Two epochs of 25 batches, the last one of a single row."""
    pairs = synthetic_pairs((9, 5), 30, VOCABULARY, 32)
    number = 24 * 32 + 1
    offsets = pairs.tokens.offsets[: number + 1]
    tokens = Ragged(pairs.tokens.values[: offsets[-1]], offsets)
    return Pairs(tokens, pairs.first_lengths[:number], pairs.labels[:number])


def train(recipe, size="2x16/32/2", ranks=None, **changed):
    """``STEPS`` steps of a recipe."""
    pairs = rows()
    backend = Backend(torch.device("cpu"), recipe.precision)
    make = partial(SharedTrainer, ranks) if ranks else Trainer
    shape = {"vocabulary": VOCABULARY, "classes": CLASSES, "training": pairs}
    trainer = make(replace(architecture(size), **changed), recipe, SEED, backend, **shape)
    trainer.tokens = TOKENS
    found = []
    for epoch in (1, 2):
        batches = training_batches(pairs, recipe.batch_size, SEED, epoch, grouped=recipe.batches == "grouped")
        found += [trainer.step(index) for index in batches]
    assert len(found) == STEPS
    masks = trainer.masks.words()
    model = trainer.finish()
    logits = predict(model, pairs, backend, ranks=ranks)
    weights = {name: each.numpy().copy() for name, each in model.state_dict().items()}
    return Trained(
        [float(loss) for loss, _ in found], [int(right) for _, right in found], weights, logits, masks
    )


def _serve(pipe, rank, count, rendezvous, recipe, changed):
    begin_process(1, {})
    pipe.send(train(recipe, ranks=Ranks(rank, count, rendezvous, torch.device("cpu")), **changed))
    os._exit(0)


def train_together(count, folder, recipe, **changed):
    """What each of ``count`` processes comes to."""
    context, pipes, processes = worker_context(), [], []
    for rank in range(count):
        ours, theirs = context.Pipe()
        arguments = (theirs, rank, count, folder / "rendezvous", recipe, changed)
        processes.append(context.Process(target=_serve, args=arguments))
        processes[-1].start()
        theirs.close()
        pipes.append(ours)
    try:
        return [pipe.recv() for pipe in pipes]
    finally:
        for process in processes:
            process.kill()
            process.join()


@dataclass(frozen=True)
class Killing(TrialJob):
    """A trial one of whose processes is killed as soon as the trial tells of an epoch."""

    def run(self, report):
        def kill(news):
            for process in active_children():
                if process.name == "rank-1":
                    os.kill(process.pid, signal.SIGKILL)

        return super().run(kill)
