"""A training's state, and the one step that moves it."""

from typing import cast

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812
from numpy.typing import NDArray
from torch import Tensor, nn

from trimtab.data.batches import Batch, make_batch
from trimtab.data.pairs import Pairs
from trimtab.model.dropout import seed_dropout
from trimtab.model.encoder import Classifier
from trimtab.model.initialise import generator_of, initialise
from trimtab.model.sizes import Architecture
from trimtab.training.machinery import Machinery
from trimtab.training.optimizer import make_optimizer, make_schedule
from trimtab.training.recipe import Recipe
from trimtab.training.token_table import CompactTable, used_rows


class Trainer:
    """A classifier under training from scratch, and all that a step needs.

    size, recipe: what is trained, and how. seed: fixes the initial weights and every dropout mask.
    vocabulary: rows of the token table; classes: of the labels; training: the rows to train on.
    """

    def __init__(
        self,
        size: Architecture,
        recipe: Recipe,
        seed: int,
        machinery: Machinery,
        *,
        vocabulary: int,
        classes: int,
        training: Pairs,
    ) -> None:
        self.recipe, self.machinery, self.training = recipe, machinery, training
        self.model = Classifier(size, vocabulary, classes)
        initialise(self.model, seed, size.initial_deviation)
        self.model.to(machinery.device).train()
        seed_dropout(self.model, generator_of(seed, "dropout", machinery.device))
        embeddings = self.model.encoder.embeddings
        self.table = CompactTable(cast(nn.Embedding, embeddings.token), used_rows(training, vocabulary))
        embeddings.token = self.table
        self.optimizer = make_optimizer(self.model, recipe)
        self.schedule = make_schedule(self.optimizer, recipe, recipe.steps(len(training)))

    def step(self, index: NDArray[np.signedinteger]) -> tuple[Tensor, Tensor]:
        """One optimiser step on the rows of ``index``: their mean loss and how many were right, 0-dim."""
        batch = make_batch(self.training, index, self.machinery.device)
        self.optimizer.zero_grad(set_to_none=True)
        self.table.start()
        outcome = self._backward(batch)
        if self.recipe.clip:
            torch.nn.utils.clip_grad_norm_(self.model.parameters(), self.recipe.clip)
        self.optimizer.step()
        if self.recipe.optimizer == "adamw":
            self.table.shrink(1 - float(self.schedule.get_last_lr()[0]) * self.recipe.weight_decay)
        self.schedule.step()
        return outcome

    def finish(self) -> Classifier:
        """The trained model, whole. No step can follow."""
        self.model.encoder.embeddings.token = self.table.train(False).whole
        return self.model

    def _backward(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """Gradients of the mean loss, part by part: a part's numbers stay in the processor's caches."""
        losses, rights = [], []
        with self.machinery.autocast():
            for part in batch.parts(self.machinery.training_tokens, self.recipe.micro_batch):
                tokens = self.table.look_up(part.tokens)
                logits = self.model.classify(tokens, part).float()
                loss = F.cross_entropy(logits, part.labels, reduction="sum") / len(batch)
                with self.machinery.without_autocast():
                    loss.backward()
                self.table.add_gradient(part.tokens, tokens.grad)
                losses.append(loss.detach())
                rights.append((logits.argmax(1) == part.labels).sum())
        return torch.stack(losses).sum(), torch.stack(rights).sum()
