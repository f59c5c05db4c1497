"""transformers' Trainer as a peer: its BertForSequenceClassification of the same shape, its own collator."""

import tempfile
import time
from typing import Any

import torch
import transformers
from transformers import (
    BertForSequenceClassification,
    DataCollatorWithPadding,
    PreTrainedTokenizerFast,
    Trainer,
    TrainerCallback,
    TrainingArguments,
)

from peers_bert import configuration
from peers_race import WARM, Step
from peers_work import LABELS, Work

STRATEGIES = {"random": "random", "grouped by length": "group_by_length"}


class Rows(torch.utils.data.Dataset[dict[str, Any]]):
    """The work's pairs as the Trainer takes them; all are made beforehand."""

    def __init__(self, work: Work) -> None:
        self.rows = [
            {
                "input_ids": work.pairs.tokens[row].tolist(),
                "token_type_ids": work.segments(row),
                "attention_mask": [1] * int(work.pairs.tokens.lengths[row]),
                "labels": int(work.pairs.labels[row]),
            }
            for row in range(len(work.pairs))
        ]

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: int) -> dict[str, Any]:
        return self.rows[index]


class _Collator:
    """Pads to the longest row of a batch, and notes the rows and real tokens of each."""

    def __init__(self, work: Work) -> None:
        self.pad = DataCollatorWithPadding(
            PreTrainedTokenizerFast(tokenizer_object=work.tokenizer, pad_token="<pad>")
        )
        self.noted: list[tuple[int, int]] = []

    def __call__(self, rows: list[dict[str, Any]]) -> Any:
        self.noted.append((len(rows), sum(len(row["input_ids"]) for row in rows)))
        return self.pad(rows)


class _Stamps(TrainerCallback):
    """When each step began, its batch in hand, and when its weights had moved."""

    def __init__(self) -> None:
        self.began: list[float] = []
        self.ended: list[float] = []

    def on_step_begin(self, *_: Any, **__: Any) -> None:
        self.began.append(time.perf_counter())

    def on_step_end(self, *_: Any, **__: Any) -> None:
        self.ended.append(time.perf_counter())


class Contestant:
    """The Trainer with dynamic padding; what its data loader takes is not counted."""

    name = f"transformers {transformers.__version__} Trainer"

    def __init__(self, work: Work, rows: Rows, batches: str, precision: str) -> None:
        transformers.logging.set_verbosity_error()
        self.work, self.rows, self.batches, self.precision = work, rows, batches, precision
        self.model = BertForSequenceClassification(
            configuration(work.size, work.vocabulary, work.pad, len(LABELS))
        )

    def run(self, steps: int, seed: int) -> list[Step]:
        """``steps`` steps, or so many more that batches grouped by length have been of all lengths."""
        steps = self._whole_cycles(steps) if self.batches != "random" else steps
        collator, stamps = _Collator(self.work), _Stamps()
        with tempfile.TemporaryDirectory() as folder:
            trainer = Trainer(
                self.model,
                self._arguments(steps, seed, folder),
                train_dataset=self.rows,
                data_collator=collator,
                callbacks=[stamps],
            )
            trainer.remove_callback(transformers.PrinterCallback)
            trainer.train()
        times = (end - begin for begin, end in zip(stamps.began, stamps.ended, strict=True))
        noted = collator.noted  # the loader is a batch ahead, so the last may have had no step
        return [Step(taken, *batch) for taken, batch in zip(times, noted, strict=False)]

    def _whole_cycles(self, steps: int) -> int:
        # Rows are sorted within pieces of so many batches, longest first: fewer would be the long rows.
        cycle = max(1, min(len(self.rows) // (4 * self.work.batch), 50))
        return WARM + -(-(steps - WARM) // cycle) * cycle

    def _arguments(self, steps: int, seed: int, folder: str) -> TrainingArguments:
        return TrainingArguments(
            output_dir=folder,
            max_steps=steps,
            per_device_train_batch_size=self.work.batch,
            learning_rate=self.work.recipe.learning_rate,
            lr_scheduler_type="constant",
            weight_decay=0.0,
            max_grad_norm=0.0,
            train_sampling_strategy=STRATEGIES[self.batches],
            bf16=self.precision == "bf16",
            use_cpu=True,
            seed=seed,
            report_to="none",
            save_strategy="no",
            logging_strategy="no",
            disable_tqdm=True,
        )
