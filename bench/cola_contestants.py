"""Who trains on CoLA: transformers' model on padded rows, as the tutorial has it, and the packed trainer."""

import time
from typing import Any

import torch
import transformers
from numpy.typing import NDArray
from torch import nn
from transformers import BertForSequenceClassification, get_linear_schedule_with_warmup

import trimtab
from cola_work import CLASSES, Work
from peers_bert import configuration
from peers_race import Step
from trimtab.training.backend import Backend
from trimtab.training.trainer import Trainer

SEED = 0


class Padded:
    """transformers' model in the tutorial's loop, every row filled up to ``max_len``."""

    batches = "random"

    def __init__(self, work: Work, max_len: int, precision: str) -> None:
        self.work, self.max_len, self.precision = work, max_len, precision
        self.name = f"transformers {transformers.__version__}, padded"
        self.ids, self.real = map(torch.from_numpy, work.padded(max_len))
        self.labels = torch.from_numpy(work.pairs[max_len].labels)
        torch.manual_seed(SEED)
        self.model = BertForSequenceClassification(
            configuration(work.size, work.vocabulary, work.pad, CLASSES)
        )
        recipe = work.recipe
        self.optimizer = torch.optim.AdamW(
            self.model.parameters(), lr=recipe.learning_rate, weight_decay=recipe.weight_decay
        )
        steps = recipe.steps(work.epoch_rows)
        self.schedule = get_linear_schedule_with_warmup(self.optimizer, 0, steps)

    def run(self, steps: int, seed: int) -> list[Step]:
        """``steps`` steps, each with its time."""
        self.model.train()
        return [self._step(index) for index in self.work.batches(steps, seed)]

    def _step(self, index: NDArray) -> Step:
        began = time.perf_counter()
        rows = torch.from_numpy(index)
        self.model.zero_grad()
        with torch.autocast("cpu", torch.bfloat16, enabled=self.precision == "bf16"):
            loss = self.model(self.ids[rows], attention_mask=self.real[rows], labels=self.labels[rows]).loss
        loss.backward()
        nn.utils.clip_grad_norm_(self.model.parameters(), self.work.recipe.clip)
        self.optimizer.step()
        self.schedule.step()
        loss.item()
        return Step(time.perf_counter() - began, len(index), self.work.tokens(index, self.max_len))


class Packed:
    """trimtab's trainer, which pads nothing; gathering a batch is counted."""

    batches = "random"

    def __init__(self, work: Work, max_len: int, precision: str) -> None:
        self.work, self.max_len, self.precision = work, max_len, precision
        self.name = f"trimtab {trimtab.__version__}, packed"
        backend, pairs = Backend(torch.device("cpu"), precision), work.pairs[max_len]
        shape: dict[str, Any] = {"vocabulary": work.vocabulary, "classes": CLASSES, "training": pairs}
        self.trainer = Trainer(work.size, work.recipe, SEED, backend, **shape)

    def run(self, steps: int, seed: int) -> list[Step]:
        """``steps`` steps on the same rows, each with its time."""
        return [self._step(index) for index in self.work.batches(steps, seed)]

    def _step(self, index: NDArray) -> Step:
        began = time.perf_counter()
        loss, _ = self.trainer.step(index)
        float(loss)
        return Step(time.perf_counter() - began, len(index), self.work.tokens(index, self.max_len))
