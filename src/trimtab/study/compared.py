"""What a comparison needs to know of variants, wherever their predictions are from.

A ledger's records and a table of predictions made elsewhere both give it, so that one analysis and one report
serve both.
"""

from collections.abc import Hashable, Mapping, Sequence
from typing import Any, Protocol

from trimtab.study.compare_section import Compare
from trimtab.study.grid import DeclaredContrast


class ComparedVariant(Protocol):
    """One of the variants; ``number`` is its place among them."""

    @property
    def number(self) -> int:
        """Its place, from 0."""

    @property
    def name(self) -> str:
        """What reports call it."""

    @property
    def coordinates(self) -> Mapping[str, Any]:
        """What tells it apart, by axis."""

    @property
    def aliases(self) -> Mapping[str, str]:
        """Labels of its coordinates, by their words."""

    @property
    def series(self) -> str:
        """What it shares a colour with in figures: its name without max_len."""

    @property
    def same_as(self) -> int:
        """The number of the first variant with the same trials, its own where there is none."""

    @property
    def is_first(self) -> bool:
        """Whether no earlier variant has the same trials."""

    @property
    def initialisation(self) -> Hashable:
        """What a seed means beside its number: seeds pair two variants in which it is equal."""

    @property
    def max_len(self) -> int | None:
        """Tokens of a row; None where nothing is known of it."""


class ComparedStudy(Protocol):
    """Variants that are compared, the contrasts that are declared between them, and how they are judged."""

    @property
    def name(self) -> str:
        """The title of a report."""

    @property
    def question(self) -> str:
        """What is asked, in a sentence."""

    @property
    def seeds(self) -> Sequence[int]:
        """Every seed that some variant has, or is to have."""

    @property
    def variants(self) -> Sequence[ComparedVariant]:
        """All variants, in the order of their numbers."""

    @property
    def contrasts(self) -> Sequence[DeclaredContrast]:
        """The declared contrasts: one family over all test sets."""

    @property
    def compare(self) -> Compare:
        """Score, margin and level."""

    @property
    def tests(self) -> Sequence[str]:
        """The names of the test sets."""

    @property
    def labels(self) -> tuple[str, ...]:
        """The names of the classes; empty where scores are given and there are none."""

    @property
    def scores(self) -> Sequence[str]:
        """The names of all scores that its predictions can be judged by."""
