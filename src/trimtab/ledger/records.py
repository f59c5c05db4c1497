"""What lies in a study's ledger beside its trials: one definition for writers, readers, reports and tests.

Free of torch.
"""

from dataclasses import asdict
from typing import Any, Literal

from pydantic import Field, model_validator

from trimtab.data.dataset import Counts
from trimtab.data.target import Target, outputs_of
from trimtab.ledger.record import SCHEMA, Record
from trimtab.machine import Signature
from trimtab.model.architecture import Architecture
from trimtab.study.compare_section import Compare
from trimtab.study.grid import Coordinates, DeclaredContrast, place_words, variant_name
from trimtab.training.recipe import Precision, Recipe
from trimtab.truncation.audit import Audit
from trimtab.truncation.profile import LengthProfile, LengthSummary
from trimtab.truncation.windows import NO_WINDOWS


class LedgerRecord(Record):
    """ledger.json: whose ledger this is. Written first; a folder without it is no ledger."""

    study: str
    schema_number: int = Field(SCHEMA, alias="schema")


class RuntimeRecord(Record):
    """runtime.json: what a study runs on, resolved by its first run and kept from then on.

    threads: of each worker; precision: measured, by kind (see ``plan.identity.precision_kind``).
    """

    threads: int
    device: Literal["cpu", "cuda"]
    precision: dict[str, Precision] = Field({})


class WeightsRecord(Record):
    """The pretrained weights that a variant starts from: their name in the study, a hash of the tensors."""

    name: str
    fingerprint: str


class TokenizerRecord(Record):
    """How a variant reads texts: files of the ledger that an export needs.

    tokenizer: of ``tokenizers/NAME.json``; frequencies: of ``tokenizers/NAME.npy``, what a truncation that is
    fitted counted in the training split, None for others; texts: of one row.
    """

    tokenizer: str
    frequencies: str | None
    texts: Literal[1, 2]


class VariantRecord(Record):
    """One cell of the grid, resolved, with what its truncation cuts; ``number`` is its place in the study.

    inputs: the fingerprint of its inputs of all splits; test_inputs: of each test set's. cross: by test set,
    the other inputs on which its models are evaluated. same_as: the first variant that trains on the same
    inputs in the same way, itself where there is none. ceilings: by test set, the best accuracy that probe
    permits; best_rankings: of its rankings, the best of each measure, by test set and name of the score.
    audits: by split; label_audits: by test set and label; tokens: the mean of a row, special ones included,
    by split; hardly_cut: whether fewer than 1 % of every split are cut. trials: by seed of the study, the key
    of the trial. kept_tokenizer: None where no weights are kept. aliases: labels of the study's [names] for
    its coordinates, which stand in ``name``. windows: a spec string, ``none`` for a truncation;
    windows_per_row: their mean number by split, empty without windows.
    """

    number: int
    name: str
    coordinates: Coordinates
    truncation: str
    max_len: int
    size: Architecture
    recipe: Recipe
    weights: WeightsRecord | None
    replica: int
    tokenizer: str
    vocabulary: int
    inputs: str
    test_inputs: dict[str, str]
    cross: dict[str, tuple[str, ...]]
    same_as: int
    ceilings: dict[str, float]
    audits: dict[str, Audit]
    label_audits: dict[str, dict[str, Audit]]
    hardly_cut: bool
    tokens: dict[str, float]
    trials: dict[int, str]
    kept_tokenizer: TokenizerRecord | None = None
    aliases: dict[str, str] = Field({})
    best_rankings: dict[str, dict[str, float]] = Field({})
    windows: str = NO_WINDOWS
    windows_per_row: dict[str, float] = Field({})

    def ceiling(self, test: str, score: str) -> float | None:
        """The best that probe permits on a test set by the score of that name, None where it is unknown."""
        if score == "accuracy":
            return self.ceilings.get(test)
        return self.best_rankings.get(test, {}).get(score)

    @property
    def plain_name(self) -> str:
        """The name without labels of [names]: its coordinates as the study file has them."""
        return variant_name(self.coordinates)

    @property
    def series(self) -> str:
        """All coordinates but max_len: what a line over max_len is called."""
        rest = {key: value for key, value in self.coordinates.items() if key != "max_len"}
        return place_words(rest, self.aliases) or self.truncation

    @property
    def is_first(self) -> bool:
        """Whether no earlier variant has the same trials."""
        return self.same_as == self.number

    @property
    def settings(self) -> dict[str, Any]:
        """All that a study can set of a variant, resolved, by name."""
        return {
            **asdict(self.recipe),
            "truncation": self.truncation,
            "max_len": self.max_len,
            "size": str(self.size),
            "weights": self.weights.name if self.weights else "none",
            "tokenizer": self.tokenizer,
            "replica": self.replica,
            **({} if self.windows == NO_WINDOWS else {"windows": self.windows}),
        }

    @property
    def initialisation(self) -> tuple[Architecture, str | None, int]:
        """What a seed's initial weights and order of rows depend on, beside it; see ``grid.are_paired``."""
        return self.size.begins_as, self.weights.name if self.weights else None, self.replica


class ExclusionRecord(Record):
    """Variants that the study leaves out, and why."""

    place: Coordinates
    because: str


class StudyRecord(Record):
    """study.json: what the study asked for when it last ran, resolved.

    text: the study file's. counts: one per split. vocabularies: the number of ids by tokeniser. profiles:
    of train and each test set, under ``split`` or ``split (tokeniser)`` where there are several; lengths: of
    each split, likewise. validation_prior: the share of the commonest label of validation, None in ledgers
    that are older than it. looked_at: numbers of seeds with which it was complete before, and so could be
    looked at, without having planned that. target: what labels are; where they are no classes, ``labels`` is
    empty, and a model has one output.
    """

    name: str
    question: str
    text: str
    seeds: tuple[int, ...]
    variants: tuple[VariantRecord, ...]
    excluded: tuple[ExclusionRecord, ...]
    contrasts: tuple[DeclaredContrast, ...]
    compare: Compare
    tests: tuple[str, ...]
    labels: tuple[str, ...]
    vocabularies: dict[str, int]
    counts: tuple[Counts, ...]
    profiles: dict[str, LengthProfile]
    lengths: dict[str, LengthSummary]
    signature: Signature
    runtime: RuntimeRecord
    validation_prior: float | None = None
    looked_at: tuple[int, ...] = ()
    target: Target = "classes"
    files: dict[str, str] = Field({})

    @model_validator(mode="after")
    def _agrees(self) -> "StudyRecord":
        """ValueError where its parts do not fit each other, as after damage to an older ledger."""
        numbers, tests = range(len(self.variants)), set(self.tests)
        if not numbers or not self.tests or not self.seeds:
            raise ValueError("it has no variants, test sets or seeds")
        if [one.number for one in self.variants] != list(numbers):
            raise ValueError("its variants are not numbered from 0 on")
        for one in self.variants:
            if one.same_as not in numbers or set(one.trials) != set(self.seeds):
                raise ValueError(f"variant {one.number} does not name a trial for each seed")
            if set(one.test_inputs) != tests or not tests.issuperset({*one.cross, *one.ceilings}):
                raise ValueError(
                    f"variant {one.number} does not speak of the test sets {', '.join(self.tests)}"
                )
            if not set(one.tokens).issuperset(one.audits):
                raise ValueError(f"variant {one.number} has no mean of tokens for each split")
        if any({one.variant, one.baseline} - set(numbers) for one in self.contrasts):
            raise ValueError("its contrasts name variants that it does not have")
        return self

    @property
    def scores(self) -> tuple[str, ...]:
        """The names of the scores that suit its labels, the usual one first."""
        from trimtab.statistics import scores_for  # scipy takes its time, and few readers need it

        return tuple(scores_for(self.labels, self.target))

    @property
    def outputs(self) -> int:
        """How many numbers a model gives for a row: one for each class, else one."""
        return outputs_of(self.target, self.labels)

    @property
    def wanted(self) -> dict[str, list[tuple[VariantRecord, int]]]:
        """Every trial by its key, in the study's order, with the variants and seeds that want it."""
        found: dict[str, list[tuple[VariantRecord, int]]] = {}
        for variant in self.variants:
            for seed, key in variant.trials.items():
                found.setdefault(key, []).append((variant, seed))
        return found


Range = tuple[int, int]  # characters of a text, from and to


class CutRecord(Record):
    """What some variants keep of a row: for each text the ranges of characters; None where they refuse it."""

    variants: tuple[int, ...]
    kept: tuple[tuple[Range, ...], ...] | None


class RowRecord(Record):
    """A row of a test set, with its number from 0: its texts and what each cut leaves of them."""

    row: int
    texts: tuple[str, ...]
    cuts: tuple[CutRecord, ...]


class RowsRecord(Record):
    """rows.json: some rows of each test set, for a reader to look at; see ``plan.rows``."""

    tests: dict[str, tuple[RowRecord, ...]]


class LooksRecord(Record):
    """looks.json: what the planned looks have come to, for those who watch a run; see ``analysis.looks``.

    It follows from the trials, and is written again by every run. planned: numbers of seeds; taken: how many
    looks; stopped: by key, the look, from 1, at which it was decided that a trial is not to be run.
    """

    planned: tuple[int, ...]
    taken: int
    stopped: dict[str, int]
