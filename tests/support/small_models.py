"""Small random models that transformers writes, with a tokeniser of words: a folder as the hub has it."""

import pytest
import torch

from trimtab.data.input_template import InputTemplate
from trimtab.data.tokenizer import build
from trimtab.model import weights_tokenizer

WORDS = [f"w{number}" for number in range(60)]
_BERT = {
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 64,
    "max_position_embeddings": 64,
    "pad_token_id": 1,
}
_DEBERTA = {
    "relative_attention": True,
    "position_buckets": 8,
    "max_relative_positions": -1,
    "norm_rel_ebd": "layer_norm",
    "share_att_key": True,
    "pos_att_type": ["p2c", "c2p"],
    "position_biased_input": False,
    "type_vocab_size": 0,
}
# By model_type: the name of transformers' classes, and what is not as in a small BERT.
KINDS = {
    "bert": ("Bert", _BERT),
    "roberta": ("Roberta", _BERT | {"type_vocab_size": 1, "max_position_embeddings": 66}),
    "modernbert": ("ModernBert", _BERT | {"num_hidden_layers": 3, "local_attention": 8}),
    "albert": ("Albert", _BERT | {"embedding_size": 16}),
    "mpnet": ("MPNet", _BERT | {"max_position_embeddings": 66}),
    "deberta-v2": ("DebertaV2", _BERT | _DEBERTA),
    "xlm": (
        "XLM",
        {"emb_dim": 32, "n_layers": 2, "n_heads": 2, "pad_index": 1, "max_position_embeddings": 64},
    ),
    "fnet": (
        "FNet",
        {"hidden_size": 32, "num_hidden_layers": 2, "intermediate_size": 64, "max_position_embeddings": 64},
    ),
    "xlnet": ("XLNet", {"d_model": 32, "n_layer": 2, "n_head": 2, "d_inner": 64, "pad_token_id": 1}),
    "gpt2": (
        "GPT2",
        {"n_embd": 32, "n_layer": 2, "n_head": 2, "n_positions": 64, "bos_token_id": 3, "eos_token_id": 4},
    ),
}


def words():
    """The tokeniser of every small model."""
    return build("whitespace", [" ".join(WORDS)], min_freq=1)


def made(kind, classes=0, seed=0, **changed):
    """transformers' random model of that kind, with a classification head where ``classes`` are given."""
    transformers = pytest.importorskip("transformers", reason="needs pip install 'trimtab[peers]'")
    name, settings = KINDS[kind]
    size = {"vocab_size": len(words().get_vocab())}
    config = getattr(transformers, f"{name}Config")(**size | settings | changed)
    if classes:
        config.num_labels = classes
    head = "ForSequenceClassification" if classes else "Model"
    with torch.random.fork_rng([]):
        torch.manual_seed(seed)
        return getattr(transformers, name + head)(config).eval()


def written(folder, kind, classes=0, seed=0, **changed):
    """The folder of such a model and its tokeniser, as transformers saves them."""
    made(kind, classes, seed, **changed).save_pretrained(folder)
    weights_tokenizer.write(folder, words(), 64)
    return folder


def template():
    """The special tokens around texts, for ``make_pairs``."""
    return InputTemplate.of(words())
