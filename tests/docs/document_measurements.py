"""Claims of which commit made what, and of what pretraining and calibration measured."""

from collections.abc import Callable, Iterator

from document_figures import (
    PRETRAINING,
    RESULTS_PAGE,
    STATISTICS,
    Claim,
    commit,
    kept,
    minutes,
    percent,
    record,
    row,
    table,
    trials,
    whole,
)

STUDIES = (
    *("quickstart-reference", "aa", "probe-evidence", "snli-27k", "cola", "cola-lengths", "fnc1"),
    *("pretraining-helps", "snli-minilm-recipes", "snli-minilm"),
)


def claims() -> Iterator[Claim]:
    """All of them."""
    for part in (_made, _pretraining, _calibration):
        yield from part()


def _made() -> Iterator[Claim]:
    for study in STUDIES:
        yield Claim(
            RESULTS_PAGE,
            f"| {study} | {{}} | {{}} | {{}} | {{}} |",
            lambda study=study: [commit(study), kept(study), trials(study), minutes(study)],
        )


def _pretraining() -> Iterator[Claim]:
    words, padded = (
        "masked words, over real masked words",
        "masked words, the tutorial's average over padding too",
    )

    def loss(study: str, name: str, column: str, digits: int) -> str:
        found = row(f"pretrain-{study}/tables/losses.csv", loss=name)
        return f"{found[column]:.{digits}f}"

    def both(*which) -> Callable[[], list[str]]:
        return lambda: [loss(study, *which) for study in ("wikitext2", "wikitext2-padded")]

    yield Claim(PRETRAINING, "| masked words, last five steps | {} | {} |", both(words, "last", 2))
    yield Claim(PRETRAINING, "| the tutorial's average, all steps | {} | {} |", both(padded, "all", 2))
    yield Claim(PRETRAINING, "| next sentence, all steps | {} | {} |", both("next sentence", "all", 3))
    yield Claim(
        PRETRAINING,
        "left between {} and the tutorial's",
        lambda: [loss("wikitext2-padded", padded, "all", 2)],
    )

    def long() -> list[str]:
        found = record("pretrain-wikitext2-long/result.json")
        validation = found["validation"]
        return [
            f"{found['training']['seconds'] / 60:.0f}",
            f"{validation['masked_words']:.2f}",
            percent(validation["masked_words_accuracy"], 1),
            f"{validation['next_sentence']:.3f}",
            percent(validation["next_sentence_accuracy"], 1),
        ]

    yield Claim(PRETRAINING, "on one core, in {} minutes", lambda: long()[:1])
    yield Claim(
        PRETRAINING,
        "{} nats per masked word ({} % right), and {} nats for the next sentence ({} % right)",
        lambda: long()[1:],
    )


def _calibration() -> Iterator[Claim]:
    def cells(two: bool, which: str = "cells"):
        found = table("calibration/calibration.csv")
        found = found[found["table"] == which]
        return found[(found["seeds"] == 2) == two]

    def span(values) -> list[str]:
        return [percent(values.min(), 1), percent(values.max(), 1)]

    def studies() -> str:
        return whole(int(record("calibration/calibration.json")["signature"]["studies"]))

    yield Claim(STATISTICS, "calibration.md) holds {} simulated studies", lambda: [studies()])
    text = "| equal variants are called different | in {} to {} % of"
    yield Claim(STATISTICS, text, lambda: span(cells(False)["type_1"]))
    yield Claim(
        STATISTICS,
        "between six equal variants, after Holm | in {} to {} % of",
        lambda: span(cells(False, "families")["family"]),
    )
    yield Claim(
        STATISTICS,
        "| the interval holds the true difference | in {} % of",
        lambda: span(cells(False)["coverage"])[:1],
    )
    yield Claim(
        STATISTICS,
        "equal variants called different, at worst | in {} % of",
        lambda: span(cells(True)["type_1"])[1:],
    )
    yield Claim(
        STATISTICS,
        "the interval holds the true difference, at worst | in {} % of",
        lambda: span(cells(True)["coverage"])[:1],
    )
