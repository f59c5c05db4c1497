"""transformers' Trainer on the same synthetic rows: bf16, fused AdamW, sdpa, padded to the longest row."""

import tempfile
import time
from dataclasses import dataclass, fields
from typing import Any

import torch

from bench.gpu.measures import Figures
from bench.gpu.rows import CLASSES, rows_of
from bench.gpu.scale import Scale
from trimtab.data.pairs import Pairs
from trimtab.model.weights_hf import described_size


@dataclass(frozen=True)
class AgainstTrainer:
    """A device and a scale; ``rate`` measures."""

    device: torch.device
    scale: Scale

    def rate(self, name: str, batch: int, grouped: bool, compiled: bool) -> Figures:
        """Examples/s of training steps, the data loader included; grouped: batches of rows of like length."""
        import transformers  # not needed for any other measurement

        transformers.logging.set_verbosity_error()
        size, vocabulary = self.scale.sizes[name], self.scale.vocabulary[name]
        described = described_size(size) | {
            "vocab_size": vocabulary,
            "pad_token_id": 0,
            "num_labels": CLASSES,
        }
        configuration = transformers.AutoConfig.for_model(size.kind, **described)
        make = transformers.AutoModelForSequenceClassification
        model = make.from_config(configuration, attn_implementation="sdpa")
        warm, steps = self.scale.warm, max(4, min(100, 20_000 // batch))
        watch = _Watch(self.device, warm)

        class Callback(transformers.TrainerCallback):
            def on_step_end(self, *_: Any, **__: Any) -> None:
                watch.step()

        with tempfile.TemporaryDirectory() as folder:
            arguments = transformers.TrainingArguments(
                output_dir=folder,
                max_steps=warm + steps,
                per_device_train_batch_size=batch,
                optim="adamw_torch_fused",
                lr_scheduler_type="constant",
                bf16=True,
                torch_compile=compiled,
                use_cpu=self.device.type == "cpu",
                dataloader_num_workers=0 if self.device.type == "cpu" else 4,
                dataloader_pin_memory=self.device.type != "cpu",
                report_to="none",
                save_strategy="no",
                logging_strategy="no",
                disable_tqdm=True,
                **_by_length(transformers.TrainingArguments, grouped),
            )
            rows = _Rows(rows_of(self.scale.rows, vocabulary))
            trainer = transformers.Trainer(
                model, arguments, train_dataset=rows, data_collator=_padded, callbacks=[Callback()]
            )
            trainer.remove_callback(transformers.PrinterCallback)
            trainer.train()
        return {
            "batch": batch,
            "transformers": transformers.__version__,
            "examples_per_second": batch * steps / watch.seconds(),
        }


class _Rows(torch.utils.data.Dataset[dict[str, Any]]):
    def __init__(self, pairs: Pairs) -> None:
        self.pairs = pairs

    def __len__(self) -> int:
        return len(self.pairs)

    def __getitem__(self, index: int) -> dict[str, Any]:
        ids, first = self.pairs.tokens[index].tolist(), int(self.pairs.first_lengths[index])
        types = [0] * first + [1] * (len(ids) - first)
        return {"input_ids": ids, "token_type_ids": types, "labels": int(self.pairs.labels[index])}


def _padded(rows: list[dict[str, Any]]) -> dict[str, torch.Tensor]:
    longest = max(len(row["input_ids"]) for row in rows)
    made = {
        name: torch.tensor([row[name] + [0] * (longest - len(row[name])) for row in rows])
        for name in ("input_ids", "token_type_ids")
    }
    lengths = torch.tensor([len(row["input_ids"]) for row in rows])
    made["attention_mask"] = (torch.arange(longest) < lengths[:, None]).long()
    return made | {"labels": torch.tensor([row["labels"] for row in rows])}


class _Watch:
    """The seconds from the end of the warm steps to that of the last one."""

    def __init__(self, device: torch.device, warm: int) -> None:
        self.device, self.left = device, warm
        self.began = 0.0

    def step(self) -> None:
        self.left -= 1
        if self.left == 0:
            self.began = self._now()

    def seconds(self) -> float:
        return self._now() - self.began

    def _now(self) -> float:
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)
        return time.perf_counter()


def _by_length(arguments: Any, grouped: bool) -> dict[str, Any]:
    """The argument that groups rows by length, whose name has changed between versions."""
    if "train_sampling_strategy" in {each.name for each in fields(arguments)}:
        return {"train_sampling_strategy": "group_by_length" if grouped else "random"}
    return {"group_by_length": grouped}
