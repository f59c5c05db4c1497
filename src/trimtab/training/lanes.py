"""Parts of a batch side by side: threads that each take some of them through a replica of the model."""

import copy
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Generic, TypeVar

import torch
from torch import nn

Model = TypeVar("Model", bound=nn.Module)
Part = TypeVar("Part")
Outcome = TypeVar("Outcome")


class Lanes(Generic[Model]):
    """A model in training, and replicas that share its weights: one for each of several threads.

    A small model's products are too small for threads to share: each operation ends with all threads waiting
    for the last one. A thread that has a part of the batch to itself never waits. Which lane takes a part
    depends on its number alone, so that sums of gradients are the same in every run.
    shared: a module of the model that replicas do not copy; nothing may write to it in a lane.
    """

    def __init__(self, model: Model, count: int, shared: nn.Module) -> None:
        self.models = [model, *(_replica(model, shared) for _ in range(count - 1))]
        self.threads = [ThreadPoolExecutor(1, f"lane-{number}") for number in range(count)]

    def each(self, work: Callable[[Model, int, Part], Outcome], parts: Sequence[Part]) -> Iterator[Outcome]:
        """``work(model, number, part)`` of every part, in their order.

        Once the last one is had, the gradients that ``work`` left in any lane are those of the model.
        """
        lanes = min(len(self.models), len(parts))
        if lanes < 2:
            yield from (work(self.models[0], number, part) for number, part in enumerate(parts))
            return
        threads = torch.get_num_threads()

        def run(lane: int, number: int) -> Outcome:
            torch.set_num_threads(max(1, threads // lanes))
            return work(self.models[lane], number, parts[number])

        running = [
            self.threads[number % lanes].submit(run, number % lanes, number) for number in range(len(parts))
        ]
        try:
            for each in running:
                yield each.result()
        finally:
            for each in running:
                each.exception()  # nothing may go on in a lane, even where another one failed
            torch.set_num_threads(threads)
        self._gather()

    def _gather(self) -> None:
        model, *replicas = self.models
        for replica in replicas:
            for ours, theirs in zip(model.parameters(), replica.parameters(), strict=True):
                if ours is theirs or theirs.grad is None:
                    continue
                ours.grad = theirs.grad if ours.grad is None else ours.grad.add_(theirs.grad)
                theirs.grad = None


def _replica(model: Model, shared: nn.Module) -> Model:
    """A copy of ``model`` whose parameters are others, on the same numbers."""
    known: dict[int, Any] = {
        id(parameter): nn.Parameter(parameter.detach(), parameter.requires_grad)
        for parameter in model.parameters()
    }
    return copy.deepcopy(model, known | {id(shared): shared})
