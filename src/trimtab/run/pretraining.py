"""Running a study of pretraining: its texts, its folder, and going on where it was."""

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer

from trimtab.config import InputError
from trimtab.data import paragraphs
from trimtab.data.dataset import tokenizer_of
from trimtab.data.masking import masking_of
from trimtab.data.next_sentences import Sentences, tokenise_sentences
from trimtab.data.tokenizer import largest_id, special_tokens
from trimtab.ledger.ledger import Ledger
from trimtab.ledger.pretraining_folder import PretrainingFolder
from trimtab.machine import signature
from trimtab.model import weights_d2l, weights_hf
from trimtab.model.weights import weights_of, with_positions
from trimtab.run.runtime import begin
from trimtab.study.pretraining_definition import Pretraining, Text
from trimtab.training.backend import Backend
from trimtab.training.checkpoint import Checkpoint
from trimtab.training.loop import DivergedError
from trimtab.training.memory import keep_freed_memory
from trimtab.training.precision import device_name
from trimtab.training.pretraining import Task
from trimtab.training.pretraining_loop import pretrain
from trimtab.training.pretraining_meter import Progress
from trimtab.training.pretraining_precision import choose_precision

_WRITE = {"hf": weights_hf.write, "d2l": weights_d2l.write}


@dataclass(frozen=True)
class Outcome:
    """Where the results are, and how many steps had been taken before; all of them where it was done."""

    folder: Path
    steps_before: int


@dataclass(frozen=True, eq=False)
class Prepared:
    """What is trained on: the sentences of both splits, tokenised with one vocabulary."""

    tokenizer: Tokenizer
    training: Sentences
    validation: Sentences | None
    source: str

    @property
    def fingerprint(self) -> str:
        """A hash of all sentences."""
        digest = hashlib.sha256()
        for each in (self.training, self.validation):
            for array in (each.tokens.values, each.tokens.offsets, each.offsets) if each else ():
                digest.update(array.tobytes())
        return digest.hexdigest()[:32]


def run(
    study: Pretraining,
    data: Path | None = None,
    out: Path | None = None,
    device: str = "auto",
    on_stage: Callable[[str], None] = lambda words: None,
    on_progress: Callable[[Progress], None] = lambda progress: None,
) -> Outcome:
    """Pretrain, or go on where a checkpoint stands: a folder that is complete is left as it is.

    In the folder, results/NAME by default: pretraining.json, what was asked for and what it runs on;
    metrics.jsonl; checkpoint.pt until it is done; model/, weights and tokeniser; result.json, written last.
    Raises InputError where the data or the folder is not fit, DivergedError where the loss is not finite.
    """
    folder = PretrainingFolder(out or Path("results") / study.name)
    ledger = Ledger(folder.path)
    ledger.claim(study.name)
    with ledger.lock():
        on_stage("reading and tokenising the text")
        prepared = prepare(study, data)
        asked = study.resolved() | {"data": prepared.fingerprint}
        folder.check(asked)
        if (result := folder.result) is not None:
            return Outcome(folder.path, result["steps"])
        runtime = _runtime(folder, device)
        with _threads(runtime["threads"]):
            job = _Job(study, folder, prepared, asked, runtime)
            return Outcome(folder.path, job.run(on_stage, on_progress))


def prepare(study: Pretraining, data: Path | None) -> Prepared:
    """Read and tokenise what the study names; InputError where a file is missing or wrong."""
    text = _read(study, study.training, data)
    judged = study.validation and _read(study, study.validation, data)
    words, lowercase = text.examples(), study.lowercase
    tokenizer = tokenizer_of(study.tokenizer, words, data, min_freq=study.min_freq, lowercase=lowercase)
    masking_of(tokenizer)  # for its error
    training = _tokenised(study, study.training, text, tokenizer)
    validation = None
    if study.validation and judged:
        validation = _tokenised(study, study.validation, judged, tokenizer)
    return Prepared(tokenizer, training, validation, Path(text.source).name)


def _tokenised(
    study: Pretraining, text: Text, found: paragraphs.Paragraphs, tokenizer: Tokenizer
) -> Sentences:
    unknown = paragraphs.corpus_of(text.reader).unknown
    return tokenise_sentences(found, tokenizer, special_tokens(tokenizer), study.max_len, unknown)


def _read(study: Pretraining, text: Text, data: Path | None) -> paragraphs.Paragraphs:
    return paragraphs.read(text.reader, text.split, data, lowercase=study.lowercase, **text.options)


def _runtime(folder: PretrainingFolder, device: str) -> dict[str, Any]:
    """Device, threads and precision: those that a checkpoint was made with, else of now."""
    begun = folder.begun if folder.checkpoint.exists() else None
    runtime: dict[str, Any] = begun["runtime"] if begun else begin(1, device)
    if device not in ("auto", runtime["device"]):
        mend = "leave --device out, or choose another folder with --out DIR"
        raise InputError(f"--device {device}: {folder.path} was begun on {runtime['device']}; {mend}")
    return runtime


@contextmanager
def _threads(number: int) -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(number)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@dataclass(frozen=True)
class _Job:
    """One run of a study in its folder, of which it holds the lock."""

    study: Pretraining
    folder: PretrainingFolder
    prepared: Prepared
    asked: dict[str, Any]
    runtime: dict[str, Any]

    @property
    def task(self) -> Task:
        study, tokenizer = self.study, self.prepared.tokenizer
        vocabulary, masking = largest_id(tokenizer) + 1, masking_of(tokenizer)
        return Task(study.size, vocabulary, masking, study.max_len, study.tied, study.average)

    def run(self, on_stage: Callable[[str], None], on_progress: Callable[[Progress], None]) -> int:
        """Do what is left, and return how many steps had been taken before."""
        study, device = self.study, torch.device(self.runtime["device"])
        before = 0

        def on_start(taken: int) -> None:
            nonlocal before
            before = taken
            self.folder.begin(self._described(), taken)

        keep_freed_memory()
        if not self.runtime["precision"]:
            on_stage("measuring which precision is quicker here")
            training = self.prepared.training
            self.runtime["precision"] = choose_precision(self.task, study.recipe, training, device)
        on_stage("pretraining")
        try:
            model = pretrain(
                self.task,
                study.recipe,
                study.seed,
                Backend(device, self.runtime["precision"]),
                training=self.prepared.training,
                validation=self.prepared.validation,
                steps=study.steps,
                checkpoint=Checkpoint(self.folder.checkpoint, study.checkpoint_seconds),
                on_start=on_start,
                on_record=self.folder.add,
                on_progress=on_progress,
            )
        except DivergedError:
            self.folder.checkpoint.unlink(missing_ok=True)  # it leads there again
            raise
        weights = with_positions(weights_of(model, study.size), study.max_len)
        _WRITE[study.format](self.folder.model, weights, self.prepared.tokenizer)
        self.folder.finish()
        return before

    def _described(self) -> dict[str, Any]:
        training = self.prepared.training
        return {
            "name": self.study.name,
            "question": self.study.question,
            "asked": self.asked,
            "runtime": self.runtime,
            "format": self.study.format,
            "source": self.prepared.source,
            "paragraphs": len(training.offsets) - 1,
            "sentences": len(training.tokens),
            "pairs": training.count(self.study.seed, 1),
            "vocabulary": self.task.vocabulary,
            "machine": device_name(torch.device(self.runtime["device"])),
            "signature": signature(),
        }
