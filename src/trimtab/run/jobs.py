"""What a worker process does: measure a precision, train one trial, or ask its model about other inputs."""

import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from trimtab.atomic import atomic_write
from trimtab.data.pairs import Pairs, make_pairs
from trimtab.data.tokenizer import SpecialTokens
from trimtab.data.tokens import load
from trimtab.ledger.trial import WEIGHTS, Trial
from trimtab.model.encoder import Classifier
from trimtab.model.initial_weights import read as read_start
from trimtab.model.sizes import Architecture
from trimtab.training.backend import Backend
from trimtab.training.chosen import chosen_epoch
from trimtab.training.loop import DivergedError, measure, predict, train
from trimtab.training.memory import give_back, is_out_of_memory
from trimtab.training.precision import choose_precision, device_name
from trimtab.training.recipe import Recipe
from trimtab.truncation import parse

Tell = Callable[[str, Any], None]


@dataclass(frozen=True)
class InputSpec:
    """What a trial is trained on: where each split's tokens lie, and how they are cut.

    folders: the cached tokens of train, validation and each test set; truncation: a spec string.
    """

    folders: dict[str, Path]
    truncation: str
    max_len: int
    special: SpecialTokens
    vocabulary: int
    classes: int

    def pairs(self, *names: str) -> dict[str, Pairs]:
        """The inputs of the splits named."""
        tokens = {name: load(self.folders[name]) for name in {*names, "train"}}
        truncation = parse(self.truncation).fit(tokens["train"].first, tokens["train"].second)
        return {name: make_pairs(tokens[name], truncation, self.max_len, self.special) for name in names}


@dataclass(frozen=True)
class PrecisionJob:
    """Measure which precision is quicker for this work."""

    input_spec: InputSpec
    size: Architecture
    recipe: Recipe
    device: str

    def run(self, tell: Tell) -> dict[str, Any]:
        """``{"precision": ..., "examples_per_second": {precision: rate}}``."""
        pairs = self.input_spec.pairs("train")["train"]
        precision, rates = choose_precision(
            self.size,
            self.recipe,
            pairs,
            self.input_spec.vocabulary,
            self.input_spec.classes,
            torch.device(self.device),
        )
        return {"precision": precision, "examples_per_second": rates}


@dataclass(frozen=True)
class TrialJob:
    """Train one trial and write it into its folder. ``config`` is its identity, ``recipe`` is resolved.

    start: the file of the pretrained tensors that it starts from, None where it starts from none.
    """

    folder: Path
    config: dict[str, Any]
    input_spec: InputSpec
    size: Architecture
    recipe: Recipe
    seed: int
    device: str
    keep_weights: bool
    signature: dict[str, str]
    start: Path | None = None

    def with_smaller_batches(self) -> "TrialJob | None":
        """The same trial in micro-batches of half the size; None where they hold one row already."""
        rows = self.recipe.micro_batch or self.recipe.batch_size
        return replace(self, recipe=replace(self.recipe, micro_batch=rows // 2)) if rows > 1 else None

    def run(self, tell: Tell) -> dict[str, Any]:
        """Train, evaluate the test sets once, at the end, and mark the trial complete.

        Out of memory, the trial starts again with smaller micro-batches. Returns
        ``{"failure": reason or None}``.
        """
        job: TrialJob | None = self
        while job is not None:
            failure = job._attempt(tell)
            give_back()
            if failure is None:
                return {"failure": None}
            reason, out_of_memory = failure
            job = job.with_smaller_batches() if out_of_memory else None
        return {"failure": reason}

    def _attempt(self, tell: Tell) -> tuple[str, bool] | None:
        """None where the trial was done, else the reason and whether memory ran out."""
        try:
            self._train(tell)
        except DivergedError as error:
            return str(error), False
        except (RuntimeError, MemoryError, OSError) as error:
            if not is_out_of_memory(error):
                raise
            rows = self.recipe.micro_batch or self.recipe.batch_size
            return f"out of memory, with {rows} rows at a time: {str(error).splitlines()[0]}", True
        return None

    def _train(self, tell: Tell) -> None:
        began = time.perf_counter()
        trial = Trial(self.folder).attempt()
        trial.begin(self.config)
        pairs = self.input_spec.pairs(*self.input_spec.folders)
        _check_inputs(pairs, self.config["inputs"])
        backend = Backend(torch.device(self.device), self.recipe.precision)
        epochs: list[dict[str, float]] = []

        def on_epoch(record: dict[str, float]) -> None:
            epochs.append(record)
            trial.add_metrics(record)
            tell("epoch", record)

        model = train(
            self.size,
            self.recipe,
            self.seed,
            backend,
            vocabulary=self.input_spec.vocabulary,
            classes=self.input_spec.classes,
            training=pairs["train"],
            validation=pairs["validation"],
            start=read_start(self.start) if self.start else None,
            on_epoch=on_epoch,
            on_progress=lambda progress: tell("progress", progress),
        )
        tests = [name for name in pairs if name not in ("train", "validation")]
        logits = {name: predict(model, pairs[name], backend) for name in tests}
        if self.keep_weights:
            _save(model, trial.folder)
        scores = {name: measure(logits[name], pairs[name].labels) for name in tests}
        trial.finish(self._result(epochs, scores, time.perf_counter() - began), logits)
        Trial(self.folder).settle()

    def _result(
        self, epochs: list[dict[str, float]], scores: dict[str, dict[str, float]], seconds: float
    ) -> dict[str, Any]:
        training = sum(record["seconds"] for record in epochs)
        chosen = epochs[chosen_epoch(self.recipe.evaluate, epochs)]
        return {
            "tests": scores,
            "evaluated_epoch": chosen["epoch"],
            "validation": {"loss": chosen["validation_loss"], "accuracy": chosen["validation_accuracy"]},
            "examples_per_second": _mean_rate(epochs, "examples_per_second", training),
            "tokens_per_second": _mean_rate(epochs, "tokens_per_second", training),
            "peak_bytes": max(record["peak_bytes"] for record in epochs),
            "training_seconds": training,
            "seconds": seconds,
            "recipe": asdict(self.recipe),
            "machine": device_name(torch.device(self.device)),
            "threads": torch.get_num_threads(),
            "signature": self.signature,
        }


@dataclass(frozen=True)
class CrossJob:
    """Evaluate a finished trial's model on test inputs of other variants, each into a file of its own.

    questions: how the inputs are cut, and the fingerprint that they must have by test set.
    """

    folder: Path
    questions: tuple[tuple[InputSpec, dict[str, str]], ...]
    size: Architecture
    precision: str
    device: str

    def run(self, tell: Tell) -> dict[str, Any]:
        """Evaluate; what is done stays where another one fails. Returns ``{"failure": reason or None}``."""
        Trial(self.folder).crossed.begin()
        try:
            self._evaluate()
        except (DivergedError, SafetensorError) as error:
            return {"failure": str(error)}
        except (RuntimeError, MemoryError, OSError) as error:
            if not is_out_of_memory(error):
                raise
            return {"failure": f"out of memory: {str(error).splitlines()[0]}; lower --jobs"}
        finally:
            give_back()
        return {"failure": None}

    def _evaluate(self) -> None:
        crossed = Trial(self.folder).crossed
        backend = Backend(torch.device(self.device), self.precision)
        first = self.questions[0][0]
        model = load_weights(self.folder, self.size, first.vocabulary, first.classes).to(backend.device)
        for input_spec, wanted in self.questions:
            pairs = input_spec.pairs(*wanted)
            _check_inputs(pairs, wanted)
            for name, fingerprint in wanted.items():
                crossed.add(fingerprint, predict(model, pairs[name], backend))


def load_weights(folder: Path, size: Architecture, vocabulary: int, classes: int) -> Classifier:
    """The model that a trial left in its folder, exactly; SafetensorError where its file is damaged."""
    path = folder / WEIGHTS
    model = Classifier(size, vocabulary, classes)
    try:
        weights = load_file(path)
    except SafetensorError as error:
        mend = f"delete {path} and run the study again"
        raise SafetensorError(f"{path}: cannot be read ({error}); {mend}") from error
    model.load_state_dict(weights)
    return model


def _save(model: Classifier, folder: Path) -> None:
    with atomic_write(folder / WEIGHTS) as temporary:
        save_file({name: tensor.contiguous() for name, tensor in model.state_dict().items()}, temporary)


def _check_inputs(pairs: dict[str, Pairs], fingerprints: Mapping[str, str]) -> None:
    for name, inputs in pairs.items():
        if inputs.fingerprint != fingerprints[name]:
            raise RuntimeError(f"the cached tokens of {name} changed while the study ran; run it again")


def _mean_rate(epochs: list[dict[str, float]], name: str, seconds: float) -> float:
    """Work over time of all epochs: their rates weighted by their seconds."""
    return sum(record[name] * record["seconds"] for record in epochs) / seconds
