"""DistilBERT: no segments, no pooler, names of its own, ReLU in the head."""

from typing import Any, ClassVar

from trimtab.model.architecture import Activation, Architecture, Count, Head
from trimtab.model.kinds.kind import Configuration, Kind, attention_dropout, dropouts, embeddings


class DistilBertConfiguration(Configuration):
    """transformers' DistilBertConfig."""

    SAME: ClassVar = {
        "hidden": "dim",
        "layers": "n_layers",
        "heads": "n_heads",
        "intermediate": "hidden_dim",
        "activation": "activation",
        "positions": "max_position_embeddings",
        "initial_deviation": "initializer_range",
    }

    dim: Count = 768
    n_layers: Count = 6
    n_heads: Count = 12
    hidden_dim: Count = 3_072
    activation: Activation = "gelu"
    dropout: float = 0.1
    attention_dropout: float = 0.1
    seq_classif_dropout: float = 0.2
    max_position_embeddings: Count = 512
    initializer_range: float = 0.02

    def differences(self) -> dict[str, Any]:
        """Dropouts, and the head."""
        head = Head(activation="relu", dropout=self.seq_classif_dropout)
        return {**dropouts(self.dropout, self.attention_dropout), "segments": 0, "head": head}

    @classmethod
    def described(cls, size: Architecture) -> dict[str, Any]:
        """As in ``Configuration``."""
        return super().described(size) | {
            "dropout": size.dropout,
            "attention_dropout": attention_dropout(size),
            "seq_classif_dropout": size.head.dropout,
        }


DISTILBERT = Kind(
    model_type="distilbert",
    name="DistilBert",
    meaning="DistilBERT (Sanh et al. 2019)",
    configuration=DistilBertConfiguration,
    prefix="distilbert.",
    layers="distilbert.transformer.layer.{}.",
    modules={
        **embeddings("distilbert.embeddings."),
        "qkv": ("attention.q_lin", "attention.k_lin", "attention.v_lin"),
        "attention_out": ("attention.out_lin",),
        "attention_norm": ("sa_layer_norm",),
        "ffn_in": ("ffn.lin1",),
        "ffn_out": ("ffn.lin2",),
        "output_norm": ("output_layer_norm",),
        "pooler": ("pre_classifier",),
        "output": ("classifier",),
    },
)
