"""Fine-tuning on SNLI: d2l's tutorial, transformers' Trainer and trimtab, on the rows of one table."""

import argparse
from dataclasses import replace
from pathlib import Path
from typing import Any

from tokenizers.pre_tokenizers import BertPreTokenizer

from bench.peers import page
from bench.peers.curve import loss_curve
from bench.peers.d2l import D2l
from bench.peers.machine import has_amx, precisions, signed
from bench.peers.packed import Packed
from bench.peers.preparation import preparation
from bench.peers.race import WARM, Contestant, fastest, judged, race
from bench.peers.trainer import TrainerContestant, trainer_contestants
from bench.peers.work import Work, packed, some_rows
from trimtab.config import InputError
from trimtab.data import Examples, read
from trimtab.data.tokenizer import build
from trimtab.model.sizes import D2L, architecture
from trimtab.training.recipe import Recipe

NAME = "peers-cpu"  # of the files with the results
LABELS = ["entailment", "contradiction", "neutral"]
MAX_LEN = 128
# By whether the processor has AMX for bf16: times d2l's step, times the best setting of the Trainer.
LIMITS = {True: (25.0, 4.0), False: (10.0, 2.0)}
PACE = 5  # trimtab's steps are short
_COLUMNS = {"first": "sentence1", "second": "sentence2", "label": "gold_label"}


def run(asked: argparse.Namespace) -> None:
    """Measure the parts that are asked for; the others stay in the files as they are."""
    work = load(asked.data, rows=asked.rows, size=asked.size, vocabulary=asked.vocabulary, batch=asked.batch)
    default = not (asked.training or asked.preparation or asked.loss_curve)
    found: dict[str, Any] = {}
    if asked.preparation or default:  # first: d2l's pool is forked from a process that is still small
        found["preparation"] = preparation(work, asked.rounds)
    if asked.training or default:
        found["training"] = training(work, asked.rounds, asked.steps, precisions(asked.bf16))
    if asked.loss_curve:
        found["loss_curve"] = loss_curve(work, asked.curve_steps, asked.curve_batch)
    signature = signed()
    found = {name: part | {"signature": signature} for name, part in found.items()}
    page.write(asked.out, NAME, page.written(asked.out, NAME) | found, page.snli)


def training(work: Work, rounds: int, steps: int, precisions: list[str]) -> dict[str, Any]:
    """Rates of all, and the ratios of trimtab's faster precision to each peer, with the limits."""
    d2l, trainers, ours = contestants(work, precisions)
    records = race([d2l, *trainers, *ours], rounds, steps)
    best = fastest(records[-len(ours) :])
    first, *others = records[: -len(ours)]
    limits = dict(zip((id(first), id(fastest(others))), LIMITS[has_amx()], strict=True))
    ratios = [judged(best, peer, limits.get(id(peer))) for peer in (first, *others)]
    return {"work": work.describe(), "warm": WARM, "contestants": records, "ratios": ratios}


def contestants(
    work: Work, precisions: list[str]
) -> tuple[Contestant, list[TrainerContestant], list[Packed]]:
    """d2l's step; the Trainer by composition of batches and precision; trimtab by precision."""
    trainers = trainer_contestants(work, precisions)
    return D2l(work), trainers, [Packed(work, precision, pace=PACE) for precision in precisions]


def load(data: Path | None, *, rows: int | None, size: str, vocabulary: int, batch: int) -> Work:
    """``rows`` (None: all) of snli/train_27k.tsv below ``data``, else TRIMTAB_DATA, tokenised.

    The texts are split into words beforehand, as the parses that d2l reads are, so that all do the same
    work, and every word is in the vocabulary. ``size`` gets d2l's activation and norms; Adam has the
    tutorial's constant rate, and gradients are not clipped. InputError where the file is missing or wrong,
    the rows are fewer than the batch, or the words more than ``vocabulary``.
    """
    examples = read("table", "train", data, file="snli/train_27k.tsv", **_COLUMNS, labels=LABELS)
    examples = _in_words(some_rows(examples, rows, batch))
    tokenizer = build("whitespace", [*examples.first, *(examples.second or [])], min_freq=1)
    words = tokenizer.get_vocab_size()
    if words > vocabulary:
        raise InputError(f"--vocabulary: {vocabulary} is less than the {words} words in use; raise it")
    return Work(
        examples=examples,
        tokenizer=tokenizer,
        pairs=packed(examples, tokenizer, MAX_LEN),
        max_len=MAX_LEN,
        size=architecture(size, **D2L),
        recipe=Recipe(
            batch_size=batch, optimizer="adam", learning_rate=1e-4, schedule="constant", warmup=0, clip=0
        ),
        vocabulary=vocabulary,
        classes=tuple(LABELS),
        pad="<pad>",
    )


def _in_words(examples: Examples) -> Examples:
    splitter = BertPreTokenizer()

    def words(texts: list[str]) -> list[str]:
        return [" ".join(word for word, _ in splitter.pre_tokenize_str(text)) for text in texts]

    return replace(examples, first=words(examples.first), second=words(examples.second or []))
