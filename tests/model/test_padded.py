"""The door to transformers: what a padded classifier computes, begins with and reads is transformers' own."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

import small_models
from trimtab.config import InputError
from trimtab.data.batches import make_batch
from trimtab.model import encode, load
from trimtab.model.building import begun, weights_of_trial
from trimtab.model.formats import FORMATS
from trimtab.model.initial_weights import initial_weights
from trimtab.model.loading import read
from trimtab.model.padded import PaddedClassifier
from trimtab.model.sizes import architecture

transformers = pytest.importorskip("transformers", reason="needs pip install 'trimtab[peers]'")

CPU = torch.device("cpu")
VOCABULARY = len(small_models.words().get_vocab())
WITHOUT_PACKED_FORM = ("deberta-v2", "gpt2")


@pytest.fixture
def folder(tmp_path):
    """folder(kind, ...): a new folder with a small model that transformers has written."""

    def make(kind, name="m", **settings):
        return small_models.written(tmp_path / name, kind, **settings)

    return make


def own_logits(model, pairs):
    """transformers' logits, row by row, without any padding; segments where its model takes them."""
    found = []
    for row in range(len(pairs)):
        ids = torch.from_numpy(pairs.tokens[row].astype(np.int64))[None]
        more = {}
        if getattr(model.config, "type_vocab_size", 0) > 1:
            more["token_type_ids"] = (torch.arange(ids.shape[1]) >= pairs.first_lengths[row]).long()[None]
        with torch.inference_mode():
            found.append(model(ids, **more).logits[0])
    return torch.stack(found)


def our_logits(model, pairs):
    found = torch.empty(len(pairs), model.classes)
    order = np.argsort(pairs.tokens.lengths, kind="stable")
    with torch.inference_mode():
        found[order] = model.eval().class_logits(make_batch(pairs, np.arange(len(pairs)), CPU))
    return found


@pytest.mark.parametrize("kind", [*WITHOUT_PACKED_FORM, "bert"])
@pytest.mark.parametrize("single", [False, True])
def test_logits_of_ragged_rows_are_those_of_each_row_alone(kind, single, folder, random_pairs):
    path, pairs = folder(kind, classes=3), random_pairs(3, 17, single)
    weights, _ = read(path, implementation="auto")
    assert weights.parts.classes == 3
    model = weights.model()
    if kind == "bert":  # which has a packed form, and is told to do without it
        model = begun(
            replace(weights.parts.size, implementation="transformers"), VOCABULARY, 3, 0, weights.tensors
        )
        model.inner.classifier.load_state_dict(
            {"weight": weights.tensors["output.weight"], "bias": weights.tensors["output.bias"]}
        )
    assert isinstance(model, PaddedClassifier)
    reference = transformers.AutoModelForSequenceClassification.from_pretrained(path).eval()
    torch.testing.assert_close(our_logits(model, pairs), own_logits(reference, pairs), rtol=1e-5, atol=1e-6)


def test_vectors_of_tokens_are_the_encoders(folder):
    path = folder("deberta-v2")
    model, tokenizer = load(path, implementation="auto")
    texts = ["w1 w2 w3 w4", "w5"], ["w6", "w7 w8"]
    found = encode(*texts, model=model, tokenizer=tokenizer)
    reference = transformers.AutoModel.from_pretrained(path).eval()
    for vectors, first, second in zip(found, *texts, strict=True):
        words = ["<cls>", *first.split(), "<sep>", *second.split(), "<sep>"]
        ids = torch.tensor([[tokenizer.token_to_id(word) for word in words]])
        with torch.inference_mode():
            expected = reference(ids).last_hidden_state[0]
        np.testing.assert_allclose(vectors, expected.numpy(), rtol=1e-4, atol=1e-5)
    pooled = encode(*texts, model=model, tokenizer=tokenizer, pooling="cls")
    np.testing.assert_allclose(pooled, np.stack([each[0] for each in found]), rtol=1e-6)
    with pytest.raises(InputError, match="no head for classes"):
        model.class_logits(None)


# What training begins with.


@pytest.mark.parametrize("kind", ["bert", "roberta", "albert", "modernbert", "mpnet"])
def test_both_implementations_begin_with_the_same_numbers(kind, folder, random_pairs):
    weights, _ = read(folder(kind))
    start, size = initial_weights(weights, VOCABULARY), weights.parts.size
    for reinitialise in (0, 1):
        packed, padded = (
            begun(replace(size, implementation=name), VOCABULARY, 3, 7, start, reinitialise)
            for name in ("packed", "transformers")
        )
        back = weights_of_trial(
            padded.state_dict(), replace(size, implementation="transformers"), ("a", "b", "c")
        )
        assert back.parts.size == size
        own = packed.state_dict()
        assert own.keys() == back.tensors.keys()
        assert all(torch.equal(own[name], back.tensors[name]) for name in own)
        pairs = random_pairs(4, 9)
        torch.testing.assert_close(our_logits(packed, pairs), our_logits(padded, pairs), rtol=1e-5, atol=1e-6)


def test_from_scratch_both_implementations_begin_alike():
    size = architecture("2x32/64/2")
    packed, padded = (
        begun(replace(size, implementation=name), 40, 3, 1, {}) for name in ("packed", "transformers")
    )
    own = packed.state_dict()["encoder.layers.1.qkv.weight"]
    theirs = padded.inner.bert.encoder.layer[1].attention.self
    assert torch.equal(own, torch.cat([theirs.query.weight, theirs.key.weight, theirs.value.weight]))


def dropouts(model):
    """The probability of each dropout that runs, by how often it stands in the model; and in attention."""
    return sorted(m.p for m in model.modules() if isinstance(m, torch.nn.Dropout) and m.p)


def test_dropouts_of_both_implementations_correspond(folder):
    path = folder(
        "bert", hidden_dropout_prob=0.25, attention_probs_dropout_prob=0.125, classifier_dropout=0.5
    )
    size = read(path)[0].parts.size
    for made, expected in (
        (size, {0.25, 0.125, 0.5}),
        (size.with_dropout(0.0), set()),
        (size.with_dropout(0.75), {0.75}),
    ):
        padded = begun(replace(made, implementation="transformers"), VOCABULARY, 3, 0, {})
        assert set(dropouts(padded)) == expected
        packed = begun(made, VOCABULARY, 3, 0, {})
        ours = {each.dropped / (1 << 16) for each in packed.modules() if hasattr(each, "dropped")}
        assert {value for value in ours if value} == expected
    size = read(folder("deberta-v2", "d"), implementation="auto")[0].parts.size
    assert size.dropout == 0.1
    for probability in (0.0, 0.3):
        padded = begun(size.with_dropout(probability), VOCABULARY, 3, 0, {})
        assert set(dropouts(padded)) == ({probability} - {0.0})


@pytest.mark.parametrize("kind", WITHOUT_PACKED_FORM)
def test_without_a_packed_form_the_output_layer_is_the_seeds(kind, folder):
    classifier = read(folder(kind, "five", classes=5), implementation="auto")[0]
    start, size = initial_weights(classifier, VOCABULARY), classifier.parts.size
    head = {"deberta-v2": {"classifier.weight", "classifier.bias"}, "gpt2": {"score.weight"}}[kind]
    assert classifier.tensors.keys() - start.keys() == head
    made = [begun(size, VOCABULARY, 3, seed, start).inner.state_dict() for seed in (0, 0, 1)]
    for name in made[0]:
        assert torch.equal(made[0][name], made[1][name]), name
        assert torch.equal(made[0][name], made[2][name]) == (name not in head or name.endswith("bias")), name
        if name in start:
            assert torch.equal(made[0][name], start[name]), name


def test_reinitialised_layers_are_drawn_by_name(folder):
    weights = read(folder("deberta-v2", classes=3), implementation="auto")[0]
    start, size = initial_weights(weights, VOCABULARY), weights.parts.size
    made = begun(size, VOCABULARY, 3, 0, start, 1).inner.state_dict()
    for name, tensor in made.items():
        random = name.startswith(("deberta.encoder.layer.1.", "pooler.", "classifier."))
        if name.endswith("weight") and tensor.dim() > 1:
            assert torch.equal(tensor, start.get(name, tensor + 1)) != random, name


# Writing.


def test_what_is_written_is_read_by_transformers(folder, tmp_path, random_pairs):
    weights, tokenizer = read(folder("deberta-v2", classes=3), implementation="auto")
    weights = replace(weights, labels=("no", "maybe", "yes"))
    FORMATS["hf"].write(tmp_path / "out", weights, tokenizer)
    reference = transformers.AutoModelForSequenceClassification.from_pretrained(tmp_path / "out").eval()
    assert reference.config.id2label == {0: "no", 1: "maybe", 2: "yes"}
    pairs = random_pairs(5, 9)
    torch.testing.assert_close(our_logits(weights.model(), pairs), own_logits(reference, pairs))
    again = read(tmp_path / "out", implementation="auto")[0]
    assert again.labels == ("no", "maybe", "yes")
    assert again.parts.size == weights.parts.size


# Positions, and wrong input.


def test_positions_are_those_that_tokens_can_have(folder):
    assert read(folder("deberta-v2"), implementation="auto")[0].parts.size.positions == 64
    relative = folder("roberta", "longer", position_embedding_type="absolute", hidden_act="mish")
    size = read(relative, implementation="auto")[0].parts.size  # an activation without a packed form
    assert (size.kind, size.implementation, size.positions) == ("roberta", "transformers", 64)


def changed(path, **settings):
    file = path / "config.json"
    table = json.loads(file.read_text()) | settings
    file.write_text(json.dumps({key: value for key, value in table.items() if value is not None}))
    return path


def refused(path, *parts, implementation="auto"):
    with pytest.raises(InputError) as caught:
        read(path, implementation=implementation)
    message = str(caught.value)
    assert "\n" not in message
    for part in parts:
        assert part in message, message


def test_wrong_folders_are_refused_in_a_sentence(folder):
    path = folder("deberta-v2")
    refused(path, "'deberta-v2' has no packed form", "implementation", implementation="packed")
    refused(changed(folder("bert", "x"), model_type="hydra"), "does not know model_type 'hydra'")
    refused(changed(folder("bert", "v"), model_type="vit"), "no classifier of whole texts", "'vit'")
    refused(changed(folder("bert", "e"), model_type="bart"), "an encoder and a decoder")
    refused(folder("xlnet", "l"), "'xlnet' judges a row by its last place, where padding is")
    refused(folder("fnet", "f"), "'fnet' cannot be told which places are padding")
    tensors = load_file(path / "model.safetensors")
    gone = {name: tensor for name, tensor in tensors.items() if ".layer.1.output.dense.weight" not in name}
    save_file(gone, path / "model.safetensors", {"format": "pt"})
    refused(path, "has no tensor deberta.encoder.layer.1.output.dense.weight")
    save_file(
        tensors | {"encoder.LayerNorm.bias": torch.zeros(5)}, path / "model.safetensors", {"format": "pt"}
    )
    refused(path, "deberta.encoder.LayerNorm.bias of the expected shape")
    (path / "model.safetensors").write_bytes(b"nothing")
    refused(path, str(path), "cannot read its tensors")
    (path / "model.safetensors").unlink()
    refused(path, str(path), "cannot read its tensors")


def test_no_code_of_a_folder_is_executed(folder, tmp_path):
    path = changed(folder("deberta-v2"), auto_map={"AutoConfig": "evil.Evil", "AutoModel": "evil.Evil"})
    (path / "evil.py").write_text(f"open({str(tmp_path / 'executed')!r}, 'w')\n")
    read(path, implementation="auto")
    changed(path, model_type="evil")
    refused(path, "does not know model_type 'evil'")
    assert not (tmp_path / "executed").exists()


def test_a_decoder_needs_a_padding_token(folder):
    path = folder("gpt2")
    weights, _ = read(path, implementation="auto")
    assert json.loads(weights.parts.size.configuration)["pad_token_id"] == 1  # the tokeniser's <pad>
    file = path / "tokenizer.json"
    file.write_text(file.read_text().replace('"<pad>"', '"<none>"'))
    refused(path, "has no pad_token_id, nor has the tokeniser a padding token")


def test_without_transformers_a_sentence_says_what_to_install(folder, monkeypatch):
    path = folder("deberta-v2")
    monkeypatch.setattr("trimtab.model.transformers_package.find_spec", lambda name: None)
    refused(path, "model_type 'deberta-v2' needs transformers", "pip install 'trimtab[peers]'")


def test_a_tokeniser_of_another_vocabulary_is_refused(folder):
    path = folder("deberta-v2", vocab_size=30)
    refused(path, "ids up to 64, but the token table 30 rows")
