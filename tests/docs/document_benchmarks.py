"""Claims of what benchmarks measured, in README and docs/performance.md."""

from collections.abc import Iterator

import numpy as np

from document_figures import PERFORMANCE, README, Claim, record, whole

XEON, EPYC, ABLATION = "bench/peers-cpu.json", "bench/peers-cpu-epyc.json", "bench/ablation.json"
BOOKS = "bench/books.json"
_AS_IT_IS = "trimtab"


def claims() -> Iterator[Claim]:
    """All of them."""
    for part in (_peers, _scoring, _other_benchmarks, _ablation, _books, _verdict):
        yield from part()


def _contestant(path: str, name: str, batches: str, precision: str) -> float:
    """The median rate of a contestant in the race of training."""
    found = [
        one["examples_per_second"]["median"]
        for one in record(path)["training"]["contestants"]
        if one["name"].startswith(name) and (one["batches"], one["precision"]) == (batches, precision)
    ]
    assert len(found) == 1, f"{path}: {len(found)} contestants {name}, {batches}, {precision}"
    return found[0]


def _ratio(path: str, name: str, batches: str, precision: str) -> dict[str, float]:
    """By how much trimtab was faster: median, lowest and highest over the rounds."""
    found = [
        one["ratio"]
        for one in record(path)["training"]["ratios"]
        if one["against"].startswith(name) and one["against"].endswith(f", {batches}, {precision}")
    ]
    assert len(found) == 1, f"{path}: {len(found)} ratios against {name}, {batches}, {precision}"
    return found[0]


def _brief(ratio: float) -> str:
    """53 and 8.8: two digits."""
    return f"{ratio:.0f}" if ratio >= 9.95 else f"{ratio:.1f}"


def _peers() -> Iterator[Claim]:
    grouped = "grouped by length"
    of_machines = ((XEON, "bf16"), (EPYC, "fp32"))

    def line(name: str, batches: str) -> list[str]:
        found = []
        for path, precision in of_machines:
            chosen = (path, name, batches, "fp32" if name == "d2l" else precision)
            found += [whole(_contestant(*chosen)), _brief(_ratio(*chosen)["median"])]
        return found

    yield Claim(
        PERFORMANCE,
        "| trimtab, random batches | {} | {} |",
        lambda: [whole(_contestant(path, "trimtab", "random", precision)) for path, precision in of_machines],
    )
    for words, name, batches in (
        ("d2l 1.0.3, padded to 128", "d2l", "random"),
        ("transformers 5.23 Trainer, random batches", "transformers", "random"),
        ("transformers 5.23 Trainer, grouped by length", "transformers", grouped),
    ):
        text = f"| {words} | {{}} ({{}}) | {{}} ({{}}) |"
        yield Claim(PERFORMANCE, text, lambda name=name, batches=batches: line(name, batches))
    hardest = (XEON, "transformers", grouped, "bf16")
    yield Claim(
        PERFORMANCE,
        "the ratio was {} to {} over three rounds",
        lambda: [_brief(_ratio(*hardest)[end]) for end in ("lowest", "highest")],
    )
    yield Claim(
        README,
        "{} to {} times as fast as padded training",
        lambda: [_brief(_ratio(*hardest)["median"]), line("d2l", "random")[1]],
    )
    yield Claim(
        PERFORMANCE,
        "the two differ by {} at most, and the padded model differs from itself by {}",
        lambda: [
            f"{record(XEON)['loss_curve']['apart'][which]['largest']:.1e}".replace("e-0", "e-")
            for which in ("packed and padded", "noise")
        ],
    )
    preparation = lambda: record(XEON)["preparation"]  # noqa: E731
    yield Claim(
        PERFORMANCE,
        "is {} times as fast as d2l's data set class",
        lambda: [_brief(preparation()["ratio"]["median"])],
    )
    inputs = "of these the variant's inputs"
    yield Claim(
        PERFORMANCE,
        "{} million pairs a second, SNLI",
        lambda: [f"{preparation()['rates'][inputs]['median'] / 1e6:.1f}"],
    )


def _scoring() -> Iterator[Claim]:
    def rates(rows: str) -> list[str]:
        found = record("bench/scoring-cpu.json")[rows]
        peer, own = (each["per_cpu_second"]["median"] for each in found["contestants"])
        ratios = [f"{found['ratio'][end]:.2f}" for end in ("median", "lowest", "highest")]
        return [f"{own:.1f}", f"{peer:.1f}", *ratios]

    def apart() -> list[str]:
        found = [each["scores apart by at most"] for each in record("bench/scoring-cpu.json").values()]
        return [f"{max(found):.0e}".replace("e-0", "e-")]

    yield Claim(
        PERFORMANCE,
        "does {} pairs of SNLI per second of the processor and sentence-transformers' `CrossEncoder.predict` "
        "{}, with its default batches of 32 and sorted by length: {} times as many ({} to {} over the "
        "rounds)",
        lambda: rates("SNLI"),
    )
    yield Claim(
        PERFORMANCE,
        "On BoolQ's longer pairs it is {} against {}, {} times as many ({} to {})",
        lambda: rates("BoolQ"),
    )
    yield Claim(
        PERFORMANCE,
        "By the clock, which the other work disturbs, the ratios were {} and {}",
        lambda: [
            f"{each['ratio by the clock']['median']:.2f}"
            for each in record("bench/scoring-cpu.json").values()
        ],
    )
    yield Claim(
        PERFORMANCE,
        "At least {} was required. The scores differ by {} at most",
        lambda: [f"{record('bench/scoring-cpu.json')['SNLI']['limit']:g}", *apart()],
    )


def _other_benchmarks() -> Iterator[Claim]:
    def memory() -> dict[str, float]:
        return record("bench/memory.json")

    def pretraining() -> list[str]:
        (found,) = (one for one in record("bench/pretrain-cpu.json")["ratios"] if one["precision"] == "bf16")
        return [_brief(found["ratio"]["median"])]

    def epoch(packed: bool, max_len: int) -> str:
        (found,) = (
            one["epoch_seconds"]["median"]
            for one in record("bench/cola-lengths.json")["contestants"]
            if (one["packed"], one["max_len"], one["precision"]) == (packed, max_len, "bf16")
        )
        return whole(found)

    yield Claim(PERFORMANCE, "on WikiText-2 is {} times as fast as d2l's", pretraining)
    yield Claim(
        PERFORMANCE,
        "padded loop {} seconds at `max_len` 64 and {} at 128; trimtab takes {} and {}",
        lambda: [epoch(packed, max_len) for packed in (False, True) for max_len in (64, 128)],
    )
    yield Claim(
        PERFORMANCE,
        "grows by {} bytes per training pair ([details](../results/bench/memory.md)); the limit that the "
        "benchmark enforces is {}.",
        lambda: [
            f"{record('bench/memory.json')['bytes_per_pair']:.1f}",
            whole(record("bench/memory.json")["limit"]),
        ],
    )


def _ablation() -> Iterator[Claim]:
    def against(way: str) -> list[float]:
        """Lowest, median and highest over the rounds of the rate relative to trimtab's as it is."""
        rates = record(ABLATION)["examples_per_second"]
        return list(np.quantile(np.divide(rates[way], rates[_AS_IT_IS]), [0, 0.5, 1]))

    for words, way in (
        ("per-thread micro-batches", "no per-thread micro-batches: all threads share each operation"),
        ("micro-batches that fit the caches", "whole batch at once, no cache-sized micro-batches"),
        (
            "the shortcut in the last layer",
            "last layer computed for all tokens, not for the first of each row",
        ),
        ("bucket sizes for batches", "batches not padded to a few sizes with dummy rows"),
        ("updating only the token rows in use", "token table: all rows updated, not only those in use"),
        ("bf16 (fp32 instead)", "fp32"),
    ):
        yield Claim(PERFORMANCE, f"| {words} | {{}} |", lambda way=way: [f"{against(way)[1]:.2f}"])
    yield Claim(
        PERFORMANCE,
        "norms in bf16 gave {} ({} to {})",
        lambda: [f"{against('residual sums and norms in bf16')[place]:.2f}" for place in (1, 0, 2)],
    )
    yield Claim(
        PERFORMANCE,
        "huge pages gave {} on this machine",
        lambda: [f"{against('transparent huge pages')[1]:.2f}"],
    )


def _books() -> Iterator[Claim]:
    def took(what: str, measure: str) -> list[float]:
        return [one[what][measure] for one in record(BOOKS)["ledgers"]]

    def sizes() -> list[str]:
        return [f"{one['trials']:,}" for one in record(BOOKS)["ledgers"]]

    yield Claim(PERFORMANCE, "| | {} trials | {} trials |", sizes)
    commands = ("plan", "run", "report", "doctor")
    for name in commands:
        text = f"| `trimtab {name}` | {{}} | {{}} |"
        yield Claim(PERFORMANCE, text, lambda name=name: [whole(one) for one in took(name, "cpu")])
    yield Claim(
        PERFORMANCE,
        "None needed more than {} MiB",
        lambda: [whole(max(max(took(name, "mib")) for name in commands))],
    )


def _verdict() -> Iterator[Claim]:
    def shares(name: str) -> list[str]:
        found = record("bench/verdict-cpu.json")
        return [f"{100 * found[when]['short'][name]:.1f}" for when in ("before", "studies")]

    yield Claim(
        PERFORMANCE,
        "for a study of {} trials of about a second",
        lambda: [whole(record("bench/verdict-cpu.json")["studies"]["short"]["trials"])],
    )
    yield Claim(
        PERFORMANCE,
        "training {} %, evaluation {} %, and {} % until the first trial",
        lambda: [
            f"{100 * record('bench/verdict-cpu.json')['studies']['minilm'][name]:.1f}"
            for name in ("training", "evaluation", "start")
        ],
    )
    for words, name in (
        ("training", "training"),
        ("evaluation", "evaluation"),
        ("until the first trial: imports, reading, planning", "start"),
        ("in a trial: inputs, model, results", "setting_up"),
        ("between trials, and waiting", "between"),
        ("the analysis and the report", "end"),
    ):
        yield Claim(PERFORMANCE, f"| {words} | {{}} | {{}} |", lambda name=name: shares(name))
