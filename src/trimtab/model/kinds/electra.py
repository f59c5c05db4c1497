"""ELECTRA: embeddings that may be narrower than the encoder, no pooler, GELU in the head."""

from typing import Any

from trimtab.model.architecture import Architecture, Count, Head
from trimtab.model.kinds.bert import BertConfiguration
from trimtab.model.kinds.kind import BERT_LAYER, DENSE_HEAD, Kind, embeddings


class ElectraConfiguration(BertConfiguration):
    """transformers' ElectraConfig."""

    embedding_size: Count = 128
    hidden_size: Count = 256
    num_attention_heads: Count = 4
    intermediate_size: Count = 1_024

    def differences(self) -> dict[str, Any]:
        """The embeddings' width, dropouts, and the head."""
        found = super().differences()
        head = Head(activation="gelu", dropout=found["head"].dropout, dropout_first=True)
        narrow = self.embedding_size != self.hidden_size
        return found | {"head": head, "embedding": self.embedding_size if narrow else None}

    @classmethod
    def described(cls, size: Architecture) -> dict[str, Any]:
        """As in ``Configuration``."""
        return super().described(size) | {"embedding_size": size.embedding or size.hidden}


ELECTRA = Kind(
    model_type="electra",
    name="Electra",
    meaning="ELECTRA's discriminator (Clark et al. 2020)",
    configuration=ElectraConfiguration,
    prefix="electra.",
    layers="electra.encoder.layer.{}.",
    modules={
        **embeddings("electra.embeddings.", segment="token_type_embeddings"),
        "encoder.embeddings.project": ("electra.embeddings_project",),
        **BERT_LAYER,
        **DENSE_HEAD,
    },
)
