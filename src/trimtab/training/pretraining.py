"""Pretraining a BERT on masked words and next sentences: its state, and its optimiser step."""

import math
from dataclasses import dataclass
from typing import Literal, NamedTuple, cast

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812
from numpy.typing import NDArray
from torch import Tensor, nn

from trimtab.data.layout import IGNORED, Padding
from trimtab.data.masking import Masking, slots
from trimtab.data.rows import Rows
from trimtab.model.architecture import Architecture
from trimtab.model.dropout import seed_dropout
from trimtab.model.heads import Bert, MaskedWords, Parts
from trimtab.model.initialise import bits_of, initialise, seed_of, set_words, words_of
from trimtab.training.backend import Backend
from trimtab.training.compiling import compile_layers, restore_layers
from trimtab.training.masked_batches import MaskedBatch, MaskedLayout, masked_layout
from trimtab.training.optimizer import Schedule, make_optimizer
from trimtab.training.output_layer import OutputLayer, WordLosses
from trimtab.training.recipe import Recipe
from trimtab.training.state import State, restore_into, state_of
from trimtab.training.token_table import TokenTable

Average = Literal["real", "padded"]
_Roots = list[tuple[Tensor, Tensor | None]]  # tensors to backpropagate from, and their gradients
_FREE_WORD = 0  # the word in the tutorial's unused places
_STEP = 64  # where batches are padded to bucket sizes, predictions come in multiples of this


@dataclass(frozen=True)
class PretrainingTask:
    """What is pretrained: a BERT of ``size`` with both heads, for ``vocabulary`` words and up to ``max_len``.

    tied: whether the masked-word head's output matrix is the token table, as in the original and not in d2l.
    average: what the masked words' loss is averaged over. ``real``: the masked words. ``padded``: as in the
    tutorial, which gives each row places for 15 % of max_len words and fills a shorter row's unused places
    with the position of <cls> and the word 0. It intends to weight their losses by 0, but
    nn.CrossEntropyLoss() has averaged over all places before the weights are applied to that one number. So
    the model also learns to predict word 0 at <cls>, which it soon does perfectly, and the mean is too low.
    """

    size: Architecture
    vocabulary: int
    masking: Masking
    max_len: int
    tied: bool = False
    average: Average = "real"

    @property
    def places(self) -> int:
        """Places for masked words that the tutorial gives each row."""
        return int(slots(np.array(self.max_len)))


class LossCounts(NamedTuple):
    """What losses are averaged over: masked words, pairs, and the tutorial's places."""

    words: int
    rows: int
    places: int


@dataclass(frozen=True, eq=False)
class Losses:
    """Sums over some pairs: of losses, in nats, and of right answers.

    sums: (5,), masked words' losses and right answers, next sentences' losses and right answers, and the
    losses of the tutorial's unused places; NaN where something was not computed: right words in training, and
    unused places where neither the task nor the caller needs them.
    """

    sums: Tensor
    counts: LossCounts

    def means(self) -> dict[str, float]:
        """Mean losses and accuracies, those that were computed.

        ``masked_words_padded``: the tutorial's mean, see PretrainingTask.
        """
        words, right_words, sentences, right_sentences, free = self.sums.tolist()
        means = {
            "masked_words": words / self.counts.words,
            "masked_words_padded": (words + free) / self.counts.places,
            "masked_words_accuracy": right_words / self.counts.words,
            "next_sentence": sentences / self.counts.rows,
            "next_sentence_accuracy": right_sentences / self.counts.rows,
        }
        always = ("masked_words", "next_sentence")
        return {name: mean for name, mean in means.items() if name in always or not math.isnan(mean)}


class Pretrainer:
    """A BERT in pretraining, and the state of its optimiser, schedule and dropout.

    seed: fixes the initial weights and every dropout mask; the caller chooses pairs and masked words.
    steps: optimiser steps of the whole training, over which the learning rate is scheduled.
    """

    def __init__(
        self, task: PretrainingTask, recipe: Recipe, seed: int, steps: int, backend: Backend
    ) -> None:
        self.task, self.recipe, self.backend = task, recipe, backend
        parts = Parts(task.size, task.vocabulary, masked_words=True, tied=task.tied, next_sentence=True)
        self.model = Bert(parts)
        initialise(self.model, seed, task.size.initial_deviation)
        self.model.to(backend.device).train()
        self.dropout = bits_of(seed, "dropout")
        seed_dropout(self.model, self.dropout)
        if backend.device.type == "cuda":
            with torch.cuda.device(backend.device):  # dropout draws from the device's default generator
                torch.cuda.manual_seed(seed_of(seed, "dropout"))
        embeddings = self.model.encoder.embeddings
        self.table = cast(nn.Embedding, embeddings.token)
        embeddings.token = TokenTable(self.table)
        self.head = cast(MaskedWords, self.model.masked_words)
        self.output = OutputLayer(self.head.output, backend.precision == "bf16")
        self.optimizer = make_optimizer(self.model, recipe)
        self.schedule = Schedule(self.optimizer, recipe, steps)
        parameters = task.size.parameters(task.vocabulary, 2)
        self.tokens = backend.training_tokens(task.size, parameters)
        if backend.compiles(parameters):
            compile_layers(self.model)
        for parameter in self.model.parameters():
            parameter.grad = torch.zeros_like(parameter)

    def step(
        self, rows: Rows, index: NDArray[np.signedinteger], rng: np.random.Generator, *, padded: bool = False
    ) -> Losses:
        """One optimiser step on the pairs ``index``, whose masks are drawn from ``rng``.

        It minimises the sum of both tasks' mean losses. padded: whether to compute the losses of the
        tutorial's unused places too, as is done anyway where the task trains on them.
        """
        self.optimizer.zero_grad(set_to_none=False)
        layout = masked_layout(rows, index, self.task.masking, rng)
        losses = self._over(rows, layout, padded=padded, learn=True)
        if self.recipe.clip:
            torch.nn.utils.clip_grad_norm_(self.model.parameters(), self.recipe.clip)
        self.optimizer.step()
        self.schedule.step()
        return losses

    def evaluate(self, rows: Rows, rng: np.random.Generator) -> Losses:
        """The losses of all pairs, whose masks are drawn from ``rng``, without dropout."""
        layout = masked_layout(rows, np.arange(len(rows.pairs)), self.task.masking, rng)
        self.model.eval()
        with torch.no_grad():
            losses = self._over(rows, layout, padded=True, learn=False)
        self.model.train()
        return losses

    def state(self) -> State:
        """Everything that the steps taken have changed; see ``Resumable``."""
        found = state_of(self.model, self.optimizer, self.schedule, self.backend.device)
        return found | {"dropout": words_of(self.dropout)}

    def restore(self, state: State) -> None:
        """Go on from what ``state`` gave."""
        restore_into(state, self.model, self.optimizer, self.schedule, self.backend.device)
        set_words(self.dropout, state["dropout"])

    def finish(self) -> Bert:
        """The trained model, in evaluation mode. No step can follow."""
        self.model.encoder.embeddings.token = self.table
        restore_layers(self.model)
        return self.model.eval()

    def _over(self, rows: Rows, layout: MaskedLayout, *, padded: bool, learn: bool) -> Losses:
        """The losses of a batch and, with ``learn``, their gradients, part by part."""
        counts = LossCounts(len(layout.masked.places), len(layout), len(layout) * self.task.places)
        self.output.start()
        sums = []
        padding = None
        if self.backend.wants_steady_sizes:
            padding = Padding.of_batches(rows.pairs, self.recipe.rows_together, self.tokens)
        with self.backend.autocast():
            for part in layout.parts(self.tokens, self.recipe.micro_batch):
                part = part.filled(padding) if padding else part
                found, roots = self._part(part.make(rows), counts, padded=padded, learn=learn)
                sums.append(found)
                if learn:
                    with self.backend.without_autocast():
                        torch.autograd.backward([root for root, _ in roots], [given for _, given in roots])
        return Losses(torch.stack(sums).sum(0), counts)

    def _part(
        self, part: MaskedBatch, counts: LossCounts, *, padded: bool, learn: bool
    ) -> tuple[Tensor, _Roots]:
        """The sums of a part of a batch, and the tensors to backpropagate from."""
        x, on_free = self.model(part.batch), self.task.average == "padded"
        share = 1 / (counts.places if on_free else counts.words)
        each = torch.full(part.places.shape, share, device=x.device)
        words, roots = self._predict(x, part.places, part.words, each if learn else None)
        free_losses = missing = torch.full((), math.nan, device=x.device)
        if padded or on_free:
            free = ((self.task.places - part.counts) * (part.batch.labels != IGNORED)).float()
            starts = part.batch.cumulative_lengths[:-1]
            scale = free * share if learn and on_free else None
            first, more = self._predict(x, starts, torch.full_like(starts, _FREE_WORD), scale)
            free_losses, roots = (first.losses * free).sum(), roots + more
        logits = self.model.next_sentence_logits(x, part.batch).float()
        following = F.cross_entropy(logits, part.batch.labels, reduction="sum")
        roots.append((following / counts.rows, None))
        right = (logits.argmax(1) == part.batch.labels).sum()
        right_words = missing if words.right is None else words.right.sum()
        sums = [words.losses.sum(), right_words, following.detach(), right, free_losses]
        return torch.stack([each.float() for each in sums]), roots

    def _predict(
        self, x: Tensor, places: Tensor, words: Tensor, scale: Tensor | None
    ) -> tuple[WordLosses, _Roots]:
        number = len(places)
        if self.backend.wants_steady_sizes:
            places, words = _even(places), _even(words)
            scale = None if scale is None else _even(scale)
        given = self.head.transformed(x.index_select(0, places))
        losses = self.output(given.detach(), words, scale)
        roots: _Roots = [] if losses.gradient is None else [(given, losses.gradient)]
        return losses.first(number), roots


def _even(values: Tensor) -> Tensor:
    """(N,) padded with zeros to a multiple of _STEP: place 0, word 0, and no share in the loss."""
    return F.pad(values, (0, -len(values) % _STEP))
