"""The analysis of cross evaluation: what it costs to cut otherwise in use than in training. Free of torch."""

import math
from dataclasses import asdict, dataclass, fields
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from trimtab.analysis.scores import Logits, Scores, Values, finite
from trimtab.ledger.ledger import Ledger
from trimtab.ledger.trial import Trial
from trimtab.statistics import Contrast, compare
from trimtab.study.grid import place_words

Row = dict[str, Any]
_CUT = ("truncation", "max_len")


@dataclass(frozen=True)
class Cross:
    """How each model does on every variant's inputs of one test set.

    inputs: for each that differs, the names of all cuts that make it; rows: a row a model, with the number of
    its ``own`` inputs and ``means``, one for each (None where it was not asked: it has no positions for
    them, or another tokeniser); mismatches: a row a model and other inputs, with the contrast to the same
    model on its own inputs, and, its keys beginning with ``matched_``, that to the model trained for these
    inputs; seeds: those on which every model was evaluated everywhere, and on which these figures stand;
    missing: a row a model and seed where one was not.
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
    scores: Values


def cross_evaluation(
    ledger: Ledger,
    test: str,
    scores: Scores,
    clusters: NDArray | None,
) -> Cross | None:
    """What a ledger holds of the cross evaluation on a test set; None where nothing was asked.

    scores: on their own inputs; clusters: (examples,). Models that were evaluated on no seed are left out, as
    are seeds that some other model lacks.
    """
    models = _Models(ledger, test)
    numbers = [number for number in scores.logits if models.study["variants"][number]["same_as"] == number]
    if not any(map(models.asked, numbers)):
        return None
    seeds = scores.seeds(*scores.logits)
    lacking = {(number, seed) for number in numbers for seed in seeds if models.lacks(number, seed)}
    begun = [number for number in numbers if any((number, seed) not in lacking for seed in seeds)]
    common = [seed for seed in seeds if begun and all((number, seed) not in lacking for number in begun)]
    cells = []
    for number in begun if common else ():
        cells.append(_Cell(number, models.own(number), scores.on(number, common)))
        cells += [
            _Cell(number, inputs, scores.of(models.logits(number, inputs, common)))
            for inputs in models.asked(number)
        ]
    return Cross(
        inputs=list(models.names.values()),
        rows=_matrix(models, cells),
        mismatches=_mismatches(models, cells, clusters, scores.score.bounded),
        seeds=common,
        missing=[models.missing(*place) for place in sorted(lacking)],
    )


class _Models:
    """The trained models of a study and what they were asked on one test set, by number of their variant."""

    def __init__(self, ledger: Ledger, test: str) -> None:
        self.ledger, self.study, self.test = ledger, ledger.study, test
        self.tokenizers = len({row.get("tokenizer") for row in self.study["variants"]})
        self.names: dict[str, list[str]] = {}  # of the cuts that make the inputs of a fingerprint
        for number in range(len(self.study["variants"])) if self.study["compare"].get("cross") else ():
            names = self.names.setdefault(self.own(number), [])
            name = self._name_of_cut(number)
            names += [name] if name not in names else []

    def name(self, number: int) -> str:
        return self.study["variants"][number]["name"]

    def own(self, number: int) -> str:
        return self.study["variants"][number]["test_inputs"][self.test]

    def asked(self, number: int) -> list[str]:
        """The inputs beside its own on which a model is evaluated."""
        return self.study["variants"][number].get("cross", {}).get(self.test, [])

    def matched(self, number: int, inputs: str) -> int | None:
        """The model like this one in all but its cut whose own test inputs these are; None without one.

        The first of them, where cuts agree on this test set and differ in training.
        """
        variants, rest = self.study["variants"], self._rest(number)
        return next(
            (
                variant["same_as"]
                for other, variant in enumerate(variants)
                if self.own(other) == inputs and self._rest(other) == rest
            ),
            None,
        )

    def _rest(self, number: int) -> Row:
        coordinates = self.study["variants"][number]["coordinates"]
        return {key: value for key, value in coordinates.items() if key not in _CUT}

    def lacks(self, number: int, seed: int) -> bool:
        crossed = self._trial(number, seed).crossed
        return any(inputs not in crossed for inputs in self.asked(number))

    def missing(self, number: int, seed: int) -> Row:
        return {"name": self.name(number), "seed": seed, "reason": self._trial(number, seed).crossed.failure}

    def logits(self, number: int, inputs: str, seeds: list[int]) -> Logits:
        """(seeds, examples, classes) of a model on the inputs of that fingerprint."""
        trials = [self._trial(number, seed) for seed in seeds]
        return np.stack([finite(trial.crossed.predictions(inputs), trial.folder) for trial in trials])

    def _trial(self, number: int, seed: int) -> Trial:
        return self.ledger.trial(self.study["variants"][number]["trials"][str(seed)])

    def _name_of_cut(self, number: int) -> str:
        coordinates = self.study["variants"][number]["coordinates"]
        named = (*_CUT, "weights") if self.tokenizers > 1 else _CUT
        return place_words({key: value for key, value in coordinates.items() if key in named})


def _matrix(models: _Models, cells: list[_Cell]) -> list[Row]:
    means = {(cell.model, cell.inputs): float(cell.scores.mean()) for cell in cells}
    inputs = list(models.names)
    return [
        {
            "variant": number,
            "name": models.name(number),
            "own": inputs.index(models.own(number)),
            "means": [means.get((number, column)) for column in inputs],
        }
        for number in dict.fromkeys(cell.model for cell in cells)
    ]


def _mismatches(models: _Models, cells: list[_Cell], clusters: NDArray | None, bounded: bool) -> list[Row]:
    """Each model on other inputs: against itself on its own, and against the model trained for these."""
    place: dict[tuple[int | None, str], int] = {(cell.model, cell.inputs): k for k, cell in enumerate(cells)}
    odd = [k for k, cell in enumerate(cells) if cell.inputs != models.own(cell.model)]
    own = {k: place[cells[k].model, models.own(cells[k].model)] for k in odd}
    trained = {k: (models.matched(cells[k].model, cells[k].inputs), cells[k].inputs) for k in odd}
    matched = {k: place[key] for k, key in trained.items() if key in place}
    scores = np.stack([cell.scores for cell in cells]) if cells else None
    settings = models.study["compare"]
    to_own = _family(scores, own, clusters, settings, bounded)
    to_matched = _family(scores, matched, clusters, settings, bounded)
    return [
        asdict(to_own[k])
        | {f"matched_{key}": v for key, v in (asdict(to_matched[k]) if k in to_matched else _NONE).items()}
        | {
            "variant": cells[k].model,
            "name": models.name(cells[k].model),
            "evaluated_with": models.names[cells[k].inputs][0],
            "matched_name": models.name(cells[matched[k]].model) if k in matched else "",
            "inputs": list(models.names).index(cells[k].inputs),
            "mean": float(cells[k].scores.mean()),
        }
        for k in odd
    ]


# Where no model was trained for the inputs that a model meets.
_NONE: Row = dict.fromkeys((field.name for field in fields(Contrast)), math.nan) | {"verdict": ""}


def _family(
    scores: Values | None,
    bases: dict[int, int],
    clusters: NDArray | None,
    settings: Row,
    bounded: bool,
) -> dict[int, Contrast]:
    """Each cell against its base, by cell. Models of one recipe share their seeds, so all are paired."""
    if scores is None or not bases:
        return {}
    results = compare(
        scores,
        list(bases.items()),
        clusters=clusters,
        alpha=settings["alpha"],
        margin=settings["margin"],
        correction="bh" if settings["exploratory"] else "holm",
        bounded=bounded,
    )
    return dict(zip(bases, results, strict=True))
