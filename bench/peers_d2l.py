"""d2l 1.0.3 as a peer: its model, its step, and the data set and head of its chapter on BERT for SNLI.

The chapter (d2l.ai, 'Natural Language Inference: Fine-Tuning BERT') defines its data set and classifier in
its text, not in the package; they are restated here on the package's own parts, step for step.
"""

import importlib
import multiprocessing
import sys
import time
from collections.abc import Sequence
from types import ModuleType
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from peers_race import Step
from peers_work import LABELS, MAX_LEN, Work, padded

POOL = 4  # processes, as in the chapter
NOT_NEEDED = ("torchvision", "requests", "IPython", "matplotlib_inline")


def _import_d2l() -> Any:
    """The package, with empty modules for what it imports and only its other chapters use.

    It pins versions of 2023, so it is installed without its dependencies. The empty modules are taken away
    again, as others ask whether the real ones are there.
    """
    parts = {"torchvision": "transforms", "IPython": "display", "matplotlib_inline": "backend_inline"}
    stand_ins = {}
    for name in NOT_NEEDED:
        if name not in sys.modules:
            stand_ins[name] = sys.modules[name] = ModuleType(name)
            if name in parts:
                setattr(stand_ins[name], parts[name], ModuleType(parts[name]))
    try:
        return importlib.import_module("d2l.torch")
    finally:
        for name in stand_ins:
            del sys.modules[name]


d2l = _import_d2l()


class Rows(torch.utils.data.Dataset[Any]):
    """The chapter's data set: words, cut from the longer side, ids, padded to ``max_len``, by a pool.

    ids, segments (rows, max_len) int64; valid (rows,) int64, real tokens.
    """

    def __init__(self, sides: Sequence[list[str]], labels: list[int], max_len: int, vocab: Any) -> None:
        words = [d2l.tokenize([text.lower() for text in side]) for side in sides]
        self.labels, self.vocab, self.max_len = torch.tensor(labels), vocab, max_len
        # The workers get this object with every chunk, vocabulary and all, as in the chapter.
        with multiprocessing.Pool(POOL) as pool:
            made = pool.map(self._row, list(zip(*words, strict=True)))
        ids, segments, valid = zip(*made, strict=True)
        self.ids, self.segments, self.valid = torch.tensor(ids), torch.tensor(segments), torch.tensor(valid)

    def _row(self, pair: tuple[list[str], list[str]]) -> tuple[list[int], list[int], int]:
        first, second = pair
        while len(first) + len(second) > self.max_len - 3:
            (first if len(first) > len(second) else second).pop()
        tokens, segments = d2l.get_tokens_and_segments(first, second)
        missing = self.max_len - len(tokens)
        ids = self.vocab[tokens] + [self.vocab["<pad>"]] * missing
        return ids, segments + [0] * missing, len(tokens)

    def __len__(self) -> int:
        return len(self.ids)

    def __getitem__(self, index: Any) -> tuple[list[Tensor], Tensor]:
        return [self.ids[index], self.segments[index], self.valid[index]], self.labels[index]


class Head(nn.Module):
    """The chapter's classifier on BERTModel's encoder and hidden layer: [ids, segments, valid] -> logits."""

    def __init__(self, bert: Any, hidden: int, classes: int) -> None:
        super().__init__()
        self.encoder, self.hidden, self.output = bert.encoder, bert.hidden, nn.Linear(hidden, classes)

    def forward(self, inputs: list[Tensor]) -> Tensor:
        """Logits (rows, classes) from the representation of each row's first token."""
        logits: Tensor = self.output(self.hidden(self.encoder(*inputs)[:, 0, :]))
        return logits


def vocabulary(work: Work) -> Any:
    """trimtab's words as d2l's Vocab, filled as the chapter fills it from a file."""
    vocab = d2l.Vocab()
    vocab.token_to_idx = work.tokenizer.get_vocab()
    vocab.idx_to_token = sorted(vocab.token_to_idx, key=vocab.token_to_idx.__getitem__)
    return vocab


def classifier(work: Work, dropout: float) -> Head:
    """d2l's BERTModel of the work's size, with the chapter's head; all its layers have their weights."""
    size = work.size
    bert = d2l.BERTModel(
        work.vocabulary, size.hidden, size.intermediate, size.heads, size.layers, dropout, size.positions
    )
    net = Head(bert, size.hidden, len(LABELS))
    one = torch.zeros((1, 2), dtype=torch.long)
    net([one, one, torch.tensor([2])])  # lazy layers take their shapes from a first input
    return net


def inputs(work: Work, index: NDArray[np.int64], length: int) -> tuple[list[Tensor], Tensor]:
    """The rows of the work's pairs as d2l's model takes them, padded to ``length``, and their labels."""
    rows = work.pairs.tokens.take(index)
    ids = padded(rows, length, work.pad)
    place = np.arange(length)
    first = work.pairs.first_lengths[index][:, None]
    segments = (place >= first) & (place < rows.lengths[:, None])
    arrays = (ids, segments.astype(np.int64), rows.lengths)
    return [torch.from_numpy(array) for array in arrays], torch.from_numpy(work.pairs.labels[index])


class Contestant:
    """d2l's training step on rows padded to 128; what its data loader takes is not counted, as in its own."""

    name, precision, batches = "d2l 1.0.3", "fp32", "random"

    def __init__(self, work: Work) -> None:
        self.work = work
        self.net = classifier(work, work.size.dropout)
        self.optimizer = torch.optim.Adam(self.net.parameters(), lr=work.recipe.learning_rate)
        self.loss = nn.CrossEntropyLoss(reduction="none")

    def run(self, steps: int, seed: int) -> list[Step]:
        """``steps`` steps of d2l.train_batch_ch13, each with its time."""
        return [self._step(index) for index in self.work.batches(steps, seed)]

    def _step(self, index: NDArray[np.int64]) -> Step:
        X, y = inputs(self.work, index, MAX_LEN)  # noqa: N806  (d2l's names)
        began = time.perf_counter()
        d2l.train_batch_ch13(self.net, X, y, self.loss, self.optimizer, [torch.device("cpu")])
        return Step(time.perf_counter() - began, len(index), self.work.tokens(index))
