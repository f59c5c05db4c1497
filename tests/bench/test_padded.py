"""The padded oracle of the training guards computes the same as the packed model."""

import numpy as np
import pytest
import torch

from bench.padded import PaddedTrainer
from trimtab.data.batches import make_batch
from trimtab.model.classifier import Classifier
from trimtab.model.initialise import initialise
from trimtab.model.sizes import architecture
from trimtab.training.recipe import Recipe

SIZE = architecture("2x32/64/2", activation="relu", embedding_norm=False, epsilon=1e-5)
LAYER = {
    "qkv.weight": "self_attn.in_proj_weight",
    "qkv.bias": "self_attn.in_proj_bias",
    "attention_out.": "self_attn.out_proj.",
    "attention_norm.": "norm1.",
    "ffn_in.": "linear1.",
    "ffn_out.": "linear2.",
    "output_norm.": "norm2.",
    "pooler.": "hidden.",
}


def name_in_padded(name):
    name = name.removeprefix("encoder.").removeprefix("embeddings.").replace("layers.", "layers.layers.")
    for ours, theirs in LAYER.items():
        name = name.replace(ours, theirs)
    return name


@pytest.fixture
def model():
    """A packed model in evaluation mode."""
    made = Classifier(SIZE, 40, 3)
    initialise(made, 0, 0.3)
    return made.eval()


def test_the_padded_oracle_gives_the_packed_model_s_logits(model, random_pairs):
    pairs = random_pairs(0, 100)
    oracle = PaddedTrainer(SIZE, Recipe(), 40, 3, pairs, 40)
    oracle.model.load_state_dict({name_in_padded(name): w for name, w in model.state_dict().items()})
    index = np.argsort(pairs.tokens.lengths, kind="stable")  # as a batch sorts them
    with torch.no_grad():
        packed = model(make_batch(pairs, index, torch.device("cpu"))).numpy()
    np.testing.assert_allclose(oracle.predict(index), packed, atol=1e-5)


@pytest.mark.integration
def test_its_steps_lower_the_loss(random_pairs):
    torch.manual_seed(0)  # some starts do not learn at 1e-2
    oracle = PaddedTrainer(SIZE, Recipe(learning_rate=3e-3), 40, 3, random_pairs(0, 100), 40)
    losses = [oracle.step(np.arange(32)) for _ in range(40)]
    assert np.mean(losses[-5:]) < np.mean(losses[:5]) / 2


def test_it_refuses_a_size_that_it_cannot_compute(random_pairs):
    with pytest.raises(ValueError, match="embedding norm"):
        PaddedTrainer(architecture("tiny"), Recipe(), 40, 3, random_pairs(0, 10), 40)
