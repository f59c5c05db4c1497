"""transformers' model in the loop of a tutorial on CoLA: AdamW, a linear schedule, every row padded."""

import torch
import transformers
from numpy.typing import NDArray
from torch import Tensor, nn
from transformers import AutoModelForSequenceClassification, get_linear_schedule_with_warmup

from bench.peers.packed import SEED
from bench.peers.race import Stepwise
from bench.peers.trainer import configuration
from bench.peers.work import Work, padded


class Padded(Stepwise):
    """Every row is padded to the work's max_len before the first step. steps: those of the schedule."""

    def __init__(self, work: Work, precision: str, steps: int) -> None:
        super().__init__(f"transformers {transformers.__version__}, padded", work.rows, precision)
        lengths = torch.from_numpy(work.pairs.tokens.lengths)
        self.ids = torch.from_numpy(padded(work.pairs.tokens, work.max_len, work.pad_id))
        self.real = (torch.arange(work.max_len) < lengths[:, None]).long()
        self.labels = torch.from_numpy(work.pairs.labels)
        torch.manual_seed(SEED)
        self.model = AutoModelForSequenceClassification.from_config(configuration(work))
        recipe, parameters = work.recipe, self.model.parameters()
        self.clip = recipe.clip
        self.optimizer = torch.optim.AdamW(
            parameters, lr=recipe.learning_rate, weight_decay=recipe.weight_decay
        )
        self.schedule = get_linear_schedule_with_warmup(self.optimizer, 0, steps)

    def loss(self, index: NDArray) -> Tensor:
        """The mean loss of the rows ``index``."""
        rows = torch.from_numpy(index)
        loss: Tensor = self.model(
            self.ids[rows], attention_mask=self.real[rows], labels=self.labels[rows]
        ).loss
        return loss

    def step(self, batch: NDArray) -> None:
        """One step on the rows ``batch``."""
        self.model.train()
        self.model.zero_grad()
        with torch.autocast("cpu", torch.bfloat16, enabled=self.precision == "bf16"):
            loss = self.loss(batch)
        loss.backward()
        nn.utils.clip_grad_norm_(self.model.parameters(), self.clip)
        self.optimizer.step()
        self.schedule.step()
        loss.item()
