"""transformers' Trainer as a contestant: its classifier, its sampler, its collator."""

import tempfile
import time
from collections.abc import Sequence
from typing import Any

import torch
import transformers
from transformers import (
    AutoConfig,
    AutoModelForSequenceClassification,
    DataCollatorWithPadding,
    PreTrainedConfig,
    PreTrainedTokenizerFast,
    Trainer,
    TrainerCallback,
    TrainingArguments,
)

from bench.peers.race import WARM, Step
from bench.peers.work import Work
from trimtab.model.weights_hf import described_size

STRATEGIES = {"random": "random", "grouped by length": "group_by_length"}


def configuration(work: Work) -> PreTrainedConfig:
    """The work's size as transformers has it: with a norm after the embeddings, which d2l's has not."""
    head = {"vocab_size": work.vocabulary, "pad_token_id": work.pad_id, "num_labels": len(work.classes)}
    return AutoConfig.for_model(work.size.kind, **described_size(work.size) | head)


class Rows(torch.utils.data.Dataset[dict[str, Any]]):
    """The work's pairs as the Trainer takes them, all made beforehand."""

    def __init__(self, work: Work) -> None:
        pairs = work.pairs
        lengths = zip(pairs.first_lengths.tolist(), pairs.tokens.lengths.tolist(), strict=True)
        self.rows = [
            {
                "input_ids": pairs.tokens[row].tolist(),
                "attention_mask": [1] * whole,
                "labels": int(pairs.labels[row]),
            }
            | ({"token_type_ids": [0] * first + [1] * (whole - first)} if work.size.segments > 1 else {})
            for row, (first, whole) in enumerate(lengths)
        ]

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: int) -> dict[str, Any]:
        return self.rows[index]


class _Collator:
    """Pads to the longest row of a batch, and records the rows and real tokens of each."""

    def __init__(self, work: Work) -> None:
        self.pad = DataCollatorWithPadding(
            PreTrainedTokenizerFast(tokenizer_object=work.tokenizer, pad_token=work.pad)
        )
        self.recorded: list[tuple[int, int]] = []

    def __call__(self, rows: list[dict[str, Any]]) -> Any:
        self.recorded.append((len(rows), sum(len(row["input_ids"]) for row in rows)))
        return self.pad(rows)


class _Stamps(TrainerCallback):
    """When each step began, its batch at hand, and when its weights were updated."""

    def __init__(self) -> None:
        self.began: list[float] = []
        self.ended: list[float] = []

    def on_step_begin(self, *_: Any, **__: Any) -> None:
        self.began.append(time.perf_counter())

    def on_step_end(self, *_: Any, **__: Any) -> None:
        self.ended.append(time.perf_counter())


class TrainerContestant:
    """The Trainer with dynamic padding; the time of its data loader is not counted."""

    name = f"transformers {transformers.__version__} Trainer"

    def __init__(self, work: Work, rows: Rows, batches: str, precision: str) -> None:
        transformers.logging.set_verbosity_error()
        self.work, self.rows, self.batches, self.precision = work, rows, batches, precision
        self.model = AutoModelForSequenceClassification.from_config(configuration(work))

    def run(self, steps: int, seed: int) -> list[Step]:
        """See Contestant. Batches grouped by length have as many steps as make whole cycles of lengths."""
        counted = steps if self.batches == "random" else self._whole_cycles(steps)
        collator, stamps = _Collator(self.work), _Stamps()
        with tempfile.TemporaryDirectory() as folder:
            trainer = Trainer(
                self.model,
                self._arguments(WARM + counted, seed, folder),
                train_dataset=self.rows,
                data_collator=collator,
                callbacks=[stamps],
            )
            trainer.remove_callback(transformers.PrinterCallback)
            trainer.train()
        times = (end - begin for begin, end in zip(stamps.began, stamps.ended, strict=True))
        # The loader is one batch ahead, so there may be no step for its last one.
        found = [Step(taken, *batch) for taken, batch in zip(times, collator.recorded, strict=False)]
        return found[WARM:]

    def _whole_cycles(self, steps: int) -> int:
        # Rows are sorted within chunks of this many batches, longest first: fewer would be the long rows.
        cycle = max(1, min(len(self.rows) // (4 * self.work.recipe.batch_size), 50))
        return -(-steps // cycle) * cycle

    def _arguments(self, steps: int, seed: int, folder: str) -> TrainingArguments:
        return TrainingArguments(
            output_dir=folder,
            max_steps=steps,
            per_device_train_batch_size=self.work.recipe.batch_size,
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


def trainer_contestants(work: Work, precisions: Sequence[str]) -> list[TrainerContestant]:
    """The Trainer by composition of batches and precision, all on the same rows."""
    rows = Rows(work)
    return [
        TrainerContestant(work, rows, batches, precision)
        for batches in STRATEGIES
        for precision in precisions
    ]
