"""Losses of packed training beside those of d2l's padded model: same weights and batches, no dropout."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812
from numpy.typing import NDArray
from torch import Tensor

from bench.peers.d2l import Head, classifier, inputs
from bench.peers.packed import SEED, trainer
from bench.peers.work import Work
from trimtab.model.classifier import Classifier
from trimtab.model.initialise import initialise

ROUNDING = 1e-6  # of a mean loss near 1 in fp32: eight units in its last place


def loss_curve(work: Work, steps: int, batch: int) -> dict[str, Any]:
    """Losses of packed and padded training on batches of ``batch`` rows, and how far they are apart."""
    work = replace(work, recipe=replace(work.recipe, batch_size=min(batch, len(work.pairs))))
    return {"batch": work.recipe.batch_size, "size": str(work.size)} | curves(work, steps)


def curves(work: Work, steps: int) -> dict[str, Any]:
    """Losses of ``steps`` steps in fp32, packed and padded, and how far they are apart.

    ``noise`` is how far the padded model is from itself with the rows of each batch in another order, which
    changes only the rounding of sums: Adam and ReLU amplify small differences over the steps.
    """
    batches = work.rows.draw(steps, seed=0)
    shuffled = [np.random.default_rng(0).permutation(index) for index in batches]
    packed = trainer(work, replace(work.size, dropout=0.0), "fp32")
    reference, control = padded_copy(work), padded_copy(work)
    curve = np.array([float(packed.step(index)[0]) for index in batches])
    padded = np.array(list(padded_losses(work, reference, batches)))
    again = np.array(list(padded_losses(work, control, shuffled)))
    return {
        "steps": steps,
        "rounding": ROUNDING,
        "apart": {"packed and padded": _apart(curve, padded), "noise": _apart(again, padded)},
        "packed": curve.tolist(),
        "padded": padded.tolist(),
        "padded, rows in another order": again.tolist(),
    }


def _apart(curve: NDArray[np.float64], other: NDArray[np.float64]) -> dict[str, float]:
    """The largest distance of two curves, and for how many steps it stays within ROUNDING."""
    differences = np.abs(curve - other)
    together = (np.append(differences, np.inf) > ROUNDING).argmax()
    return {"largest": float(differences.max()), "steps_together": int(together)}


def padded_losses(work: Work, net: Head, batches: list[NDArray[np.int64]]) -> Iterator[float]:
    """The mean loss of each batch, padded to its longest row, while Adam trains ``net`` on them."""
    optimizer = torch.optim.Adam(net.parameters(), lr=work.recipe.learning_rate)
    for index in batches:
        features, labels = inputs(work, index, int(work.pairs.tokens.lengths[index].max()))
        loss = F.cross_entropy(net(features), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        yield float(loss.detach())


def padded_copy(work: Work) -> Head:
    """d2l's padded model, without dropout, with the initial weights of trimtab's trainer."""
    model = Classifier(work.size, work.vocabulary, len(work.classes))
    initialise(model, SEED, work.size.initial_deviation)
    net = classifier(work, dropout=0.0)
    net.load_state_dict(d2l_names(model.state_dict()))
    return net


def d2l_names(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    """trimtab's weights under the names and in the shapes of d2l's."""
    named: dict[str, Tensor] = {}
    for name, tensor in weights.items():
        *above, part, kind = name.split(".")
        place = f"encoder.blks.{above[-1]}." if "layers" in above else ""
        if part == "qkv":
            for letter, third in zip("qkv", tensor.chunk(3), strict=True):
                named[f"{place}attention.W_{letter}.{kind}"] = third
        elif part == "position":
            named["encoder.pos_embedding"] = tensor[None]
        else:
            named[f"{place}{_PARTS[part]}.{kind}"] = tensor
    return {name: tensor.clone() for name, tensor in named.items()}


_PARTS = {
    "token": "encoder.token_embedding",
    "segment": "encoder.segment_embedding",
    "attention_out": "attention.W_o",
    "attention_norm": "addnorm1.ln",
    "ffn_in": "ffn.dense1",
    "ffn_out": "ffn.dense2",
    "output_norm": "addnorm2.ln",
    "pooler": "hidden.0",
    "output": "output",
}
