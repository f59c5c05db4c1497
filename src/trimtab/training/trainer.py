"""The state of a trial's training, and its optimiser step."""

from collections.abc import Mapping
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from trimtab.data.batch import Batch
from trimtab.data.layout import Layout, Padding, split
from trimtab.data.pairs import Pairs
from trimtab.data.rows import Rows
from trimtab.model.architecture import Architecture
from trimtab.model.building import AnyClassifier, begun
from trimtab.model.dropout import Masks, seed_dropout
from trimtab.model.initialise import seed_of
from trimtab.model.varlen import has_kernel
from trimtab.training.backend import Backend
from trimtab.training.compiling import compile_layers, restore_layers
from trimtab.training.graphs import Graphs
from trimtab.training.layer_depth import freeze
from trimtab.training.objective import objective_of
from trimtab.training.optimizer import Schedule, make_optimizer
from trimtab.training.pooling import pooled
from trimtab.training.recipe import Recipe
from trimtab.training.state import State, restore_into, state_of
from trimtab.training.thread_replicas import ThreadReplicas
from trimtab.training.token_table import table_of


class Trainer:
    """A classifier in training, and the state of its optimiser, schedule and dropout.

    size, recipe: what is trained, and how. seed: fixes the random initial weights and every dropout mask.
    vocabulary: rows of the token table; classes: number of labels, 1 where they are no classes;
    training: the rows to train on.
    initial_weights: pretrained tensors to start from, as ``model.initial_weights`` gives them.
    """

    def __init__(
        self,
        size: Architecture,
        recipe: Recipe,
        seed: int,
        backend: Backend,
        *,
        vocabulary: int,
        classes: int,
        training: Pairs,
        initial_weights: Mapping[str, Tensor] | None = None,
    ) -> None:
        self.recipe, self.backend, self.training = recipe, backend, training
        self.rows = Rows(training, backend.device)
        self.model = begun(size, vocabulary, classes, seed, initial_weights or {}, recipe.reinitialise)
        freeze(self.model, recipe.frozen)
        self.model.to(backend.device).train()
        self.masks = Masks(seed)
        self.table = table_of(self.model, training, vocabulary)
        self.optimizer = make_optimizer(self.model, recipe)
        self.schedule = Schedule(self.optimizer, recipe, recipe.steps(len(training)))
        parameters = size.parameters(vocabulary, classes)
        # Whoever sets micro_batch is short of memory, and every replica's activations take some.
        count = 1 if recipe.micro_batch or not size.is_packed else backend.replicas(parameters)
        self.replicas = ThreadReplicas(self.model, count, shared=self.table)
        self.tokens = backend.training_tokens(size, parameters)
        self.padding: Padding | None = None
        if backend.wants_steady_sizes and size.is_packed:
            self.padding = Padding.of_batches(training, recipe.rows_together, self.tokens)
        self.objective = objective_of(training, classes, recipe.class_weights, backend.device)
        self.graphs: Graphs | None = None
        self.is_packed = size.is_packed
        if not size.is_packed:
            torch.manual_seed(seed_of(seed, "dropout"))  # transformers' dropout draws from torch's generator
        elif backend.device.type == "cuda":
            self._suit_cuda(size, parameters, seed)

    def _suit_cuda(self, size: Architecture, parameters: int, seed: int) -> None:
        device = self.backend.device
        with torch.cuda.device(device):  # dropout draws from the device's default generator
            torch.cuda.manual_seed(seed_of(seed, "dropout"))
        if self.backend.compiles(parameters):
            compile_layers(self.model)
        # Without flash attention, or with streamed tokens, launches differ from batch to batch.
        steady = has_kernel(device, torch.bfloat16, size.hidden // size.heads) and not size.relative_buckets
        steady = steady and self.rows.values is not None and self.recipe.micro_batch is None
        steady = steady and self.training.windows is None  # batches of as many rows have few windows or many
        if steady and self.backend.captures(parameters):
            self.graphs = Graphs(self.rows, self.recipe.batch_size, self.tokens, self.move, self._eager)

    def step(self, index: NDArray[np.signedinteger]) -> tuple[Tensor, Tensor]:
        """One optimiser step on the rows of ``index``: their mean loss and number of right answers, 0-dim.

        On CUDA the step is launched and not waited for.
        """
        layout = self.rows.layout(index)
        outcome = self.graphs.step(layout) if self.graphs else self._eager(layout)
        if self.recipe.optimizer == "adamw":
            self.table.shrink(1 - self.schedule.rate_of(self.table.weight) * self.recipe.weight_decay)
        self.schedule.step()
        return outcome

    def _eager(self, layout: Layout) -> tuple[Tensor, Tensor]:
        parts = split(layout, self.tokens, self.recipe.micro_batch)
        if self.padding:
            parts = [self.padding.fill(part) for part in parts]
        return self.move([self.rows.make(part) for part in parts], layout.shape[1])

    def move(self, parts: list[Batch], rows: int) -> tuple[Tensor, Tensor]:
        """The device's part of a step on ``parts``: loss (mean over ``rows``) and number of right answers."""
        self.optimizer.zero_grad(set_to_none=True)
        self.table.start()
        outcome = self._backward(parts, rows)
        if self.recipe.clip:
            torch.nn.utils.clip_grad_norm_(self.model.parameters(), self.recipe.clip)
        self.optimizer.step()
        return outcome

    def state(self) -> State:
        """Everything that the steps taken have changed; see ``Resumable``."""
        found = state_of(self.model, self.optimizer, self.schedule, self.backend.device)
        drawn = None if self.is_packed else torch.get_rng_state()  # by transformers' dropout
        own = {"table": self.table.state(), "masks": self.masks.words(), "torch": drawn}
        return found | own | {"micro_batch": self.recipe.micro_batch}

    def restore(self, state: State) -> None:
        """Go on from what ``state`` gave; ValueError where its batches were computed in other parts."""
        if state["micro_batch"] != self.recipe.micro_batch:
            raise ValueError(f"its micro_batch is {state['micro_batch']}")
        restore_into(state, self.model, self.optimizer, self.schedule, self.backend.device)
        self.table.restore(state["table"])
        self.masks.set(state["masks"])
        if state["torch"] is not None:
            torch.set_rng_state(state["torch"])

    def finish(self) -> AnyClassifier:
        """The trained model with its whole token table. No step can follow."""
        self.table.put_back(self.model)
        restore_layers(self.model)
        self.graphs = None
        return self.model

    def _backward(self, parts: list[Batch], rows: int) -> tuple[Tensor, Tensor]:
        """Gradients of the mean loss, part by part, as a part's activations fit into the caches."""
        losses, rights = [], []

        def take(part: Batch, outcome: tuple[Tensor, Tensor, Tensor | None]) -> None:
            loss, right, gradient = outcome
            self.table.add_gradient(part.tokens, gradient)
            losses.append(loss)
            rights.append(right)

        with self.backend.autocast():
            self.replicas.each(partial(self._part, rows=rows), parts, take)
        return torch.stack(losses).sum(), torch.stack(rights).sum()

    def _part(
        self, model: AnyClassifier, number: int, part: Batch, *, rows: int
    ) -> tuple[Tensor, Tensor, Tensor | None]:
        """A part's share of the loss, its right answers, and the gradient of its token embeddings."""
        if self.backend.device.type == "cpu":  # a GPU's masks are drawn by the device
            self._seed(model, number)
        with self.backend.autocast():
            tokens = self.table.look_up(part.tokens)
            logits = pooled(model.classify(tokens, part).float(), part)
            total, right = self.objective.sums(logits, part.labels)
            loss = total / rows
            with self.backend.without_autocast():
                loss.backward()
            return loss.detach(), right, tokens.grad

    def _seed(self, model: AnyClassifier, number: int) -> None:
        """Let ``model`` draw the masks of the part with that number."""
        seed_dropout(model, self.masks[number])
