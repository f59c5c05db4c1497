"""Which epoch's weights are evaluated, and a copy of them until the training ends."""

from collections.abc import Sequence
from dataclasses import asdict

from torch import Tensor

from trimtab.model.building import AnyClassifier
from trimtab.training.epoch import Epoch
from trimtab.training.recipe import Evaluate
from trimtab.training.state import State
from trimtab.training.token_table import CompactTable


def chosen_epoch(evaluate: Evaluate, records: Sequence[Epoch]) -> int:
    """The index into ``records``, one per epoch, of the epoch whose weights are evaluated.

    Ties go to the first. The choice depends on the validation split only, never on a test set.
    """
    places = range(len(records))
    if evaluate == "best_accuracy":
        return max(places, key=lambda place: records[place].validation_accuracy or 0.0)
    if evaluate == "best_loss":
        return min(places, key=lambda place: records[place].validation_loss)
    return places[-1]


class BestWeights:
    """A copy of the best epoch's weights so far, in host memory; none where the last is evaluated."""

    def __init__(self, evaluate: Evaluate) -> None:
        self.evaluate = evaluate
        self.records: list[Epoch] = []
        self.weights: dict[str, Tensor] | None = None

    def update(self, record: Epoch, model: AnyClassifier) -> None:
        """Copy the weights of ``model`` where ``record``, of the epoch that has just ended, is the best."""
        self.records.append(record)
        if self.evaluate != "last" and self._place() == len(self.records) - 1:
            self.weights = _copied(model)

    def state(self) -> State:
        """What a checkpoint keeps."""
        return {"records": [asdict(record) for record in self.records], "weights": self.weights}

    def go_on_from(self, state: State) -> None:
        """Go on from what ``state`` gave."""
        self.records, self.weights = [Epoch(**record) for record in state["records"]], state["weights"]

    def restore(self, model: AnyClassifier) -> AnyClassifier:
        """The trained model with the chosen epoch's weights."""
        if self.weights is not None and self._place() < len(self.records) - 1:
            model.load_state_dict(self.weights)
        return model

    def _place(self) -> int:
        return chosen_epoch(self.evaluate, self.records)


def _copied(model: AnyClassifier) -> dict[str, Tensor]:
    """A copy of a model's weights between two epochs, with the whole token table, as it was evaluated."""
    tables = {name: each for name, each in model.named_modules() if isinstance(each, CompactTable)}
    tensors = model.state_dict() | {f"{name}.weight": each.whole.weight for name, each in tables.items()}
    return {name: tensor.detach().to("cpu", copy=True) for name, tensor in tensors.items()}
