"""BERT: the reference, from which the others differ."""

from typing import Any, ClassVar, Literal

from trimtab.model.architecture import Activation, Architecture, Count, Head
from trimtab.model.kinds.kind import (
    BERT_KEYS,
    BERT_LAYER,
    Configuration,
    Kind,
    attention_dropout,
    dropouts,
    embeddings,
)


class BertConfiguration(Configuration):
    """transformers' BertConfig. HEAD_DROPOUT: the key of the head's dropout, None where it has none."""

    HEAD_DROPOUT: ClassVar[str | None] = "classifier_dropout"
    SAME: ClassVar = BERT_KEYS | {"positions": "max_position_embeddings", "segments": "type_vocab_size"}

    hidden_size: Count = 768
    num_hidden_layers: Count = 12
    num_attention_heads: Count = 12
    intermediate_size: Count = 3_072
    hidden_act: Activation = "gelu"
    hidden_dropout_prob: float = 0.1
    attention_probs_dropout_prob: float = 0.1
    classifier_dropout: float | None = None
    max_position_embeddings: Count = 512
    type_vocab_size: Count = 2
    initializer_range: float = 0.02
    layer_norm_eps: float = 1e-12
    position_embedding_type: Literal["absolute"] | None = "absolute"

    def differences(self) -> dict[str, Any]:
        """Dropouts, and the head."""
        hidden = self.hidden_dropout_prob
        own = getattr(self, self.HEAD_DROPOUT) if self.HEAD_DROPOUT else None
        head = Head(dropout=hidden if own is None else own)
        return {**dropouts(hidden, self.attention_probs_dropout_prob), "head": head}

    @classmethod
    def described(cls, size: Architecture) -> dict[str, Any]:
        """As in ``Configuration``."""
        head = {cls.HEAD_DROPOUT: size.head.dropout} if cls.HEAD_DROPOUT else {}
        return super().described(size) | {
            "hidden_dropout_prob": size.dropout,
            "attention_probs_dropout_prob": attention_dropout(size),
            **head,
        }


BERT = Kind(
    model_type="bert",
    name="Bert",
    meaning="BERT (Devlin et al. 2019), MiniLM, BGE, E5, GTE",
    configuration=BertConfiguration,
    prefix="bert.",
    layers="bert.encoder.layer.{}.",
    modules={
        **embeddings("bert.embeddings.", segment="token_type_embeddings"),
        **BERT_LAYER,
        "pooler": ("bert.pooler.dense",),
        "masked_words.transform": ("cls.predictions.transform.dense",),
        "masked_words.norm": ("cls.predictions.transform.LayerNorm",),
        "masked_words.output": ("cls.predictions.decoder",),
        "output": ("classifier",),
    },
)
