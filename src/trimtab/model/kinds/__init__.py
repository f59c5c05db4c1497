"""The architectures that have a packed form, by transformers' ``model_type``: one file and one line each.

Free of torch, so that a study file is read quickly.
"""

from trimtab.model.kinds import albert, bert, distilbert, electra, modernbert, mpnet, roberta
from trimtab.model.kinds.kind import Kind

_KINDS = (
    bert.BERT,
    roberta.ROBERTA,
    roberta.XLM_ROBERTA,
    roberta.CAMEMBERT,
    mpnet.MPNET,
    distilbert.DISTILBERT,
    electra.ELECTRA,
    albert.ALBERT,
    modernbert.MODERNBERT,
)
KINDS: dict[str, Kind] = {kind.model_type: kind for kind in _KINDS}

__all__ = ["KINDS", "Kind"]
