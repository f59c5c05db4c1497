"""What a comparison with peers found, as Markdown for a file or a terminal."""

from typing import Any

from tabulate import tabulate

HEAD = """# trimtab and its peers on a CPU

`bench/peers.py`: in one process, in turns (A B C, A B C), on the same rows, dropout included. d2l pads every
row to 128; the Trainer pads to the longest row of a batch; trimtab pads nothing. A rate is that of a turn's
counted steps, its first {warm} steps left out; given are the median over turns and the range. Tokens are real
ones. What the peers' loaders take to collate a batch is not counted, what trimtab takes to gather one is.
Batches grouped by length are measured over whole cycles of lengths; they are not random ones."""
PREPARATION = """## Preparing the data

d2l's data set class (words, cut, ids, padding; a pool of {pool}) against trimtab's tokenising into an empty
cache with one variant's inputs after it. The vocabulary is given to both; what they made was compared and is
the same."""
CURVE = """## The same losses

{steps} steps of {batch} rows in fp32 without dropout, from the same initial weights, on the same batches:
trimtab packed, d2l's model padded and masked. `noise` is the padded model against itself with the rows of
each batch in another order, which changes the rounding of sums alone."""


def page(found: dict[str, Any]) -> str:
    """The parts that ``found`` holds, each with its signature."""
    parts = [
        title(found[name])
        for name, title in (("training", _training), ("preparation", _preparation), ("loss_curve", _curve))
        if name in found
    ]
    return "\n\n".join(parts) + "\n"


def _training(part: dict[str, Any]) -> str:
    rates = [
        {
            "who": record["name"],
            "batches": record["batches"],
            "precision": record["precision"],
            "examples/s": _spread(record["examples_per_second"], ",.0f"),
            "real tokens/s": _spread(record["tokens_per_second"], ",.0f"),
        }
        for record in part["contestants"]
    ]
    ratios = [
        {
            "trimtab against": row["against"],
            "times as fast": _spread(row["ratio"], ".2f"),
            "limit": "" if row["limit"] is None else f"{row['limit']:g}",
            "met": "" if row["limit"] is None else _met(row),
        }
        for row in part["ratios"]
    ]
    head = HEAD.format(warm=part["warm"])
    return "\n\n".join([head, _table(rates), _table(ratios), _words(part["work"]), _made(part)])


def _preparation(part: dict[str, Any]) -> str:
    rows = [{"pairs a second": name, "": _spread(value, ",.0f")} for name, value in part["rates"].items()]
    rows.append({"pairs a second": "ratio", "": _spread(part["ratio"], ".2f")})
    rows.append({"pairs a second": "limit", "": f"{part['limit']:g}, {'met' if part['met'] else 'not met'}"})
    words = f"{part['rows']:,} pairs."
    return "\n\n".join([PREPARATION.format(pool=part["pool"]), _table(rows), words, _made(part)])


def _curve(part: dict[str, Any]) -> str:
    rows = [
        {
            "losses of": who,
            "apart by at most": f"{apart['largest']:.1e}",
            f"steps until over {part['rounding']:.0e}": str(apart["steps_together"]),
        }
        for who, apart in part["apart"].items()
    ]
    curves = part["packed"], part["padded"]
    ends = ", ".join(f"{curve[0]:.6f} to {curve[-1]:.6f}" for curve in curves)
    words = f"Loss of the first step and the last, packed and padded: {ends}."
    return "\n\n".join([CURVE.format(**part), _table(rows), words, _made(part)])


def _met(row: dict[str, Any]) -> str:
    return "yes" if row["met"] else "no"


def _spread(value: dict[str, Any], form: str) -> str:
    low, high = (format(value[end], form) for end in ("lowest", "highest"))
    return f"{value['median']:{form}} ({low} to {high})"


def _table(rows: list[dict[str, str]]) -> str:
    # Everything is text by now; tabulate must not read numbers into it again.
    return tabulate(rows, headers="keys", tablefmt="github", disable_numparse=True)


def _words(work: dict[str, Any]) -> str:
    return "The work: " + ", ".join(f"{name} {value}" for name, value in work.items()) + "."


def _made(part: dict[str, Any]) -> str:
    return "Made with " + ", ".join(f"{name} {value}" for name, value in part["signature"].items()) + "."
