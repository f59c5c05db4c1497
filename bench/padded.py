"""A naive trainer to compare with: torch's own encoder layers on rows padded to ``max_len`` and masked."""

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812
from numpy.typing import NDArray
from torch import Tensor, nn

from trimtab.data.pairs import Pairs
from trimtab.model.architecture import Architecture
from trimtab.training.recipe import Recipe


class PaddedClassifier(nn.Module):
    """The same arithmetic as the packed ``Classifier``, for sizes without embedding norm, such as `small`."""

    def __init__(self, size: Architecture, vocabulary: int, classes: int) -> None:
        super().__init__()
        if size.embedding_norm:
            raise ValueError("the padded oracle has no embedding norm")
        self.token = nn.Embedding(vocabulary, size.hidden)
        self.segment = nn.Embedding(2, size.hidden)
        self.position = nn.Embedding(size.positions, size.hidden)
        layer = nn.TransformerEncoderLayer(
            size.hidden,
            size.heads,
            size.intermediate,
            size.dropout,
            size.activation,
            size.epsilon,
            batch_first=True,
        )
        # A nested tensor would remove the padding, whose cost is what the packed model is compared with.
        self.layers = nn.TransformerEncoder(layer, size.layers, enable_nested_tensor=False)
        self.hidden = nn.Linear(size.hidden, size.hidden)
        self.output = nn.Linear(size.hidden, classes)

    def forward(self, tokens: Tensor, segments: Tensor, padding: Tensor) -> Tensor:
        """Logits (rows, classes) of tokens and segments (rows, max_len), padding (rows, max_len) bool."""
        places = torch.arange(tokens.shape[1], device=tokens.device)
        x = self.token(tokens) + self.segment(segments) + self.position(places)
        x = self.layers(x, src_key_padding_mask=padding)
        return self.output(torch.tanh(self.hidden(x[:, 0])))


def pad(pairs: Pairs, index: NDArray[np.integer], max_len: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Tokens, segments and padding (rows, max_len) of the rows of ``index``, and their labels (rows,)."""
    tokens = np.ones((len(index), max_len), np.int64)
    segments = np.zeros((len(index), max_len), np.int64)
    padding = np.ones((len(index), max_len), bool)
    for place, row in enumerate(index):
        ids = pairs.tokens[row]
        tokens[place, : len(ids)] = ids
        segments[place, pairs.first_lengths[row] : len(ids)] = 1
        padding[place, : len(ids)] = False
    arrays = (tokens, segments, padding, pairs.labels[index])
    first, second, third, fourth = map(torch.from_numpy, arrays)
    return first, second, third, fourth


class PaddedTrainer:
    """Training and evaluation as in a textbook: a padded batch, a loss, torch's optimiser."""

    def __init__(
        self, size: Architecture, recipe: Recipe, vocabulary: int, classes: int, pairs: Pairs, max_len: int
    ) -> None:
        self.pairs, self.max_len, self.recipe = pairs, max_len, recipe
        self.model = PaddedClassifier(size, vocabulary, classes)
        self.optimizer = torch.optim.AdamW(self.model.parameters(), recipe.learning_rate)

    def step(self, index: NDArray[np.integer]) -> float:
        """One step on the rows of ``index``; their mean loss."""
        self.model.train()
        *inputs, labels = pad(self.pairs, index, self.max_len)
        self.optimizer.zero_grad()
        loss = F.cross_entropy(self.model(*inputs), labels)
        loss.backward()
        nn.utils.clip_grad_norm_(self.model.parameters(), self.recipe.clip)
        self.optimizer.step()
        return loss.item()

    def predict(self, index: NDArray[np.integer]) -> NDArray[np.float32]:
        """Logits (rows, classes) of the rows of ``index``, without dropout."""
        self.model.eval()
        with torch.no_grad():
            parts = np.array_split(index, -(-len(index) // 64))
            logits = [self.model(*pad(self.pairs, part, self.max_len)[:3]) for part in parts]
        return torch.cat(logits).numpy()
