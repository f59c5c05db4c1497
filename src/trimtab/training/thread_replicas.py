"""Parts of a batch side by side: threads that each take some of them through a replica of the model."""

import copy
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from typing import Any, Generic, TypeVar

import torch
from torch import nn

Model = TypeVar("Model", bound=nn.Module)
Part = TypeVar("Part")
Outcome = TypeVar("Outcome")


class ThreadReplicas(Generic[Model]):
    """A model in training, and replicas that share its weights: one for each of several threads.

    A small model's products are too small for threads to share: each operation ends with all threads waiting
    for the last one. A thread that has a part of the batch to itself never waits. Which lane takes a part
    depends on its number alone, so that sums of gradients are the same in every run.
    shared: a module of the model that replicas do not copy; nothing may write to it in a lane.
    """

    def __init__(self, model: Model, count: int, shared: nn.Module) -> None:
        self.models = [model, *(_replica(model, shared) for _ in range(count - 1))]
        self.threads = [ThreadPoolExecutor(1, f"lane-{number}") for number in range(count)]

    def each(
        self,
        work: Callable[[Model, int, Part], Outcome],
        parts: Sequence[Part],
        take: Callable[[Part, Outcome], None],
    ) -> None:
        """``take(part, work(model, number, part))`` for every part, in their order.

        ``work`` runs in the lanes, ``take`` here. Afterwards the gradients that ``work`` left in any lane are
        those of the model. An error in either ends the others and leaves no gradient in a lane.
        """
        lanes = min(len(self.models), len(parts))
        if lanes < 2:
            for number, part in enumerate(parts):
                take(part, work(self.models[0], number, part))
            return
        threads = torch.get_num_threads()

        def run(lane: int, number: int) -> Outcome:
            torch.set_num_threads(max(1, threads // lanes))
            return work(self.models[lane], number, parts[number])

        numbers = range(len(parts))
        running = deque(self.threads[n % lanes].submit(run, n % lanes, n) for n in numbers)
        try:
            for part in parts:
                take(part, running.popleft().result())
            self._gather()
        finally:
            for left in running:
                left.cancel()
            wait(running)
            running.clear()  # else an error, its traceback and these would hold each other
            torch.set_num_threads(threads)
            for _, theirs in self._copied():
                theirs.grad = None

    def _gather(self) -> None:
        for ours, theirs in self._copied():
            if theirs.grad is not None:
                ours.grad = theirs.grad if ours.grad is None else ours.grad.add_(theirs.grad)

    def _copied(self) -> Iterator[tuple[nn.Parameter, nn.Parameter]]:
        """The model's parameters, each with that of one replica after the other; none that they share."""
        model, *replicas = self.models
        for replica in replicas:
            pairs = zip(model.parameters(), replica.parameters(), strict=True)
            yield from ((ours, theirs) for ours, theirs in pairs if ours is not theirs)


def _replica(model: Model, shared: nn.Module) -> Model:
    """A copy of ``model`` whose parameters are others, on the same numbers."""
    known: dict[int, Any] = {
        id(parameter): nn.Parameter(parameter.detach(), parameter.requires_grad)
        for parameter in model.parameters()
    }
    return copy.deepcopy(model, known | {id(shared): shared})
