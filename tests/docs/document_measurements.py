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
from trimtab.statistics.looks import nominal_levels

STUDIES = (
    *(
        "quickstart-reference",
        "aa",
        "probe-evidence",
        "probe-windows",
        "probe-ranking",
        "wikiqa",
        "boolq-windows",
        "snli-27k",
        "cola",
        "cola-lengths",
        "fnc1",
    ),
    *("pretraining-helps", "snli-minilm-recipes", "snli-minilm"),
)


def claims() -> Iterator[Claim]:
    """All of them."""
    for part in (_made, _pretraining, _calibration, _looks):
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
    def rows(part: str, **where):
        """The rows of a table of the calibration whose columns have these values."""
        found = record("calibration/calibration.json")[part]["rows"]
        return [row for row in found if all(row[key] == value for key, value in where.items())]

    def span(found, column: str) -> list[str]:
        values = [row[column] for row in found]
        return [percent(min(values), 1), percent(max(values), 1)]

    def studies(part: str) -> list[str]:
        return [whole(int(record("calibration/calibration.json")[part]["signature"]["studies"]))]

    def many_seeds():
        return [row for row in rows("cells") if row["seeds"] > 2]

    def hidden() -> list[str]:
        """Coverage of the intervals that are not given, at worst."""
        by_score = [
            [row["hidden_coverage"] for row in rows("few_rows", score=name) if "hidden_coverage" in row]
            for name in ("calibration_error", "macro_f1")
        ]
        return [percent(min(some), 0) for some in by_score]

    def several_sets():
        return [row for row in rows("noise") if row["sets"] > 1]

    def least_coverage() -> list[str]:
        return [percent(min(row["coverage"] for row in rows("cells") + rows("noise", collapse=0.0)), 1)]

    yield Claim(STATISTICS, "truth is known. First, {} for each", lambda: studies("cells"))
    yield Claim(STATISTICS, "of many examples, {} for each family", lambda: studies("noise"))
    yield Claim(STATISTICS, "In {} simulated studies of many designs", lambda: studies("chances"))
    in_studies = "in {} to {} % of"
    for text, found, column in (
        ("| equal variants are called different | ", many_seeds, "type_1"),
        ("| the same, two seeds | ", lambda: rows("cells", seeds=2), "type_1"),
        ("between six equal variants, after Holm | ", lambda: rows("families"), "family"),
        ("after Holm, paired | ", lambda: rows("noise", paired=True, sets=1, collapse=0.0), "family"),
        ("| the same, unpaired | ", lambda: rows("noise", paired=False, sets=1), "family"),
        ("two, three and five test sets | ", several_sets, "family"),
        ("of equal mean, is called different | ", lambda: rows("noise", collapse=0.1), "false_verdict"),
    ):
        yield Claim(STATISTICS, text + in_studies, lambda f=found, c=column: span(f(), c))
    yield Claim(STATISTICS, "| the interval holds the true difference | in {} % of", least_coverage)
    yield Claim(STATISTICS, "as few as {} % of studies, those of the latter in as few as {} %", hidden)
    yield from _chances()
    yield from _other_packages()


def _chances() -> Iterator[Claim]:
    """Chances of settling: each fifth, then the numbers of seeds that are named."""
    words = ("under 20 %", "20 to 40 %", "40 to 60 %", "60 to 80 %", "80 % or more", "seeds that is named")
    for number, text in enumerate(words):

        def told(number: int = number) -> list[str]:
            row = record("calibration/calibration.json")["chances"]["rows"][number]
            return [percent(row["predicted"], 0), percent(row["came_true"], 0)]

        yield Claim(STATISTICS, f"{text} | {{}} % | {{}} % |", told)


def _other_packages() -> Iterator[Claim]:
    """What other packages call different."""

    def studies() -> list[str]:
        return [whole(int(record("calibration/peers.json")["signature"]["studies"]))]

    yield Claim(STATISTICS, "In {} simulated studies a column", studies)

    def of_one_seed() -> list[str]:
        row = record("calibration/peers.json")["rows"][-1]
        return [percent(row[f"false, {points} points"], 0) for points in ("0.8", "2")]

    yield Claim(STATISTICS, "variants different in {} to {} % of simulated studies", of_one_seed)

    names = (
        "trimtab, paired",
        "evalstats, nested bootstrap",
        "errorbars, paired t over examples",
        "evalsig, permutation over examples",
        "one seed, McNemar (errorbars, evalsig)",
    )
    for number, name in enumerate(names):

        def rates(number: int = number) -> list[str]:
            row = dict(record("calibration/peers.json")["rows"][number])
            row.pop("method")
            return [percent(rate, 0) for rate in row.values()]

        yield Claim(STATISTICS, f"| {name} | {{}} % | {{}} % | {{}} % | {{}} % |", rates)


def _looks() -> Iterator[Claim]:
    def rows(name: str):
        found = table("calibration/looks.csv")
        return found[found["table"] == name]

    def unplanned() -> list[str]:
        level = rows("level")
        [one] = level[(level["contrasts"] == 1) & (level["seed_points"] == 1)].to_dict("records")
        return [percent(one[name], 1) for name in ("one_look", "unplanned", "every_seed")]

    def families() -> list[str]:
        rates = rows("level")["family"]
        return [percent(rates.min(), 1), percent(rates.max(), 1)]

    def powers(truth: float) -> list[str]:
        power = rows("power")
        [one] = power[power["truth_points"] == truth].to_dict("records")
        named = [percent(one[name], 0) for name in ("power", "power_12_seeds", "power_8_seeds")]
        return [f"{one['trials']:.0f}", *(named if truth else [])]

    def levels() -> list[str]:
        found = nominal_levels((3, 5, 8, 12), 12, 0.05)[:, 0]
        return [f"{100 * each:.2g}" for each in found]

    yield Claim(
        STATISTICS,
        "called different in {} % of simulated studies that are tested once, in {} % of those tested after "
        "3, 5, 8 and 12 seeds, and in {} % of those",
        unplanned,
    )
    yield Claim(STATISTICS, "the levels are {}, {}, {} and {} %", levels)
    yield Claim(STATISTICS, "equal variants is called different in {} to {} % of studies", families)
    yield Claim(STATISTICS, "| none | {} | | | |", lambda: powers(0.0))
    for words, truth in (("half a point", 0.5), ("one point", 1.0), ("two points", 2.0)):
        yield Claim(
            STATISTICS, f"| {words} | {{}} | {{}} % | {{}} % | {{}} % |", lambda truth=truth: powers(truth)
        )
