"""Training from pretrained tensors, and what its recipe adds, against plain torch on the whole model."""

from dataclasses import replace

import numpy as np
import pytest
import torch
import torch.nn.functional as F  # noqa: N812

from trimtab.config import InputError
from trimtab.data.batches import make_batch, training_batches
from trimtab.model.classifier import Classifier
from trimtab.model.heads import Bert, Parts
from trimtab.model.initial_weights import copy_into, fingerprint, initial_weights, read, save
from trimtab.model.initialise import initialise
from trimtab.model.sizes import architecture
from trimtab.model.weights import weights_of
from trimtab.training.backend import Backend
from trimtab.training.optimizer import Schedule
from trimtab.training.recipe import Recipe
from trimtab.training.trainer import Trainer

CPU = Backend(torch.device("cpu"), "fp32")
SIZE = architecture("3x64/64/1", dropout=0.0)
VOCABULARY = 90  # the random pairs have at most 35 of these ids
RECIPE = Recipe(
    epochs=3, batch_size=8, learning_rate=1e-2, weight_decay=0.3, warmup=0.2, clip=0.5, precision="fp32"
)


def pretrained(seed=5, pooler=True, segments=2, vocabulary=VOCABULARY):
    """Weights with both heads of pretraining, every number random."""
    size = replace(SIZE, segments=segments)
    parts = Parts(size, vocabulary, pooler, masked_words=True, tied=True, next_sentence=pooler)
    with torch.random.fork_rng([]):
        torch.manual_seed(seed)
        model = Bert(parts)
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.add_(0.05 * torch.randn(parameter.shape))
    return weights_of(model, size)


def scratch(seed=0):
    model = Classifier(SIZE, VOCABULARY, 3)
    initialise(model, seed, SIZE.initial_deviation)
    return model


def steps(pairs):
    return [index for epoch in range(1, 4) for index in training_batches(pairs, 8, 0, epoch)]


def trained(pairs, recipe, start=None):
    trainer = Trainer(
        SIZE, recipe, 0, CPU, vocabulary=VOCABULARY, classes=3, training=pairs, initial_weights=start
    )
    for index in steps(pairs):
        trainer.step(index)
    return trainer.finish().state_dict()


# The naive loop: a group a parameter, its rate and decay by its name.


def naive_factor(name, decay):
    if name.startswith("encoder.embeddings"):
        return decay**4
    for layer in range(3):
        if name.startswith(f"encoder.layers.{layer}."):
            return decay ** (3 - layer)
    return 1.0


def naive(pairs, recipe, model, frozen=()):
    groups = []
    for name, parameter in model.named_parameters():
        if name.startswith(frozen or ("-",)):
            parameter.requires_grad_(False)
            continue
        decays = recipe.weight_decay if recipe.optimizer == "adamw" and parameter.dim() > 1 else 0.0
        factor = naive_factor(name, recipe.layer_decay)
        groups.append({"params": [parameter], "weight_decay": decays, "factor": factor})
    kind = torch.optim.AdamW if recipe.optimizer == "adamw" else torch.optim.Adam
    optimizer = kind(groups, lr=0.0, foreach=False, fused=False)
    number, warm = recipe.steps(len(pairs)), round(recipe.warmup * recipe.steps(len(pairs)))
    for step, index in enumerate(steps(pairs)):
        share = (step + 1) / warm if step < warm else (number - step) / (number - warm)
        for group in optimizer.param_groups:
            group["lr"] = recipe.learning_rate * share * group["factor"]
        optimizer.zero_grad()
        batch = make_batch(pairs, index, CPU.device)
        F.cross_entropy(model(batch), batch.labels).backward()
        torch.nn.utils.clip_grad_norm_([p for p in model.parameters() if p.requires_grad], recipe.clip)
        optimizer.step()
    return model.state_dict()


def assert_close(made, expected):
    """Keys' biases apart: attention does not depend on them, so that Adam follows the noise of rounding."""
    assert made.keys() == expected.keys()
    for name, tensor in expected.items():
        both = [tensor, made[name]]
        if name.endswith("qkv.bias"):
            both = [torch.cat([one[:64], one[128:]]) for one in both]
        torch.testing.assert_close(*both, rtol=2e-3, atol=3e-4, msg=lambda m, n=name: f"{n}: {m}")


@pytest.mark.parametrize("optimizer", ["adam", "adamw"])
def test_layer_decay_is_that_of_a_group_for_each_depth(optimizer, random_pairs):
    decay = 0.6
    pairs, recipe = random_pairs(2, 30), replace(RECIPE, optimizer=optimizer, layer_decay=decay)
    start = initial_weights(pretrained(), VOCABULARY)
    model = scratch()
    copy_into(model, start)
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    expected = naive(pairs, recipe, model)
    made = trained(pairs, recipe, start)
    assert_close(made, expected)
    # A word that no text has shrinks at the embeddings' own rate, and Adam leaves it alone.
    table, unused = "encoder.embeddings.token.weight", VOCABULARY - 1
    shrunk = (made[table][unused] / before[table][unused]).mean().item()
    rates = [0.01 * decay**4 * share for share in schedule(recipe, len(pairs))]
    wanted = np.prod([1 - rate * 0.3 for rate in rates]) if optimizer == "adamw" else 1.0
    assert shrunk == pytest.approx(wanted, rel=1e-4)


def schedule(recipe, rows):
    number = recipe.steps(rows)
    warm = round(recipe.warmup * number)
    return [(k + 1) / warm if k < warm else (number - k) / (number - warm) for k in range(number)]


def test_layer_decay_changes_how_far_each_layer_moves(random_pairs):
    pairs, start = random_pairs(2, 30), initial_weights(pretrained(), VOCABULARY)
    moved = {}
    for decay in (1.0, 0.1):
        made = trained(pairs, replace(RECIPE, layer_decay=decay, weight_decay=0.0), start)
        moved[decay] = {n: (made[n] - start[n]).abs().mean().item() for n in start}
    for name, factor in (("encoder.layers.2.ffn_in.weight", 10), ("encoder.layers.1.ffn_in.weight", 100)):
        assert moved[1.0][name] / moved[0.1][name] == pytest.approx(factor, rel=0.5)


FROZEN = {
    "embeddings": ("encoder.embeddings.",),
    1: ("encoder.embeddings.", "encoder.layers.0."),
    3: ("encoder.",),
}


@pytest.mark.parametrize(("frozen", "optimizer"), [("embeddings", "adamw"), (1, "adamw"), (3, "adam")])
def test_what_is_frozen_neither_moves_nor_decays(frozen, optimizer, random_pairs):
    pairs, recipe = random_pairs(2, 30), replace(RECIPE, optimizer=optimizer, frozen=frozen)
    start, model = initial_weights(pretrained(), VOCABULARY), scratch()
    copy_into(model, start)
    expected = naive(pairs, recipe, model, FROZEN[frozen])
    made = trained(pairs, recipe, start)
    assert_close(made, expected)
    for name, tensor in made.items():
        if name in start:
            assert torch.equal(tensor, start[name]) == name.startswith(FROZEN[frozen]), name


@pytest.mark.parametrize("number", [0, 1, 3])
def test_reinitialised_layers_are_those_of_training_from_scratch(number, random_pairs):
    pairs, start, plain = (
        random_pairs(2, 30),
        initial_weights(pretrained(), VOCABULARY),
        scratch().state_dict(),
    )
    recipe = replace(RECIPE, reinitialise=number)
    trainer = Trainer(
        SIZE, recipe, 0, CPU, vocabulary=VOCABULARY, classes=3, training=pairs, initial_weights=start
    )
    begun = {name: tensor.clone() for name, tensor in trainer.finish().state_dict().items()}
    for name, tensor in begun.items():
        layer = int(name.split(".")[2]) if ".layers." in name else -1
        random = name.startswith("output.") or layer >= 3 - number or (number and name.startswith("pooler."))
        assert torch.equal(tensor, plain[name] if random else start[name]), name
    if number == 1:
        model = scratch()
        model.load_state_dict(begun)
        assert_close(trained(pairs, recipe, start), naive(pairs, recipe, model))


def test_the_same_training_gives_the_same_bits(random_pairs):
    pairs, start = random_pairs(2, 30), initial_weights(pretrained(), VOCABULARY)
    for recipe in (
        replace(RECIPE, frozen="embeddings", reinitialise=1),
        replace(RECIPE, frozen=1, layer_decay=0.5, micro_batch=3),
    ):
        one, other = (trained(pairs, recipe, start) for _ in range(2))
        assert all(torch.equal(one[name], other[name]) for name in one)


def test_dropout_goes_on_in_what_is_frozen(random_pairs):
    pairs, size = random_pairs(2, 30), replace(SIZE, dropout=0.5)
    losses = []
    for _ in range(2):
        recipe = replace(RECIPE, frozen=3, learning_rate=1e-12)
        trainer = Trainer(size, recipe, 0, CPU, vocabulary=VOCABULARY, classes=3, training=pairs)
        losses.append([float(trainer.step(np.arange(30))[0]) for _ in range(2)])
    assert losses[0] == losses[1]
    assert losses[0][0] != losses[0][1]


# What is taken over.


def test_heads_are_left_and_tables_fit():
    weights = pretrained(vocabulary=96)
    start = initial_weights(weights, VOCABULARY)
    assert {name.split(".")[0] for name in start} == {"encoder", "pooler"}
    assert len(start["encoder.embeddings.token.weight"]) == VOCABULARY
    model = scratch()
    copy_into(model, start)
    for name, tensor in start.items():
        assert torch.equal(model.state_dict()[name], weights.tensors[name][: len(tensor)])
    assert torch.equal(model.output.weight, scratch().output.weight)


def test_without_a_pooler_or_a_second_segment_these_are_random():
    start = initial_weights(pretrained(pooler=False, segments=1), VOCABULARY)
    assert not any(name.startswith("pooler.") for name in start)
    model, plain = scratch(), scratch()
    copy_into(model, start)
    segment = model.encoder.embeddings.segment.weight
    assert torch.equal(model.pooler.weight, plain.pooler.weight)
    assert torch.equal(segment[0], start["encoder.embeddings.segment.weight"][0])
    assert torch.equal(segment[1], plain.encoder.embeddings.segment.weight[1])


def test_tensors_of_another_size_are_refused():
    start = initial_weights(pretrained(), VOCABULARY)
    with pytest.raises(ValueError, match=r"encoder\.layers\.0\.ffn_out\.weight has shape"):
        copy_into(scratch(), start | {"encoder.layers.0.ffn_out.weight": torch.zeros(64, 1)})


def test_a_fingerprint_is_of_names_shapes_and_numbers():
    start = initial_weights(pretrained(), VOCABULARY)
    assert fingerprint(start) == fingerprint(dict(reversed(start.items())))
    name = "encoder.layers.1.qkv.bias"
    nudged = start[name].clone()
    nudged[3] = torch.nextafter(nudged[3], torch.tensor(9.0))
    others = [
        start | {name: nudged},
        start | {name: start[name][None]},
        {key: value for key, value in start.items() if key != name},
        {("x" if key == name else key): value for key, value in start.items()},
    ]
    assert len({fingerprint(start), *map(fingerprint, others)}) == 5


def test_what_is_kept_is_whole_or_written_again(tmp_path):
    start = initial_weights(pretrained(), VOCABULARY)
    name, file = save(start, tmp_path / "weights")
    assert file.name == f"{name}.safetensors"
    written = file.stat().st_mtime_ns
    assert save(start, tmp_path / "weights") == (name, file)
    assert file.stat().st_mtime_ns == written
    again = read(file)
    assert again.keys() == start.keys()
    assert all(torch.equal(again[key], start[key]) for key in start)
    whole = file.read_bytes()
    for damaged in (whole[:-4], whole[:-4] + b"\0\0\1\0", b""):
        file.write_bytes(damaged)
        with pytest.raises((RuntimeError, InputError)):
            read(file)
        save(start, tmp_path / "weights")
        assert read(file).keys() == start.keys()


# On CUDA rates are tensors that a captured step reads.


def test_rates_are_filled_in_place_each_with_its_factor():
    parameters = [torch.nn.Parameter(torch.zeros(1)) for _ in range(2)]
    groups = [
        {"params": [one], "lr": torch.tensor(0.0), "factor": factor}
        for one, factor in zip(parameters, (0.25, 1.0), strict=True)
    ]
    optimizer = torch.optim.SGD(groups, lr=0.1)
    tensors = [group["lr"] for group in optimizer.param_groups]
    made, expected = Schedule(optimizer, RECIPE, 10), []
    for taken_steps in range(10):
        share = (taken_steps + 1) / 2 if taken_steps < 2 else (10 - taken_steps) / 8
        expected = [0.25 * 0.01 * share, 0.01 * share]
        assert [tensor.item() for tensor in tensors] == pytest.approx(expected)
        assert [made.rate_of(one) for one in parameters] == pytest.approx(expected)
        made.step()
    assert made.rate_of(torch.nn.Parameter(torch.zeros(1))) == 0.0


gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")


@pytest.mark.gpu
@gpu
@pytest.mark.parametrize("settings", [{"layer_decay": 0.5}, {"frozen": "embeddings"}, {"frozen": 1}])
def test_captured_steps_start_and_train_like_eager_ones(settings, random_pairs):
    pairs, start = random_pairs(2, 400), initial_weights(pretrained(), VOCABULARY)
    recipe, made = replace(RECIPE, batch_size=20, **settings), {}
    for graphs in (True, False):
        backend = Backend(torch.device("cuda"), "bf16", graphs=graphs)
        shape = {"vocabulary": VOCABULARY, "classes": 3, "training": pairs, "initial_weights": start}
        trainer = Trainer(SIZE, recipe, 0, backend, **shape)
        losses = [trainer.step(np.arange(k, k + 20))[0] for k in range(0, 400, 20)]
        assert not graphs or trainer.graphs.captured
        model = {name: tensor.cpu() for name, tensor in trainer.finish().state_dict().items()}
        made[graphs] = torch.stack(losses).cpu(), model
        for name in start:
            if name.startswith(FROZEN.get(recipe.frozen, "-")):
                assert torch.equal(model[name], start[name]), name
    torch.testing.assert_close(made[True][0], made[False][0], rtol=0.02, atol=0.02)
