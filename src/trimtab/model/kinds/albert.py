"""ALBERT: narrow embeddings, and layers that share their weights in groups."""

from typing import Any, ClassVar, Literal

from trimtab.model.architecture import Activation, Architecture, Count
from trimtab.model.kinds.bert import BertConfiguration
from trimtab.model.kinds.kind import Kind, embeddings


class AlbertConfiguration(BertConfiguration):
    """transformers' AlbertConfig."""

    HEAD_DROPOUT: ClassVar = "classifier_dropout_prob"

    vocab_size: Count = 30_000
    embedding_size: Count = 128
    hidden_size: Count = 4_096
    num_hidden_groups: Count = 1
    num_attention_heads: Count = 64
    intermediate_size: Count = 16_384
    inner_group_num: Literal[1] = 1
    hidden_act: Activation = "gelu_new"
    hidden_dropout_prob: float = 0.0
    attention_probs_dropout_prob: float = 0.0
    classifier_dropout_prob: float = 0.1

    def differences(self) -> dict[str, Any]:
        """The embeddings' width and groups of layers, beside BERT's."""
        return super().differences() | {
            "embedding": self.embedding_size,
            "distinct_layers": self.num_hidden_groups,
        }

    @classmethod
    def described(cls, size: Architecture) -> dict[str, Any]:
        """As in ``Configuration``."""
        return super().described(size) | {
            "embedding_size": size.embedding or size.hidden,
            "num_hidden_groups": size.layers_with_weights,
        }


ALBERT = Kind(
    model_type="albert",
    name="Albert",
    meaning="ALBERT (Lan et al. 2020)",
    configuration=AlbertConfiguration,
    prefix="albert.",
    layers="albert.encoder.albert_layer_groups.{}.albert_layers.0.",
    modules={
        **embeddings("albert.embeddings.", segment="token_type_embeddings"),
        "encoder.embeddings.project": ("albert.encoder.embedding_hidden_mapping_in",),
        "qkv": ("attention.query", "attention.key", "attention.value"),
        "attention_out": ("attention.dense",),
        "attention_norm": ("attention.LayerNorm",),
        "ffn_in": ("ffn",),
        "ffn_out": ("ffn_output",),
        "output_norm": ("full_layer_layer_norm",),
        "pooler": ("albert.pooler",),
        "output": ("classifier",),
    },
)
