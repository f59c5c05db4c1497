"""The analysis of cross evaluation: what it costs to cut otherwise in use than in training. Free of torch."""

from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from trimtab.statistics import compare
from trimtab.study.definition import place_words
from trimtab.study.ledger import Ledger
from trimtab.study.trial import Trial

Row = dict[str, Any]


@dataclass(frozen=True)
class Cross:
    """How each model does on every variant's inputs of one test set.

    inputs: for each that differs, the names of all cuts that make it; rows: a row a model, with the number of
    its ``own`` inputs and a mean accuracy for each (None where it was not asked: it has no positions for
    them); mismatches: a row a model and other input; seeds: those on which every model was evaluated
    everywhere, and on which these figures stand; missing: a row a model and seed where one was not.
    """

    inputs: list[list[str]]
    rows: list[Row]
    mismatches: list[Row]
    seeds: list[int]
    missing: list[Row]


class _Cell(NamedTuple):
    """A model on some inputs: scores (seeds, examples)."""

    model: int
    inputs: str
    scores: NDArray[np.bool_]


def cross_evaluation(
    ledger: Ledger,
    test: str,
    seeds: list[int],
    scores: dict[int, NDArray[np.bool_]],
    labels: NDArray[np.int64],
    clusters: NDArray | None,
) -> Cross | None:
    """What a ledger holds of the cross evaluation on a test set; None where nothing was asked.

    scores: (seeds, examples) on their own inputs, by variant; labels and clusters: (examples,). Models that
    were evaluated on no seed are left out, as are seeds that some other model lacks.
    """
    models = _Models(ledger, test)
    numbers = [number for number in scores if models.study["variants"][number]["same_as"] == number]
    if not any(map(models.asked, numbers)):
        return None
    lacking = {(number, seed) for number in numbers for seed in seeds if models.lacks(number, seed)}
    begun = [number for number in numbers if any((number, seed) not in lacking for seed in seeds)]
    common = [seed for seed in seeds if begun and all((number, seed) not in lacking for number in begun)]
    index = [seeds.index(seed) for seed in common]
    cells = []
    for number in begun if common else ():
        cells.append(_Cell(number, models.own(number), scores[number][index]))
        cells += [
            _Cell(number, inputs, models.scores(number, inputs, common, labels))
            for inputs in models.asked(number)
        ]
    return Cross(
        inputs=list(models.names.values()),
        rows=_matrix(models, cells),
        mismatches=_mismatches(models, cells, clusters),
        seeds=common,
        missing=[models.missing(*place) for place in sorted(lacking)],
    )


class _Models:
    """The trained models of a study and what they were asked on one test set, by number of their variant."""

    def __init__(self, ledger: Ledger, test: str) -> None:
        self.ledger, self.study, self.test = ledger, ledger.study, test
        self.names: dict[str, list[str]] = {}  # of the cuts that make the inputs of a fingerprint
        for number in range(len(self.study["variants"])) if self.study["compare"].get("cross") else ():
            names = self.names.setdefault(self.own(number), [])
            name = self._name_of_cut(number)
            names += [name] if name not in names else []

    def own(self, number: int) -> str:
        return self.study["variants"][number]["test_inputs"][self.test]

    def asked(self, number: int) -> list[str]:
        """The inputs beside its own on which a model is evaluated."""
        return self.study["variants"][number].get("cross", {}).get(self.test, [])

    def lacks(self, number: int, seed: int) -> bool:
        crossed = self._trial(number, seed).crossed
        return any(inputs not in crossed for inputs in self.asked(number))

    def missing(self, number: int, seed: int) -> Row:
        name = self.study["variants"][number]["name"]
        return {"name": name, "seed": seed, "reason": self._trial(number, seed).crossed.failure}

    def scores(
        self, number: int, inputs: str, seeds: list[int], labels: NDArray[np.int64]
    ) -> NDArray[np.bool_]:
        trials = [self._trial(number, seed) for seed in seeds]
        return np.stack([trial.crossed.predictions(inputs).argmax(1) == labels for trial in trials])

    def _trial(self, number: int, seed: int) -> Trial:
        return self.ledger.trial(self.study["variants"][number]["trials"][str(seed)])

    def _name_of_cut(self, number: int) -> str:
        coordinates = self.study["variants"][number]["coordinates"]
        cut = {key: value for key, value in coordinates.items() if key in ("truncation", "max_len")}
        return place_words(cut)


def _matrix(models: _Models, cells: list[_Cell]) -> list[Row]:
    means = {(cell.model, cell.inputs): float(cell.scores.mean()) for cell in cells}
    inputs = list(models.names)
    return [
        {
            "variant": number,
            "name": models.study["variants"][number]["name"],
            "own": inputs.index(models.own(number)),
            "accuracies": [means.get((number, column)) for column in inputs],
        }
        for number in dict.fromkeys(cell.model for cell in cells)
    ]


def _mismatches(models: _Models, cells: list[_Cell], clusters: NDArray | None) -> list[Row]:
    """Each model on other inputs against itself on its own: the same trials, so always paired."""
    place = {(cell.model, cell.inputs): k for k, cell in enumerate(cells)}
    base = [place[cell.model, models.own(cell.model)] for cell in cells]
    pairs = [(k, own) for k, own in enumerate(base) if k != own]
    if not pairs:
        return []
    settings = models.study["compare"]
    results = compare(
        np.stack([cell.scores for cell in cells]),
        pairs,
        clusters=clusters,
        alpha=settings["alpha"],
        margin=settings["margin"],
        correction="bh" if settings["exploratory"] else "holm",
    )
    return [
        asdict(result)
        | {
            "variant": cells[k].model,
            "name": models.study["variants"][cells[k].model]["name"],
            "evaluated_with": models.names[cells[k].inputs][0],
            "inputs": list(models.names).index(cells[k].inputs),
            "mean": float(cells[k].scores.mean()),
        }
        for (k, _), result in zip(pairs, results, strict=True)
    ]
