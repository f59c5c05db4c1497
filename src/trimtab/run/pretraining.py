"""Running a study of pretraining: its texts, its folder, and resuming from a checkpoint."""

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from pydantic import TypeAdapter
from tokenizers import Tokenizer

from trimtab.config import InputError
from trimtab.data import paragraphs
from trimtab.data.dataset import tokenizer_of
from trimtab.data.input_template import InputTemplate, bert_template
from trimtab.data.masking import masking_of
from trimtab.data.next_sentences import Sentences, tokenise_sentences
from trimtab.data.tokenizer import largest_id, special_tokens
from trimtab.ledger.ledger import Ledger
from trimtab.ledger.pretraining_folder import PretrainingFolder
from trimtab.ledger.pretraining_records import (
    AskedRecord,
    MetricsRecord,
    PretrainingRecord,
    PretrainingRuntime,
    StretchRecord,
    ValidationRecord,
)
from trimtab.machine import signature
from trimtab.model.formats import FORMATS
from trimtab.model.heads import Bert
from trimtab.model.weights import weights_of, with_positions
from trimtab.run.progress import ProgressCallback
from trimtab.run.run_file import run_on
from trimtab.run.runtime import begin
from trimtab.run.stopping import held_back
from trimtab.study.pretraining_definition import Pretraining, Text
from trimtab.training.auto_precision import choose_pretraining_precision, device_name
from trimtab.training.backend import Backend
from trimtab.training.checkpoint import Checkpoint
from trimtab.training.loop import DivergedError
from trimtab.training.memory import keep_freed_memory
from trimtab.training.pretraining import PretrainingTask
from trimtab.training.pretraining_loop import pretrain
from trimtab.training.pretraining_sums import PretrainingProgress
from trimtab.training.recipe import Precision

_METRICS: TypeAdapter[StretchRecord | ValidationRecord] = TypeAdapter(MetricsRecord)


_PRETRAINING = "pretraining"  # the claim on all of a folder


@dataclass(frozen=True)
class PretrainingOutcome:
    """Where the results are, and how many steps had been taken before; all of them where it was done."""

    folder: Path
    steps_before: int


@dataclass(frozen=True, eq=False)
class TokenisedCorpus:
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
    on_progress: Callable[[PretrainingProgress], None] = lambda progress: None,
) -> PretrainingOutcome:
    """Pretrain, or resume from the folder's checkpoint: a folder that is complete is left as it is.

    In the folder, results/NAME by default: pretraining.json, its settings and what it runs on;
    metrics.jsonl; checkpoint.pt until it is done; model/, weights and tokeniser; result.json, written last.
    Raises InputError where the data or the folder is not fit, DivergedError where the loss is not finite.
    """
    folder = PretrainingFolder(out or Path("results") / study.name)
    ledger = Ledger(folder.path)
    ledger.begin(study.name)
    with run_on(folder.path, ProgressCallback()) as (claims, _, _):
        if not claims.take(_PRETRAINING):
            raise InputError(f"{folder.path}: another run uses this folder; wait until it ends")
        on_stage("reading and tokenising the text")
        corpus = read_corpus(study, data)
        asked = _asked(study, corpus)
        folder.check(asked)
        if (result := folder.result) is not None:
            return PretrainingOutcome(folder.path, result.steps)
        runtime = _runtime(folder, device)
        with _threads(runtime.threads):
            job = _Job(study, folder, corpus, asked, runtime)
            return PretrainingOutcome(folder.path, job.run(on_stage, on_progress))


def _asked(study: Pretraining, corpus: TokenisedCorpus) -> AskedRecord:
    return AskedRecord(
        training=study.training,
        validation=study.validation,
        tokenizer=study.tokenizer,
        min_freq=study.min_freq,
        lowercase=study.lowercase,
        size=study.size,
        max_len=study.max_len,
        recipe=study.recipe,
        steps=study.steps,
        seed=study.seed,
        tied=study.tied,
        average=study.average,
        data=corpus.fingerprint,
    )


def read_corpus(study: Pretraining, data: Path | None) -> TokenisedCorpus:
    """Read and tokenise what the study names; InputError where a file is missing or wrong."""
    text = _read(study, study.training, data)
    judged = study.validation and _read(study, study.validation, data)
    words, lowercase = text.examples(), study.lowercase
    tokenizer = tokenizer_of(study.tokenizer, words, data, min_freq=study.min_freq, lowercase=lowercase)
    masking_of(tokenizer)  # for its error
    _check_template(study.tokenizer, tokenizer)
    training = _tokenised(study, study.training, text, tokenizer)
    validation = None
    if study.validation and judged:
        validation = _tokenised(study, study.validation, judged, tokenizer)
    return TokenisedCorpus(tokenizer, training, validation, Path(text.source).name)


def _check_template(name: str, tokenizer: Tokenizer) -> None:
    if InputTemplate.of(tokenizer) != bert_template(special_tokens(tokenizer)):
        what = "pretraining makes rows cls A sep B sep, and its template has other special tokens"
        raise InputError(f"tokenizer {name!r}: {what}; use a vocab.txt, or a tokenizer with BERT's template")


def _tokenised(
    study: Pretraining, text: Text, found: paragraphs.Paragraphs, tokenizer: Tokenizer
) -> Sentences:
    unknown = paragraphs.corpus_of(text.reader).unknown
    return tokenise_sentences(found, tokenizer, special_tokens(tokenizer), study.max_len, unknown)


def _read(study: Pretraining, text: Text, data: Path | None) -> paragraphs.Paragraphs:
    return paragraphs.read(text.reader, text.split, data, lowercase=study.lowercase, **text.options)


def _runtime(folder: PretrainingFolder, device: str) -> PretrainingRuntime:
    """Device, threads and precision: those of the checkpoint where there is one, else of now."""
    begun = folder.begun if folder.checkpoint.exists() else None
    if begun is None:
        now = begin(1, device)
        return PretrainingRuntime(threads=now.threads, device=now.device)
    if device not in ("auto", begun.runtime.device):
        mend = "leave --device out, or choose another folder with --out DIR"
        raise InputError(f"--device {device}: {folder.path} was begun on {begun.runtime.device}; {mend}")
    return begun.runtime


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
    corpus: TokenisedCorpus
    asked: AskedRecord
    runtime: PretrainingRuntime

    @property
    def task(self) -> PretrainingTask:
        study, tokenizer = self.study, self.corpus.tokenizer
        vocabulary, masking = largest_id(tokenizer) + 1, masking_of(tokenizer)
        return PretrainingTask(study.size, vocabulary, masking, study.max_len, study.tied, study.average)

    @property
    def device(self) -> torch.device:
        return torch.device(self.runtime.device)

    def run(self, on_stage: Callable[[str], None], on_progress: Callable[[PretrainingProgress], None]) -> int:
        """Take the steps that are missing, and return how many had been taken before."""
        keep_freed_memory()
        precision = self.runtime.precision
        if precision is None:
            on_stage("measuring which precision is faster")
            precision = choose_pretraining_precision(
                self.task, self.study.recipe, self.corpus.training, self.device
            )
        on_stage("pretraining")
        model, before = self._pretrained(precision, on_progress)
        weights = with_positions(weights_of(model, self.study.size), self.study.max_len)
        FORMATS[self.study.format].write(self.folder.model, weights, self.corpus.tokenizer)
        self.folder.finish()
        return before

    def _pretrained(
        self, precision: Precision, on_progress: Callable[[PretrainingProgress], None]
    ) -> tuple[Bert, int]:
        """The model, and how many steps had been taken before."""
        study, before = self.study, 0

        def on_start(taken: int) -> None:
            nonlocal before
            before = taken
            self.folder.begin(self._record(precision), taken)

        def on_record(record: dict[str, Any]) -> None:
            self.folder.add(_METRICS.validate_python(record))

        try:
            with held_back() as requests:
                model = pretrain(
                    self.task,
                    study.recipe,
                    study.seed,
                    Backend(self.device, precision),
                    training=self.corpus.training,
                    validation=self.corpus.validation,
                    steps=study.steps,
                    checkpoint=Checkpoint(self.folder.checkpoint, study.checkpoint_seconds),
                    stop=lambda: requests.number is not None,
                    on_start=on_start,
                    on_record=on_record,
                    on_progress=on_progress,
                )
        except DivergedError:
            self.folder.checkpoint.unlink(missing_ok=True)  # resumed from there it would diverge again
            raise
        return model, before

    def _record(self, precision: Precision) -> PretrainingRecord:
        training = self.corpus.training
        return PretrainingRecord(
            name=self.study.name,
            question=self.study.question,
            asked=self.asked,
            runtime=self.runtime.model_copy(update={"precision": precision}),
            format=self.study.format,
            source=self.corpus.source,
            paragraphs=len(training.offsets) - 1,
            sentences=len(training.tokens),
            pairs=training.count(self.study.seed, 1),
            vocabulary=self.task.vocabulary,
            machine=device_name(self.device),
            signature=signature(),
        )
