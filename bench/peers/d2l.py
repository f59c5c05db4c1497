"""d2l 1.0.3 as a contestant: its model, its step, and the data set and head of its chapter on BERT for SNLI.

The chapter (d2l.ai, 'Natural Language Inference: Fine-Tuning BERT') defines its data set and classifier in
its text, not in the package; they are repeated here, built from the package's own parts.
"""

import importlib
import multiprocessing
import sys
from collections.abc import Sequence
from types import ModuleType
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from bench.peers.race import Stepwise
from bench.peers.work import Work, padded
from bench.peers.work import segments as segments_of

NAME = "d2l 1.0.3"
POOL = 4  # processes, as in the chapter
NOT_NEEDED = ("torchvision", "requests", "IPython", "matplotlib_inline")


def _import_d2l() -> Any:
    """The package, with empty modules in place of those that it imports for its other chapters only.

    It pins versions of 2023, so it is installed without its dependencies. The empty modules are removed
    again, because other packages check whether the real ones are installed.
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
    """The chapter's data set: words, truncated from the longer side, as ids padded to ``max_len``, by a pool.

    ids, segments (rows, max_len) int64; valid (rows,) int64, real tokens.
    """

    def __init__(self, sides: Sequence[list[str]], labels: list[int], max_len: int, vocab: Any) -> None:
        words = [d2l.tokenize([text.lower() for text in side]) for side in sides]
        self.labels, self.vocab, self.max_len = torch.tensor(labels), vocab, max_len
        # Every chunk pickles this object, with its vocabulary, as in the chapter.
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
    """trimtab's vocabulary as d2l's Vocab, filled as the chapter fills it from a file."""
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
    net = Head(bert, size.hidden, len(work.classes))
    one = torch.zeros((1, 2), dtype=torch.long)
    net([one, one, torch.tensor([2])])  # lazy layers take their shapes from a first input
    return net


def inputs(work: Work, index: NDArray[np.int64], length: int) -> tuple[list[Tensor], Tensor]:
    """The rows ``index`` of the work's pairs as d2l's model takes them, padded to ``length``; and labels."""
    rows = work.pairs.tokens.take(index)
    arrays = (padded(rows, length, work.pad_id), segments_of(work.pairs, index, length), rows.lengths)
    return [torch.from_numpy(array) for array in arrays], torch.from_numpy(work.pairs.labels[index])


class D2l(Stepwise):
    """d2l's training step on rows padded to max_len; as in its own figures, its data loader is not timed."""

    def __init__(self, work: Work) -> None:
        super().__init__(NAME, work.rows)
        self.work = work
        self.net = classifier(work, work.size.dropout)
        self.optimizer = torch.optim.Adam(self.net.parameters(), lr=work.recipe.learning_rate)
        self.loss = nn.CrossEntropyLoss(reduction="none")

    def prepare(self, index: NDArray[np.int64]) -> tuple[list[Tensor], Tensor]:
        """The padded rows and their labels."""
        return inputs(self.work, index, self.work.max_len)

    def step(self, batch: tuple[list[Tensor], Tensor]) -> None:
        """One call of d2l.train_batch_ch13."""
        d2l.train_batch_ch13(self.net, *batch, self.loss, self.optimizer, [torch.device("cpu")])
