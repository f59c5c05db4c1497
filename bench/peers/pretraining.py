"""Pretraining on WikiText-2: d2l's step against trimtab's, each on the sentence pairs that it makes."""

import argparse
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from bench.peers import page
from bench.peers.d2l import NAME as D2L
from bench.peers.d2l import d2l
from bench.peers.machine import precisions, signed
from bench.peers.packed import NAME as TRIMTAB
from bench.peers.race import WARM, Stepwise, fastest, race, ratio
from bench.peers.work import Batches
from trimtab.data.masking import masking_of
from trimtab.data.paragraphs import Paragraphs, read
from trimtab.data.rows import Rows
from trimtab.run.pretraining import TokenisedCorpus, read_corpus
from trimtab.study.pretraining_definition import Pretraining, load
from trimtab.training.backend import Backend
from trimtab.training.pretraining import Pretrainer, PretrainingTask

NAME = "pretrain-cpu"  # of the files with the results
LEAST, GOAL = 5.0, 10.0  # times as many sentence pairs per second as d2l
CPU = torch.device("cpu")


def run(asked: argparse.Namespace) -> None:
    """Measure and write."""
    found = compare(load(asked.study), asked.data, asked.rounds, asked.steps, precisions(asked.bf16))
    page.write(asked.out, NAME, found | {"signature": signed()}, page.pretraining)


class D2lPretraining(Stepwise):
    """d2l's own step: its data set, its model, its loss, Adam. Stacking a batch is not counted."""

    def __init__(self, text: Paragraphs, study: Pretraining, seed: int) -> None:
        size = study.size
        torch.manual_seed(seed)
        began = time.perf_counter()
        edges = zip(text.offsets[:-1], text.offsets[1:], strict=True)
        self.data = d2l._WikiTextDataset([text.sentences[a:b] for a, b in edges], study.max_len)
        self.prepared_seconds = time.perf_counter() - began
        lengths = np.array([int(length) for length in self.data.valid_lens])
        super().__init__(D2L, Batches(lengths, study.recipe.batch_size))
        self.words = len(self.data.vocab)
        self.net = d2l.BERTModel(
            self.words, size.hidden, size.intermediate, size.heads, size.layers, size.dropout
        )
        one = torch.zeros((1, 2), dtype=torch.long)
        self.net(one, one, torch.tensor([2]), one)  # lazy layers take their shapes from a first input
        self.optimizer = torch.optim.Adam(self.net.parameters(), lr=study.recipe.learning_rate)
        self.loss = nn.CrossEntropyLoss()

    def prepare(self, index: NDArray[np.int64]) -> list[Tensor]:
        """The columns of the data set's rows ``index``."""
        rows = zip(*(self.data[int(row)] for row in index), strict=True)
        return [torch.stack(column) for column in rows]

    def step(self, batch: list[Tensor]) -> None:
        """One step of the chapter's loop."""
        self.optimizer.zero_grad()
        _, _, loss = d2l._get_batch_loss_bert(self.net, self.loss, self.words, *batch)
        loss.backward()
        self.optimizer.step()
        float(loss.detach())


class TrimtabPretraining(Stepwise):
    """trimtab's step. The time to gather and mask a batch is counted."""

    def __init__(self, corpus: TokenisedCorpus, study: Pretraining, precision: str) -> None:
        pairs, vocabulary = corpus.training.pairs(0, 1), corpus.tokenizer.get_vocab_size()
        super().__init__(TRIMTAB, Batches(pairs.tokens.lengths, study.recipe.batch_size), precision)
        task = PretrainingTask(study.size, vocabulary, masking_of(corpus.tokenizer), study.max_len)
        self.trainer = Pretrainer(task, study.recipe, 0, 1_000_000, Backend(CPU, precision))
        self.pairs, self.masks = Rows(pairs, CPU), np.random.default_rng(0)

    def step(self, batch: NDArray[np.int64]) -> None:
        """One step on the sentence pairs ``batch``."""
        self.trainer.step(self.pairs, batch, self.masks).means()


def compare(
    study: Pretraining, data: Path | None, rounds: int, steps: int, precisions: list[str]
) -> dict[str, Any]:
    """Rates of all, the ratio of each of trimtab's precisions to d2l, and how long both prepared the text."""
    theirs = D2lPretraining(read(study.training.reader, "train", data, **study.training.options), study, 0)
    began = time.perf_counter()
    corpus = read_corpus(study, data)
    count = corpus.training.count(0, 1)
    seconds = {"d2l": theirs.prepared_seconds, "trimtab": time.perf_counter() - began}
    ours = [TrimtabPretraining(corpus, study, precision) for precision in precisions]
    peer, *records = race([theirs, *ours], rounds, steps)
    best = ratio(fastest(records), peer)["median"]
    return {
        "work": {
            "size": str(study.size),
            "max_len": study.max_len,
            "batch": study.recipe.batch_size,
            "pairs": {"d2l": len(theirs.data), "trimtab": count},
            "vocabulary": {"d2l": theirs.words, "trimtab": corpus.tokenizer.get_vocab_size()},
        },
        "warm": WARM,
        "prepared_seconds": seconds,
        "contestants": [peer, *records],
        "ratios": [{"precision": each["precision"], "ratio": ratio(each, peer)} for each in records],
        "least": LEAST,
        "goal": GOAL,
        "met": best >= LEAST,
        "goal_met": best >= GOAL,
    }
