"""Pretraining a BERT on masked words and next sentences: its state, and the one step that moves it."""

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
from trimtab.model.dropout import seed_dropout
from trimtab.model.heads import Bert, MaskedWords, Parts
from trimtab.model.initialise import bits_of, initialise, seed_of
from trimtab.model.sizes import Architecture
from trimtab.training.backend import Backend
from trimtab.training.masked_batches import MaskedBatch, MaskedLayout, masked_layout
from trimtab.training.optimizer import Schedule, make_optimizer
from trimtab.training.recipe import Recipe
from trimtab.training.vocabulary import Outcome, OutputLayer, TokenTable

Average = Literal["real", "padded"]
_Roots = list[tuple[Tensor, Tensor | None]]  # what is differentiated, and the gradient with regard to it
_FREE_WORD = 0  # that stands in the tutorial's free places
_STEP = 64  # predictions come in a multiple of it where few sizes are wanted


@dataclass(frozen=True)
class Task:
    """What is pretrained: a BERT of ``size`` with both heads, for ``vocabulary`` words and up to ``max_len``.

    tied: whether the masked words' last matrix is the token table, as in the original and not in d2l's.
    average: what the masked words' loss is the mean over. ``real``: the words that are masked. ``padded``:
    the tutorial's. It gives each row places for 15 % of max_len words, fills those that a shorter row leaves
    free with the place of <cls> and the word 0, and means to weight their losses by 0; but
    nn.CrossEntropyLoss() has averaged over all places before the weights meet that one number. So the model
    also learns to say word 0 at <cls>, which is soon perfect and pulls the mean down.
    """

    size: Architecture
    vocabulary: int
    masking: Masking
    max_len: int
    tied: bool = False
    average: Average = "real"

    @property
    def places(self) -> int:
        """Masked words that the tutorial gives each row places for."""
        return int(slots(np.array(self.max_len)))


class Counts(NamedTuple):
    """What sums of losses are over: masked words, pairs, and the places that the tutorial counts."""

    words: int
    rows: int
    places: int


@dataclass(frozen=True, eq=False)
class Losses:
    """Sums over some pairs: of losses, in nats, and of right answers.

    sums: (5,), the losses of masked words and how many were right, the losses of next sentences and how many
    were right, and the losses of the tutorial's free places; not a number where something was not asked for:
    right words in training, and the free places where nothing wants them.
    """

    sums: Tensor
    counts: Counts

    def means(self) -> dict[str, float]:
        """Mean losses and shares of right answers, those that are known.

        ``masked_words_padded``: the tutorial's mean, see Task.
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
    """A BERT under pretraining, and all that a step needs.

    seed: fixes the initial weights and every dropout mask; the pairs and what is masked are the caller's.
    steps: optimiser steps of the whole training, over which the learning rate is scheduled.
    """

    def __init__(self, task: Task, recipe: Recipe, seed: int, steps: int, backend: Backend) -> None:
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
        self.tokens = backend.training_tokens(task.size, task.size.parameters(task.vocabulary, 2))
        for parameter in self.model.parameters():
            parameter.grad = torch.zeros_like(parameter)

    def step(
        self, rows: Rows, index: NDArray[np.signedinteger], rng: np.random.Generator, *, padded: bool = False
    ) -> Losses:
        """One optimiser step on the pairs ``index``, whose words are masked by ``rng``.

        What is minimised is the sum of both tasks' mean losses. padded: whether the losses of the tutorial's
        free places are wanted, too; they are known anyway where the task trains on them.
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
        """The losses of all pairs, whose words are masked by ``rng``, without dropout."""
        layout = masked_layout(rows, np.arange(len(rows.pairs)), self.task.masking, rng)
        self.model.eval()
        with torch.no_grad():
            losses = self._over(rows, layout, padded=True, learn=False)
        self.model.train()
        return losses

    def finish(self) -> Bert:
        """The trained model, in evaluation mode. No step can follow."""
        self.model.encoder.embeddings.token = self.table
        return self.model.eval()

    def _over(self, rows: Rows, layout: MaskedLayout, *, padded: bool, learn: bool) -> Losses:
        """The losses of a batch and with ``learn`` their gradients, part by part."""
        counts = Counts(len(layout.masked.places), len(layout), len(layout) * self.task.places)
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

    def _part(self, part: MaskedBatch, counts: Counts, *, padded: bool, learn: bool) -> tuple[Tensor, _Roots]:
        """The sums of a part of a batch, and what its gradient begins from."""
        x, on_free = self.model(part.batch), self.task.average == "padded"
        share = 1 / (counts.places if on_free else counts.words)
        each = torch.full(part.places.shape, share, device=x.device)
        words, roots = self._predict(x, part.places, part.words, each if learn else None)
        free_losses = missing = torch.tensor(math.nan, device=x.device)
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
    ) -> tuple[Outcome, _Roots]:
        number = len(places)
        if self.backend.wants_steady_sizes:
            places, words = _even(places), _even(words)
            scale = None if scale is None else _even(scale)
        given = self.head.transformed(x[places])
        outcome = self.output(given.detach(), words, scale)
        roots: _Roots = [] if outcome.gradient is None else [(given, outcome.gradient)]
        return outcome.first(number), roots


def _even(values: Tensor) -> Tensor:
    """(N,) with zeros after them up to a multiple of _STEP: place 0, word 0, and no share in the loss."""
    return F.pad(values, (0, -len(values) % _STEP))
