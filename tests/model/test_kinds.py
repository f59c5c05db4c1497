"""Each packed architecture against transformers: what it computes, its gradients, and its files."""

import copy
import shutil

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer, models, pre_tokenizers, processors

from trimtab.data.batch import Batch
from trimtab.model import load
from trimtab.model.formats import FORMATS
from trimtab.model.kinds import KINDS
from trimtab.model.loading import read
from trimtab.model.weights_hf import tensor_places

transformers = pytest.importorskip("transformers", reason="needs pip install 'trimtab[peers]'")

VOCABULARY = 65
COMMON = {
    "vocab_size": VOCABULARY,
    "hidden_size": 32,
    "num_hidden_layers": 4,
    "num_attention_heads": 4,
    "intermediate_size": 48,
    "max_position_embeddings": 300,
}
AFTER_PADDING = {"type_vocab_size": 1, "pad_token_id": 1}
SETTINGS = {
    "bert": COMMON,
    "roberta": COMMON | AFTER_PADDING,
    "xlm-roberta": COMMON | AFTER_PADDING,
    "camembert": COMMON | AFTER_PADDING,
    "mpnet": COMMON | {"pad_token_id": 1},
    "distilbert": {
        "vocab_size": VOCABULARY,
        "dim": 32,
        "n_layers": 4,
        "n_heads": 4,
        "hidden_dim": 48,
        "max_position_embeddings": 300,
    },
    "electra": COMMON | {"embedding_size": 16},
    "albert": COMMON | {"embedding_size": 16, "num_hidden_groups": 2},
    # A window of 8 tokens either way, far shorter than the rows.
    "modernbert": COMMON
    | {"local_attention": 16}
    | dict.fromkeys(("bos_token_id", "eos_token_id", "cls_token_id", "sep_token_id"), 2)
    | {"pad_token_id": 0},
}
VARIANTS = {
    **{kind: (kind, {}) for kind in SETTINGS},
    "electra of one width": ("electra", {"embedding_size": 32}),
    "modernbert with mean pooling": ("modernbert", {"classifier_pooling": "mean"}),
    "modernbert with biases": (
        "modernbert",
        dict.fromkeys(("attention_bias", "mlp_bias", "norm_bias", "classifier_bias"), True),
    ),
    "modernbert whose last layer is windowed": ("modernbert", {"num_hidden_layers": 3}),
    "roberta with other activations": ("roberta", {"hidden_act": "gelu_new", "layer_norm_eps": 1e-3}),
}
# Rows within ModernBERT's window, of several blocks, and some of equal length.
LENGTHS = {"pairs": [3, 5, 5, 9, 17, 40, 40, 90, 200], "singles": [2, 7, 30]}


def theirs(variant):
    """A classifier of transformers with random numbers everywhere, norms and biases too."""
    kind, changed = VARIANTS[variant]
    settings = copy.deepcopy(SETTINGS[kind]) | changed
    configuration = transformers.AutoConfig.for_model(kind, num_labels=3, **settings)
    torch.manual_seed(0)
    made = transformers.AutoModelForSequenceClassification.from_config(
        configuration, attn_implementation="eager"
    ).eval()
    with torch.no_grad():
        for parameter in made.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.1)
    return made


def save(model, folder):
    model.save_pretrained(folder)
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", *(f"w{number}" for number in range(VOCABULARY - 4))]
    ids = {word: number for number, word in enumerate(words)}
    tokenizer = Tokenizer(models.WordLevel(ids, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[("[CLS]", 2), ("[SEP]", 3)],
    )
    tokenizer.save(str(folder / "tokenizer.json"))
    # Else the model's own class, whose vocabulary is of another kind.
    (folder / "tokenizer_config.json").write_text('{"tokenizer_class": "PreTrainedTokenizerFast"}')
    return folder


def packed(lengths, segments):
    """A packed batch of random tokens; segment 1 begins in the middle of a row, or nowhere."""
    lengths = np.array(sorted(lengths))
    tokens = np.random.default_rng(0).integers(4, VOCABULARY, lengths.sum())
    edges = np.concatenate([[0], np.cumsum(lengths)])
    places = [torch.arange(length) for length in lengths]
    halves = [(place >= length // segments).long() for place, length in zip(places, lengths, strict=True)]
    return Batch(
        torch.from_numpy(tokens),
        torch.cat(halves),
        torch.cat(places),
        torch.from_numpy(edges),
        torch.zeros(len(lengths), dtype=torch.long),
        lengths,
    )


def padded(model, batch):
    """The same rows as transformers takes them, and which places are tokens."""
    rows, longest = len(batch), int(batch.lengths.max())
    mask = torch.arange(longest) < torch.from_numpy(batch.lengths)[:, None]
    ids = torch.full((rows, longest), model.config.pad_token_id).masked_scatter(mask, batch.tokens)
    given = {"input_ids": ids, "attention_mask": mask.long()}
    if getattr(model.config, "type_vocab_size", 1) > 1:
        given["token_type_ids"] = torch.zeros_like(ids).masked_scatter(mask, batch.segments)
    return given, mask


@pytest.fixture(scope="module", params=VARIANTS)
def saved(request, tmp_path_factory):
    """The kind, a model of transformers, and the folder it lies in."""
    model = theirs(request.param)
    return VARIANTS[request.param][0], model, save(model, tmp_path_factory.mktemp("model"))


@pytest.mark.parametrize("texts", LENGTHS)
def test_it_computes_what_transformers_does_and_so_do_its_gradients(saved, texts):
    _, model, folder = saved
    ours, _ = load(folder)
    batch = packed(LENGTHS[texts], 2 if texts == "pairs" else 1)
    given, mask = padded(model, batch)
    hidden = model.base_model(**given).last_hidden_state[mask]
    torch.testing.assert_close(ours(batch), hidden, rtol=1e-5, atol=1e-5)
    expected, found = model(**given).logits, ours.class_logits(batch)
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-5)
    weights = torch.linspace(-1, 1, found.numel()).view_as(found)
    model.zero_grad()
    (expected * weights).sum().backward()
    (found * weights).sum().backward()
    gradients = {name: parameter.grad for name, parameter in model.named_parameters()}
    for ours_name, parameter in ours.named_parameters():
        zero = torch.zeros_like(parameter)
        by_name = tensor_places(
            ours.parts.size, ours_name, zero if parameter.grad is None else parameter.grad
        )
        for name, gradient in by_name.items():
            wanted = gradients.pop(name)
            wanted = torch.zeros_like(gradient) if wanted is None else wanted
            # A sum over 200 tokens in another order: to 1e-5 of the tensor's largest.
            scale = max(1.0, float(wanted.abs().max()))
            torch.testing.assert_close(gradient, wanted, rtol=1e-5, atol=1e-5 * scale, msg=name)
    assert not gradients  # every parameter was compared


def test_in_bf16_it_differs_by_rounding(saved):
    _, model, folder = saved
    ours, _ = load(folder)
    batch = packed(LENGTHS["pairs"], 2)
    given, mask = padded(model, batch)
    expected = model.base_model(**given).last_hidden_state[mask].detach()
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
        found = ours(batch).float()
    assert float((found - expected).norm() / expected.norm()) < 2e-2


def test_what_is_written_transformers_reads(saved, tmp_path):
    _, model, folder = saved
    weights, tokenizer = read(folder)
    FORMATS["hf"].write(tmp_path / "ours", weights, tokenizer)
    again = transformers.AutoModelForSequenceClassification.from_pretrained(
        tmp_path / "ours", attn_implementation="eager"
    ).eval()
    assert type(again) is type(model)
    given, _ = padded(model, packed(LENGTHS["pairs"], 2))
    assert torch.equal(again(**given).logits, model(**given).logits)
    once_more, _ = read(tmp_path / "ours")
    assert once_more.parts == weights.parts


def test_its_size_and_parameters_are_counted(saved):
    kind, model, folder = saved
    size = load(folder)[0].parts.size
    assert size.parameters(VOCABULARY, 3) == sum(parameter.numel() for parameter in model.parameters())
    assert KINDS[kind].expresses(size)


def test_a_model_without_a_head_is_read_by_its_bare_names(saved, tmp_path):
    _, model, _ = saved
    base = transformers.AutoModel.from_config(model.config, attn_implementation="eager").eval()
    base.load_state_dict(model.base_model.state_dict(), strict=False)
    ours, _ = load(save(base, tmp_path))
    batch = packed(LENGTHS["singles"], 1)
    given, mask = padded(model, batch)
    expected = base(**given).last_hidden_state[mask]
    torch.testing.assert_close(ours(batch), expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("before", ["model.", "module.", "_orig_mod.", "_orig_mod.model."])
def test_names_that_a_training_loop_has_put_before_all_are_left_out(saved, tmp_path, before):
    """A ModernBERT's own names begin with ``model.``, too."""
    _, _, folder = saved
    tensors = load_file(folder / "model.safetensors")
    shutil.copytree(folder, tmp_path / "wrapped")
    wrapped = {before + name: tensor for name, tensor in tensors.items()}
    save_file(wrapped, tmp_path / "wrapped" / "model.safetensors")
    found, expected = (read(each)[0] for each in (tmp_path / "wrapped", folder))
    assert found.parts == expected.parts
    assert all(torch.equal(found.tensors[name], tensor) for name, tensor in expected.tensors.items())
