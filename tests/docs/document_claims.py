"""Every figure in README and docs/ that a study produced: the words around it, and where it is read from.

A claim is a piece of a document's text with {} for each figure. White space counts as one blank, so that
paragraphs may be wrapped anew.
"""

from collections.abc import Callable, Iterator

import document_benchmarks
import document_measurements
from document_figures import (
    PERFORMANCE,
    PRETRAINING,
    README,
    RESULTS_PAGE,
    STATISTICS,
    Claim,
    above_ceiling,
    contrast,
    count,
    decimals,
    means,
    of_report,
    percent,
    rate,
    row,
    rows,
    smallest_p,
    table,
    trials,
    verdicts,
)

_SELECTED = ("longest_first+tail", "longest_first+head_tail")
EVIDENCE = ("evidence-head", "evidence-tail", "evidence-uniform")
PRETRAINED = "weights results/pretrain-wikitext2-long/model"
DIFFERENT = ("better", "worse")


def claims() -> list[Claim]:
    """All claims of all documents."""
    parts = (_quickstart, _snli, _evidence, _windows, _rankings, _wikiqa, _boolq, _aa, _cola, _fnc1, _weights)
    others = (document_measurements.claims, document_benchmarks.claims)
    return [claim for part in (*parts, *others) for claim in part()]


# Documents that should say the same figure in other words have a claim each.


def _quickstart() -> Iterator[Claim]:
    def accuracy(name: str) -> str:
        return means("quickstart-reference", "test", f"{name}, max_len 16")[0]

    def line(name: str) -> list[str]:
        full, base = f"{name}, max_len 16", "longest_first, max_len 16"
        own = means("quickstart-reference", "test", full, "mean ci_low ci_high ceiling")
        if full == base:
            return own
        return own + contrast("quickstart-reference", "test", full, base, "delta ci_low ci_high verdict")

    for name in ("longest_first+tail", "ratio", "only_first"):
        text = f"| {name} | {{}} ({{}} to {{}}) | {{}} | {{}} ({{}} to {{}}) | {{}} |"
        yield Claim(README, text, lambda name=name: line(name))
    yield Claim(README, "| longest_first | {} ({} to {}) | {} | | |", lambda: line("longest_first"))
    names = ("longest_first", "longest_first+tail", "ratio", "only_first")
    yield Claim(
        RESULTS_PAGE,
        "`longest_first` reaches {} %, keeping only the end of each text {} %, `ratio` {} %, and "
        "`only_first`, which never cuts the second text, {} %",
        lambda: [accuracy(name) for name in names],
    )


def _snli() -> Iterator[Claim]:
    sparing = "only_first(otherwise=longest_first)"

    def reached(name: str, length: int) -> str:
        return means("snli-27k", "snli", f"{name}, max_len {length}")[0]

    def against(name: str, length: int) -> list[str]:
        pair = (f"{name}, max_len {length}", f"longest_first, max_len {length}")
        return contrast("snli-27k", "snli", *pair, "delta verdict")

    def lost(length: int) -> str:
        return against("ratio", length)[0].removeprefix("-")

    yield Claim(
        README,
        "cutting only the premise reaches {} %, cutting both sides in proportion {} %; uncut, the same "
        "encoder reaches {} %",
        lambda: [reached(sparing, 16), reached("ratio", 16), reached("longest_first", 128)],
    )
    for document, words in (
        (README, "SNLI with {} training pairs"),
        (RESULTS_PAGE, "`snli/train_27k.tsv`: {} rows"),
        (RESULTS_PAGE, "from scratch on {} pairs"),
        (PERFORMANCE, "on the {} rows of SNLI's sample"),
        (PRETRAINING, "On SNLI, with {} training pairs"),
    ):
        yield Claim(document, words, lambda: [rows("snli-27k", "train")])
    yield Claim(README, "ratio loses {} and {} points to longest_first", lambda: [lost(16), lost(24)])
    yield Claim(
        RESULTS_PAGE,
        "| longest_first | {} | {} | {} | | ratio",
        lambda: [reached("longest_first", length) for length in (16, 24, 128)],
    )
    for words, name in (("ratio", "ratio"), ("only_first, else longest_first", sparing)):
        yield Claim(
            RESULTS_PAGE,
            f"| {words} | {{}} ({{}}, {{}}) | {{}} ({{}}, {{}}) | {{}} |",
            lambda name=name: [
                *(each for length in (16, 24) for each in (reached(name, length), *against(name, length))),
                against(name, 128)[1],
            ],
        )
    yield Claim(
        RESULTS_PAGE,
        "16 tokens: {} % against {} % uncut, at {} examples/s against {}",
        lambda: [
            reached(sparing, 16),
            reached("longest_first", 128),
            rate("snli-27k", f"{sparing}, max_len 16"),
            rate("snli-27k", "longest_first, max_len 128"),
        ],
    )


def _evidence() -> Iterator[Claim]:
    def line(name: str, ceiling: bool = True) -> list[str]:
        found = []
        for test in EVIDENCE:
            found += means("probe-evidence", test, name, "mean ceiling" if ceiling else "mean")
            if name != "longest_first":
                found += contrast("probe-evidence", test, name, "longest_first", "verdict")
        return found

    rest = "| {} ({}), {} | {} ({}), {} | {} ({}), {} |"
    yield Claim(
        RESULTS_PAGE, "| longest_first (head) | {} ({}) | {} ({}) | {} ({}) |", lambda: line("longest_first")
    )
    for name in ("tail", "head_tail(head=0.5)", "middle", "random"):
        yield Claim(RESULTS_PAGE, f"| +{name} {rest}", lambda name=name: line(f"longest_first+{name}"))
    yield Claim(
        RESULTS_PAGE,
        "| +salient (no ceiling) | {}, {} | {}, {} | {}, {} |",
        lambda: line("longest_first+salient", ceiling=False),
    )
    text = "{} mean is significantly above its"
    yield Claim(RESULTS_PAGE, text, lambda: [above_ceiling("probe-evidence", *EVIDENCE)])
    yield Claim(
        README,
        "yes: {} mean is significantly above its ceiling",
        lambda: [above_ceiling("probe-evidence", *EVIDENCE).lower()],
    )
    yield Claim(RESULTS_PAGE, "of {} such mismatches, {} are shown to be worse", _mismatches)


def _windows() -> Iterator[Claim]:
    uncut = "longest_first, max_len 44, windows none"

    def line(name: str) -> list[str]:
        found = means("probe-windows", "test", name, "mean ceiling")
        return found if name == uncut else found + contrast("probe-windows", "test", name, uncut, "verdict")

    for words, name in (
        *((cut, f"{cut}, max_len 20, windows none") for cut in ("longest_first", *_SELECTED)),
        *(
            (
                f"windows, pooling={way}",
                f"longest_first, max_len 20, windows second(stride=0.5, pooling={way})",
            )
            for way in ("max", "mean")
        ),
    ):
        yield Claim(RESULTS_PAGE, f"| {words} | {{}} ({{}}) | {{}} |", lambda name=name: line(name))
    yield Claim(RESULTS_PAGE, "| uncut | {} ({}) | |", lambda: line(uncut))

    def costs() -> list[str]:
        found = table("probe-windows/tables/equal-tokens-test.csv").iloc[0]
        assert found["rival"] == uncut
        return [f"{found[column]:.1f}" for column in ("windows", "tokens", "rival_tokens")]

    yield Claim(
        RESULTS_PAGE, "They cost: {} windows and {} tokens a row, where the uncut pair has {} tokens", costs
    )


def _rankings() -> Iterator[Claim]:
    first = "longest_first, max_len 24"

    def line(name: str) -> list[str]:
        return means("probe-ranking", "test", name, "mean ceiling", "map")

    yield Claim(RESULTS_PAGE, "| longest_first | {} ({}) | |", lambda: line(first))
    uncut = "longest_first, max_len 48"
    yield Claim(RESULTS_PAGE, "| uncut, max_len 48 | {} ({}) | |", lambda: line(uncut))
    for cut in ("second_priority", "second_priority+tail"):
        name = f"{cut}, max_len 24"
        yield Claim(
            RESULTS_PAGE,
            f"| {cut} | {{}} ({{}}) | {{}}, {{}} |",
            lambda name=name: line(name) + contrast("probe-ranking", "test", name, first, "delta verdict"),
        )


def _wikiqa() -> Iterator[Claim]:
    lengths = (24, 32, 64)

    def cell(cut: str, length: int) -> list[str]:
        name, first = f"{cut}, max_len {length}", f"longest_first, max_len {length}"
        reached = means("wikiqa", "test", name, score="map")
        return reached + ([] if name == first else contrast("wikiqa", "test", name, first, "delta verdict"))

    def line(cut: str) -> list[str]:
        return [figure for length in lengths for figure in cell(cut, length)]

    yield Claim(
        RESULTS_PAGE, "| longest_first | {} | {} | {} | | capped(first=8)", lambda: line("longest_first")
    )
    for cut in ("capped(first=8)", "second_priority", "ratio"):
        rest = " | ".join(["{} ({}, {})"] * len(lengths))
        yield Claim(RESULTS_PAGE, f"| {cut} | {rest} |", lambda cut=cut: line(cut))

    def spread() -> str:
        seeds = (
            table("wikiqa/tables/map-test.csv")["by_seed"]
            .str.split()
            .map(lambda each: list(map(float, each)))
        )
        return percent(max(max(each) - min(each) for each in seeds))

    found = verdicts("wikiqa", "test")
    yield Claim(
        RESULTS_PAGE,
        "{} of {} contrasts are inconclusive, those between lengths",
        lambda: [count(found, "inconclusive"), str(len(found))],
    )
    yield Claim(RESULTS_PAGE, "seeds of one variant differ by up to {} points", lambda: [spread()])
    yield Claim(
        RESULTS_PAGE,
        "differences from {} points on, however",
        lambda: [of_report("wikiqa", r"differences from (\S+) points on")],
    )
    yield Claim(
        RESULTS_PAGE, "A random order has {} %", lambda: [of_report("wikiqa", r"baseline, .*?: (\S+) %")]
    )
    yield Claim(RESULTS_PAGE, "MiniLM on {} rows of WikiQA's", lambda: [rows("wikiqa", "train")])


def _boolq() -> Iterator[Claim]:
    cut = "max_len 64, windows none"

    def line(name: str) -> list[str]:
        tokens = row("boolq-windows/tables/audit.csv", name=name, split="test")["tokens"]
        against = [] if name == cut else contrast("boolq-windows", "test", name, cut, "delta verdict")
        return [*means("boolq-windows", "test", name), *against, f"{tokens:.1f}"]

    yield Claim(RESULTS_PAGE, "| cut to 64 tokens | {} | | {} |", lambda: line(cut))
    for words, name in (
        ("windows of 64 tokens, max", "max_len 64, windows second(stride=1, pooling=max)"),
        ("256 tokens, hardly cut", "max_len 256, windows none"),
    ):
        yield Claim(RESULTS_PAGE, f"| {words} | {{}} | {{}}, {{}} | {{}} |", lambda name=name: line(name))
    yield Claim(
        RESULTS_PAGE,
        "MiniLM on {} pairs of BoolQ, tested on the {} pairs",
        lambda: [rows("boolq-windows", "train"), rows("boolq-windows", "test")],
    )
    yield Claim(
        RESULTS_PAGE,
        "no variant beats the label-prior baseline of {} %",
        lambda: [of_report("boolq-windows", r"baseline, .*?: (\S+) %")],
    )
    yield Claim(RESULTS_PAGE, "{} pairs and two epochs are too few", lambda: [rows("boolq-windows", "train")])


def _mismatches() -> list[str]:
    tables = [table(f"probe-evidence/tables/mismatches-{test}.csv")["matched_verdict"] for test in EVIDENCE]
    return [str(sum(map(len, tables))), str(sum(int((each == "worse").sum()) for each in tables))]


def _aa() -> Iterator[Claim]:
    def different() -> str:
        return count(verdicts("aa", "test"), *DIFFERENT)

    for document in (RESULTS_PAGE, STATISTICS):
        yield Claim(
            document,
            "Of nine comparisons, {} are called different; the smallest adjusted p is {}",
            lambda: [different(), smallest_p("aa", "test")],
        )
    yield Claim(STATISTICS, "ten replicas of one strategy, {} trials", lambda: [trials("aa")])
    yield Claim(README, "of nine contrasts, {} are called different", lambda: [different()])


def _cola() -> Iterator[Claim]:
    tests = ("in_domain", "out_of_domain")

    def line(epoch: str) -> list[str]:
        options = {"columns": "mean ci_low ci_high", "score": "matthews", "write": decimals(2)}
        return [each for test in tests for each in means("cola", test, f"evaluate {epoch}", **options)]

    def compared(study: str, name: str, base: str) -> list[str]:
        found = (contrast(study, test, name, base, "verdict p_adjusted", decimals(3)) for test in tests)
        return [each for pair in found for each in pair]

    yield Claim(RESULTS_PAGE, "| last epoch | {} ({} to {}) | {} ({} to {}) |", lambda: line("last"))
    text = "| epoch of the lowest validation loss | {} ({} to {}) | {} ({} to {}) |"
    yield Claim(RESULTS_PAGE, text, lambda: line("best_loss"))
    yield Claim(
        RESULTS_PAGE,
        "| difference | {} (p = {}) | {} (p = {}) |",
        lambda: compared("cola", "evaluate best_loss", "evaluate last"),
    )
    yield Claim(README, "{} between the last and the lowest validation loss", _undecided)
    yield Claim(
        RESULTS_PAGE,
        "the last epoch's weights is {} % and {} %",
        lambda: [
            percent(row(f"cola/tables/other-scores-{test}.csv", name="evaluate last")["accuracy_mean"], 1)
            for test in tests
        ],
    )
    pair = ("longest_first+tail, max_len 8", "longest_first+tail, max_len 16")
    yield Claim(
        RESULTS_PAGE,
        "in domain: by {} ({} to {}) in Matthews correlation",
        lambda: [
            each.removeprefix("-")
            for each in contrast("cola-lengths", tests[0], *pair, "delta ci_high ci_low", decimals(3))
        ],
    )
    yield Claim(
        README,
        "the tail alone is {} than at 16",
        lambda: contrast("cola-lengths", tests[0], *pair, "verdict"),
    )
    yield Claim(
        RESULTS_PAGE,
        "Of {} comparisons, {} are inconclusive",
        lambda: [str(len(found := verdicts("cola-lengths", *tests))), count(found, "inconclusive")],
    )


def _undecided() -> list[str]:
    (verdict,) = set(verdicts("cola", "in_domain", "out_of_domain"))
    return [verdict]


def _fnc1() -> Iterator[Claim]:
    def lost() -> list[str]:
        found = contrast("fnc1", "fnc1", "ratio", "longest_first", "verdict delta ci_high ci_low")
        return [each.removeprefix("-") for each in found]

    def range_of_means() -> list[str]:
        found = table("fnc1/tables/macro_f1-fnc1.csv")["mean"]
        return [percent(found.min(), 1), percent(found.max(), 1)]

    sample = "a sample of {} training rows"
    yield Claim(RESULTS_PAGE, sample, lambda: [rows("fnc1", "train", "validation")])
    yield Claim(RESULTS_PAGE, "macro F1 is {} to {} %", range_of_means)
    yield Claim(
        RESULTS_PAGE,
        "`ratio` is shown to be {}, by {} points ({} to {}), {} are inconclusive",
        lambda: [*lost(), count(verdicts("fnc1", "fnc1"), "inconclusive")],
    )


def _weights() -> Iterator[Claim]:
    def gained(write: Callable[[float], str] = percent) -> list[str]:
        return contrast(
            "pretraining-helps", "snli", PRETRAINED, "weights none", "verdict delta ci_low ci_high", write
        )

    def reached(name: str) -> str:
        return means("pretraining-helps", "snli", name)[0]

    def minilm() -> list[str]:
        return means("snli-minilm", "snli", "weights minilm", "mean ci_low ci_high")

    yield Claim(README, "{} points on SNLI after half an hour", lambda: gained()[1:2])
    yield Claim(
        README, "{} %, but its weights had been trained on SNLI's and MultiNLI's", lambda: minilm()[:1]
    )
    yield Claim(
        PRETRAINING,
        "`small` reaches {} % from them and {} % from scratch with the same vocabulary: {} by {} points "
        "({} to {})",
        lambda: [reached(PRETRAINED), reached("weights none"), *gained()],
    )
    yield Claim(PRETRAINING, "and reaches {} % ({} to {}, three seeds)", minilm)
    yield Claim(
        RESULTS_PAGE,
        "is {} than from scratch by {} points ({} to {}), at {} %",
        lambda: [*gained(), reached(PRETRAINED)],
    )
    yield Claim(RESULTS_PAGE, "MiniLM reaches {} %, but", lambda: minilm()[:1])
    yield Claim(
        RESULTS_PAGE,
        "reaches {} % on SNLI's test split after two epochs",
        lambda: means("snli-mpnet", "snli", "longest_first")[:1],
    )
    yield Claim(RESULTS_PAGE, "on the development split, which reached {} to {} %", _recipes)


def _recipes() -> list[str]:
    found = table("snli-minilm-recipes/tables/accuracy-development.csv")["mean"]
    return [percent(found.min()), percent(found.max())]
