import pytest
import torch

from trimtab.model.classifier import Classifier
from trimtab.model.initialise import generator_of, initialise
from trimtab.model.sizes import architecture


def start(size="2x32/64/2", *, vocabulary=40, classes=3, seed=0, deviation=0.02, **settings):
    """The initial weights of a model by name."""
    model = Classifier(architecture(size, **settings), vocabulary, classes)
    initialise(model, seed, deviation)
    return model.state_dict()


def test_weights_are_normal_biases_zero_norms_one():
    weights = start("2x64/128/2", vocabulary=500, deviation=0.05)
    for name, tensor in weights.items():
        if tensor.dim() > 1:
            spread = 0.05 / tensor.numel() ** 0.5
            assert abs(tensor.mean()) < 4.5 * spread, name
            assert abs(tensor.std() - 0.05) < 4.5 * spread, name
        else:
            assert torch.all(tensor == (0.0 if name.endswith("bias") else 1.0)), name
    assert weights["encoder.embeddings.norm.weight"].eq(1).all()


def test_the_seed_fixes_every_tensor_whatever_the_global_state():
    torch.manual_seed(1)
    one = start(seed=0)
    torch.manual_seed(2)
    two, other = start(seed=0), start(seed=1)
    for name, tensor in one.items():
        assert torch.equal(tensor, two[name])
        assert tensor.dim() == 1 or not torch.equal(tensor, other[name])


def test_no_two_tensors_start_alike():
    starts = [tensor.flatten()[:50].tolist() for tensor in start().values() if tensor.dim() > 1]
    assert len(set(map(tuple, starts))) == len(starts)


@pytest.mark.parametrize(
    "change",
    [
        {"size": "4x32/64/2"},
        {"classes": 5},
        {"embedding_norm": False},
        {"vocabulary": 77},
        {"positions": 64},
        {"size": "2x32/64/4"},
        {"size": "2x32/48/2"},
    ],
    ids=str,
)
def test_a_tensor_starts_alike_whatever_the_others_are(change):
    one, two = start(), start(**change)
    common = [name for name in one if name in two and one[name].shape == two[name].shape]
    assert len(common) >= len(one) - 6
    for name in common:
        assert torch.equal(one[name], two[name]), name


@pytest.mark.parametrize(("name", "change"), [("token", {"vocabulary": 77}), ("position", {"positions": 64})])
def test_a_longer_table_begins_as_the_shorter(name, change):
    key = f"encoder.embeddings.{name}.weight"
    tables = sorted([start()[key], start(**change)[key]], key=len)
    assert len(tables[0]) < len(tables[1])
    assert torch.equal(tables[0], tables[1][: len(tables[0])])


@pytest.mark.parametrize(
    ("name", "stream"),
    [
        ("encoder.layers.1.qkv.weight", "encoder.layers.1.mix.weight"),
        ("encoder.layers.0.ffn_in.weight", "encoder.layers.0.widen.weight"),
        ("encoder.layers.0.ffn_out.weight", "encoder.layers.0.narrow.weight"),
        ("pooler.weight", "hidden.weight"),
        ("output.weight", "output.weight"),
    ],
)
def test_a_renamed_module_keeps_the_stream_of_its_first_name(name, stream):
    drawn = start(seed=3)[name]
    assert torch.equal(drawn, torch.empty_like(drawn).normal_(0.0, 0.02, generator=generator_of(3, stream)))


def test_generators_depend_on_seed_and_name_alone():
    draws = {
        (seed, name): torch.rand(3, generator=generator_of(seed, name)) for seed in (0, 1) for name in "ab"
    }
    assert len({tuple(draw.tolist()) for draw in draws.values()}) == 4
    assert torch.equal(draws[0, "a"], torch.rand(3, generator=generator_of(0, "a")))
