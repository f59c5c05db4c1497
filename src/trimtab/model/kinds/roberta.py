"""RoBERTa and its relatives: positions begin after the padding token's id, one segment, a head of its own."""

from dataclasses import replace
from typing import Any, ClassVar

from trimtab.model.architecture import Architecture, Head
from trimtab.model.kinds.bert import BertConfiguration
from trimtab.model.kinds.kind import BERT_KEYS, BERT_LAYER, DENSE_HEAD, Kind, embeddings


class RobertaConfiguration(BertConfiguration):
    """transformers' RobertaConfig; of the position table the rows up to the padding token's are not used."""

    SAME: ClassVar = BERT_KEYS | {"segments": "type_vocab_size"}

    pad_token_id: int = 1

    def differences(self) -> dict[str, Any]:
        """Positions, dropouts, and the head."""
        found = super().differences()
        first = self.pad_token_id + 1
        head = Head(dropout=found["head"].dropout, dropout_first=True)
        positions = self.max_position_embeddings - first
        return found | {"head": head, "first_position": first, "positions": positions}

    @classmethod
    def described(cls, size: Architecture) -> dict[str, Any]:
        """As in ``Configuration``."""
        return super().described(size) | {
            "max_position_embeddings": size.positions + size.first_position,
            "pad_token_id": size.first_position - 1,
        }


ROBERTA = Kind(
    model_type="roberta",
    name="Roberta",
    meaning="RoBERTa (Liu et al. 2019)",
    configuration=RobertaConfiguration,
    prefix="roberta.",
    layers="roberta.encoder.layer.{}.",
    modules={
        **embeddings("roberta.embeddings.", segment="token_type_embeddings"),
        **BERT_LAYER,
        **DENSE_HEAD,
    },
    unused=("roberta.pooler.",),
)
XLM_ROBERTA = replace(
    ROBERTA, model_type="xlm-roberta", name="XLMRoberta", meaning="XLM-R (Conneau et al. 2020)"
)
CAMEMBERT = replace(
    ROBERTA, model_type="camembert", name="Camembert", meaning="CamemBERT (Martin et al. 2020)"
)
