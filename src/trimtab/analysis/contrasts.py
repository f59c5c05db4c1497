"""Contrasts of a ledger's variants, each on the seeds that its two variants have both finished."""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trimtab.analysis.scores import Scores
from trimtab.statistics import Contrast, compare, effective_clusters, one_family
from trimtab.statistics.power import contrast_parts, seeds_to_settle
from trimtab.study.grid import coordinate_words

Row = dict[str, Any]
Pair = tuple[int, int, bool]  # variant, baseline, whether seeds pair them
Digests = dict[int, NDArray[np.uint64]]


@dataclass(frozen=True)
class Compared:
    """One variant against another, by number: the contrast, not adjusted, and the seeds that it stands on."""

    variant: int
    baseline: int
    seeds: list[int]
    contrast: Contrast

    def turned(self) -> "Compared":
        """The same seen from the other side."""
        c = self.contrast
        swapped = {"better": "worse", "worse": "better"}.get(c.verdict, c.verdict)
        # Taken from 0, so that no difference is 0 and not -0.
        turned = replace(
            c,
            variant=c.baseline,
            baseline=c.variant,
            delta=0.0 - c.delta,
            ci_low=0.0 - c.ci_high,
            ci_high=0.0 - c.ci_low,
            verdict=swapped,
        )
        return Compared(self.baseline, self.variant, self.seeds, turned)


class Comparison:
    """The variants of a study on one test set, to be compared pair by pair.

    clusters: (examples,) int or None. A seed that one of two variants lacks is left out of their contrast
    alone. Replicas of one variant have independent seeds, so their spreads over seeds are pooled; all other
    variants keep their own, as they share seed numbers.
    """

    def __init__(self, study: Row, scores: Scores, clusters: NDArray | None) -> None:
        self.study, self.scores, self.clusters = study, scores, clusters
        self.settings = study["compare"]

    def paired(self, one: int, other: int) -> bool:
        """Whether a seed means the same initialisation and data order in both."""
        rows = [self.study["variants"][number] for number in (one, other)]
        starts = [(row.get("size"), row.get("weights"), _replica(row)) for row in rows]
        return starts[0] == starts[1]

    @property
    def effective_clusters(self) -> float:
        """How many clusters speak for equivalence; nan for scores beyond 0 to 1, of which none can tell."""
        if not self.scores.score.bounded:
            return math.nan
        examples = len(self.scores.labels)
        return effective_clusters(np.arange(examples) if self.clusters is None else self.clusters)

    def has_replicas(self, numbers: Sequence[int]) -> bool:
        """Whether two of these variants are one but for their seeds."""
        rest = [_but_for_replica(self.study["variants"][number]) for number in numbers]
        return len(set(rest)) < len(rest)

    def of(self, pairs: Sequence[Pair]) -> list[Compared]:
        """Compare pairs (variant, baseline, paired); those without a seed in common are left out."""
        by_seeds: dict[tuple[int, ...], list[Pair]] = {}
        for pair in pairs:
            if all(number in self.scores.logits for number in pair[:2]):
                by_seeds.setdefault(tuple(self.scores.seeds(*pair[:2])), []).append(pair)
        every = [self._on(list(seeds), some) for seeds, some in by_seeds.items() if seeds]
        found = {(c.variant, c.baseline): c for compared in every for c in compared}
        return [found[pair[:2]] for pair in pairs if pair[:2] in found]

    def _on(self, seeds: list[int], pairs: list[Pair]) -> list[Compared]:
        able = [number for number in self.scores.logits if set(seeds) <= set(self.scores.seeds(number))]
        place = {number: k for k, number in enumerate(able)}
        rows = [self.study["variants"][number] for number in able]
        scores = np.stack([self.scores.on(number, seeds) for number in able])
        results = compare(
            scores,
            [(place[one], place[other]) for one, other, _ in pairs],
            clusters=self.clusters,
            groups=[_but_for_replica(row) for row in rows],
            identical=[[one["trials"] == other["trials"] for one in rows] for other in rows],
            paired=[paired for _, _, paired in pairs],
            alpha=self.settings["alpha"],
            margin=self.settings["margin"],
            correction="none",
            bounded=self.scores.score.bounded,
        )
        return [
            Compared(one, other, seeds, result)
            for (one, other, _), result in zip(pairs, results, strict=True)
        ]


def contrast_rows(comparison: Comparison, digests: Digests) -> list[Row]:
    """A row a declared contrast that has a seed in common, adjusted as one family.

    digests: (examples,) by variant. more_seeds: how many more would settle an inconclusive one with a chance
    of 80 %, if the truth is what was found; inf where none up to 1,000 does, nan where nothing is known of
    chance, None where the contrast is settled.
    """
    study, settings = comparison.study, comparison.settings
    pairs = [(c["variant"], c["baseline"], c["paired"]) for c in study["contrasts"]]
    compared = comparison.of(pairs)
    correction = "bh" if settings["exploratory"] else "holm"
    results = one_family([c.contrast for c in compared], settings["alpha"], correction)
    tested = sum(not math.isnan(result.p) for result in results)
    return [
        asdict(result)
        | variant_place(study["variants"][c.variant], c.variant)
        | {"baseline": study["variants"][c.baseline]["name"], "baseline_number": c.baseline}
        | {"affected_share": _affected_share(study["variants"], digests, c)}
        | {"seeds": c.seeds, "more_seeds": _more_seeds(comparison, c, result, tested)}
        for c, result in zip(compared, results, strict=True)
    ]


def _affected_share(variants: Sequence[Row], digests: Digests, compared: Compared) -> float | None:
    """The share of examples that two variants cut differently; None where their tokens cannot be compared."""
    pair = compared.variant, compared.baseline
    if not read_alike(*(variants[number] for number in pair)):
        return None
    return float((digests[pair[0]] != digests[pair[1]]).mean())


def read_alike(one: Row, other: Row) -> bool:
    """Whether two variants of a ledger read their texts with the same tokeniser."""
    return bool(one.get("tokenizer") == other.get("tokenizer"))


def uncompared(study: Row, rows: Sequence[Row]) -> list[Row]:
    """The declared contrasts that have no row, as their variants share no finished seed, by their names."""
    there = {(row["variant"], row["baseline_number"]) for row in rows}
    name = [row["name"] for row in study["variants"]]
    return [
        {"name": name[c["variant"]], "baseline": name[c["baseline"]]}
        for c in study["contrasts"]
        if (c["variant"], c["baseline"]) not in there
    ]


def _more_seeds(comparison: Comparison, compared: Compared, result: Contrast, tested: int) -> float | None:
    if result.verdict != "inconclusive":
        return None
    if not result.se > 0:
        return math.nan
    first, second = (comparison.scores.on(n, compared.seeds) for n in (compared.variant, compared.baseline))
    parts = contrast_parts(first, second, comparison.clusters, result.paired)
    settings = comparison.settings
    total = seeds_to_settle(
        parts,
        result.delta,
        settings["margin"],
        tested,
        settings["alpha"],
        paired=result.paired,
        effective_clusters=comparison.effective_clusters,
    )
    return math.inf if total is None else max(1, total - len(compared.seeds))


def variant_place(asked: Row, number: int) -> Row:
    """Which variant a row is about: number, name, coordinates, and the name of its series over max_len."""
    coordinates = asked["coordinates"]
    rest = [coordinate_words(key, value) for key, value in coordinates.items() if key != "max_len"]
    return {
        "variant": number,
        "name": asked["name"],
        "series": ", ".join(rest) or asked["truncation"],
        "max_len": asked["max_len"],
    }


def _replica(row: Row) -> Any:
    return row["coordinates"].get("replica")


def _but_for_replica(row: Row) -> str:
    """What tells a variant apart, its replica left out."""
    rest = {key: value for key, value in row["coordinates"].items() if key != "replica"}
    return repr(sorted(rest.items()))
