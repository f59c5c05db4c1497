"""MPNet: RoBERTa's positions, no segments, and biases by distance that all layers share."""

from typing import Any, ClassVar

from trimtab.model.architecture import Architecture, Count, Head, Number
from trimtab.model.kinds.bert import BertConfiguration
from trimtab.model.kinds.kind import BERT_KEYS, DENSE_HEAD, Kind, embeddings

_FIRST_POSITION = 2  # whatever the padding token's id


class MPNetConfiguration(BertConfiguration):
    """transformers' MPNetConfig."""

    HEAD_DROPOUT: ClassVar = None
    SAME: ClassVar = BERT_KEYS | {"relative_buckets": "relative_attention_num_buckets"}

    relative_attention_num_buckets: Number = 32
    type_vocab_size: Count = 1  # not in the configuration

    def differences(self) -> dict[str, Any]:
        """Positions, dropouts, and the head, whose dropout has no key of its own."""
        return {
            **super().differences(),
            "segments": 0,
            "first_position": _FIRST_POSITION,
            "positions": self.max_position_embeddings - _FIRST_POSITION,
            "head": Head(dropout=self.hidden_dropout_prob, dropout_first=True),
        }

    @classmethod
    def described(cls, size: Architecture) -> dict[str, Any]:
        """As in ``Configuration``."""
        return super().described(size) | {"max_position_embeddings": size.positions + _FIRST_POSITION}


_LAYER = {
    "qkv": ("attention.attn.q", "attention.attn.k", "attention.attn.v"),
    "attention_out": ("attention.attn.o",),
    "attention_norm": ("attention.LayerNorm",),
    "ffn_in": ("intermediate.dense",),
    "ffn_out": ("output.dense",),
    "output_norm": ("output.LayerNorm",),
}
MPNET = Kind(
    model_type="mpnet",
    name="MPNet",
    meaning="MPNet (Song et al. 2020), all-mpnet-base-v2",
    configuration=MPNetConfiguration,
    prefix="mpnet.",
    layers="mpnet.encoder.layer.{}.",
    modules={
        **embeddings("mpnet.embeddings."),
        "encoder.distances.bias": ("mpnet.encoder.relative_attention_bias",),
        **_LAYER,
        **DENSE_HEAD,
    },
    unused=("mpnet.pooler.",),
)
