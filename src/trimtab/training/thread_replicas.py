"""Per-thread micro-batches: threads that each compute some of a batch's parts on a replica of the model."""

import copy
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from typing import Any, Generic, TypeVar

import torch
from torch import nn

Model = TypeVar("Model", bound=nn.Module)
Part = TypeVar("Part")
Result = TypeVar("Result")


class ThreadReplicas(Generic[Model]):
    """A model in training, and replicas that share its weights: one for each of several threads.

    A small model's matrix products are too small to be split between threads: after each operation all of
    them wait for the last. A thread that computes a part of the batch by itself never waits. A part's number
    alone decides which replica computes it, so that sums of gradients are the same in every run.
    shared: a module of the model that replicas do not copy; the threads must only read it.
    """

    def __init__(self, model: Model, count: int, shared: nn.Module) -> None:
        self.models = [model, *(_replica(model, shared) for _ in range(count - 1))]
        self.threads = [ThreadPoolExecutor(1, f"replica-{number}") for number in range(count)]

    def each(
        self,
        work: Callable[[Model, int, Part], Result],
        parts: Sequence[Part],
        take: Callable[[Part, Result], None],
    ) -> None:
        """``take(part, work(model, number, part))`` for every part, in order.

        ``work`` runs in the threads, ``take`` in the caller's. Afterwards the gradients that ``work`` left in
        the replicas have been added to the model's. An error in either cancels the other parts and leaves no
        gradient in a replica.
        """
        count = min(len(self.models), len(parts))
        if count < 2:
            for number, part in enumerate(parts):
                take(part, work(self.models[0], number, part))
            return
        threads = torch.get_num_threads()

        def run(replica: int, number: int) -> Result:
            torch.set_num_threads(max(1, threads // count))
            return work(self.models[replica], number, parts[number])

        numbers = range(len(parts))
        running = deque(self.threads[n % count].submit(run, n % count, n) for n in numbers)
        try:
            for part in parts:
                take(part, running.popleft().result())
            self._add_gradients()
        finally:
            for left in running:
                left.cancel()
            wait(running)
            running.clear()  # else an error, its traceback and these would hold each other
            torch.set_num_threads(threads)
            for _, theirs in self._copied():
                theirs.grad = None

    def _add_gradients(self) -> None:
        for ours, theirs in self._copied():
            if theirs.grad is not None:
                ours.grad = theirs.grad if ours.grad is None else ours.grad.add_(theirs.grad)

    def _copied(self) -> Iterator[tuple[nn.Parameter, nn.Parameter]]:
        """Pairs of the model's parameter and a replica's, replica by replica; none that they share."""
        model, *replicas = self.models
        for replica in replicas:
            pairs = zip(model.parameters(), replica.parameters(), strict=True)
            yield from ((ours, theirs) for ours, theirs in pairs if ours is not theirs)


def _replica(model: Model, shared: nn.Module) -> Model:
    """A copy of ``model`` with parameters of its own that share the memory of the model's."""
    known: dict[int, Any] = {
        id(parameter): nn.Parameter(parameter.detach(), parameter.requires_grad)
        for parameter in model.parameters()
    }
    return copy.deepcopy(model, known | {id(shared): shared})
