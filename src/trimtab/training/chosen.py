"""Which epoch's weights are evaluated, and those weights, kept aside until the training ends."""

from collections.abc import Sequence
from typing import cast

from torch import Tensor, nn

from trimtab.model.encoder import Classifier
from trimtab.training.epoch import Epoch
from trimtab.training.recipe import Evaluate
from trimtab.training.token_table import CompactTable

_TOKENS = "encoder.embeddings.token"


def chosen_epoch(evaluate: Evaluate, records: Sequence[Epoch]) -> int:
    """The place in ``records``, one an epoch, of that whose weights are evaluated; of equal ones the first.

    Only ``validation_accuracy`` and ``validation_loss`` are looked at: no test set has a say.
    """
    places = range(len(records))
    if evaluate == "best_accuracy":
        return max(places, key=lambda place: records[place].validation_accuracy)
    if evaluate == "best_loss":
        return min(places, key=lambda place: records[place].validation_loss)
    return places[-1]


class Chosen:
    """The weights of the epoch that is best so far, in the machine's memory; none where it is the last."""

    def __init__(self, evaluate: Evaluate) -> None:
        self.evaluate = evaluate
        self.records: list[Epoch] = []
        self.weights: dict[str, Tensor] | None = None

    def see(self, record: Epoch, model: Classifier) -> None:
        """An epoch is over and ``model`` has been evaluated on validation, as ``record`` says."""
        self.records.append(record)
        if self.evaluate != "last" and self._place() == len(self.records) - 1:
            self.weights = _copied(model)

    def put_back(self, model: Classifier) -> Classifier:
        """The trained model, whole, with the weights of the epoch that was chosen."""
        if self.weights is not None and self._place() < len(self.records) - 1:
            model.load_state_dict(self.weights)
        return model

    def _place(self) -> int:
        return chosen_epoch(self.evaluate, self.records)


def _copied(model: Classifier) -> dict[str, Tensor]:
    """The weights of a model between two epochs; of the token table the whole, as it was evaluated."""
    token = model.encoder.embeddings.token
    whole = token.whole if isinstance(token, CompactTable) else cast(nn.Embedding, token)
    tensors = model.state_dict() | {f"{_TOKENS}.weight": whole.weight}
    return {name: tensor.detach().to("cpu", copy=True) for name, tensor in tensors.items()}
