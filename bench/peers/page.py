"""What a comparison found, as JSON and as a page in Markdown."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tabulate import tabulate

from bench.peers.race import WARM
from trimtab.atomic import atomic_write, write_json

Found = dict[str, Any]

SNLI = """# trimtab and its peers on a CPU

`python -m bench.peers snli`: all train in one process, in turns (A B C, A B C), on the same rows, with
dropout. d2l pads every row to 128 tokens; the Trainer pads to the longest row of a batch; trimtab pads
nothing. The rate of a turn is that of its steps after {warm} warm-up steps; the tables give the median over
turns and the range. Tokens are real ones, without padding. The time of the peers' data loaders is not
counted; the time that trimtab takes to gather a batch is. Batches grouped by length are measured over whole
cycles of lengths; they are not random batches."""
ENCODERS = """# Fine-tuning deployed encoders on a CPU

`python -m bench.peers encoders`: transformers' Trainer and trimtab fine-tune the same pretrained sizes on the
same rows, in one process, in turns, with dropout. The Trainer pads to the longest row of a batch, and takes
the attention that transformers takes by itself (scaled_dot_product_attention where the model has it); trimtab
pads nothing. The rate of a turn is that of its steps after {warm} warm-up steps; the tables give the median
over turns and the range. The time of the Trainer's data loader is not counted; the time that trimtab takes to
gather a batch is. Batches grouped by length are measured over whole cycles of lengths."""
PREPARATION = """## Preparing the data

d2l's data set class (words, truncation, ids, padding; a pool of {pool} processes) against trimtab's
tokenising into an empty cache followed by the inputs of one variant. Both are given the vocabulary; their
results were compared and are the same."""
CURVE = """## The same losses

{steps} steps of {batch} rows in fp32 without dropout, from the same initial weights, on the same batches:
trimtab packed, d2l's model padded and masked. `noise` is the padded model against itself with the rows of
each batch in another order, which changes only the rounding of sums."""
COLA = """# What max_len costs on CoLA

`python -m bench.peers cola`: all train in one process, in turns, on the same rows, with dropout. Padded:
transformers' model in the tutorial's loop, every row padded to max_len. Packed: trimtab. An epoch is {rows:,}
rows; its seconds are these rows over the rate of {steps} steps per turn, measured after {warm} warm-up
steps. The tables give the median over {rounds} turns and the range. No row has more than {longest} tokens, so
neither length truncates any."""
# An epoch of the tutorial's BERT-base in seconds, at max_len 64 and 128.
TUTORIAL = {64: 177.0, 128: 328.0}
K80 = "The tutorial's K80 took 2:57 per epoch at 64 and 5:28 at 128, with BERT-base: {:.2f} times as long."
PRETRAINING = """# Pretraining on WikiText-2: d2l and trimtab on a CPU

`python -m bench.peers pretraining`: the tutorial's model and step, in one process, in turns (A B, A B), with
dropout. d2l reads, pairs, masks and pads the text with its own code, and its step is the chapter's; the time
to stack a batch of its rows is not counted, the time that trimtab takes to gather and mask one is. The rate
of a turn is that of its steps after {warm} warm-up steps; the tables give the median over turns and the
range."""
SCORING = """# Scoring pairs with a cross-encoder on a CPU

`python -m bench.peers scoring`: sentence-transformers' `CrossEncoder.predict`, which sorts by length, with
its default batches of 32, and trimtab's `predict`, from texts to scores, in one process, in turns, in fp32.
The model is minilm under a random head with one output. The tables give the median over turns and the range,
by seconds of the clock and by seconds of the processor, which other work on the machine does not lengthen;
the limit is judged by the latter."""
GOALS = """At least {least:g} times: {met}; the goal of {goal:g} times: {goal_met}. Reading, counting words
and tokenising took d2l {d2l:.1f} s, with its masks and padding, and trimtab {trimtab:.1f} s, with both
splits, whose tokens come from the cache where it has them."""


def written(folder: Path, name: str) -> Found:
    """What was found before; empty where nothing was."""
    path = folder / f"{name}.json"
    return json.loads(path.read_text()) if path.exists() else {}


def write(folder: Path, name: str, found: Found, page: Callable[[Found], str]) -> None:
    """Write NAME.json and NAME.md into ``folder``, and print the page."""
    folder.mkdir(parents=True, exist_ok=True)
    write_json(folder / f"{name}.json", found)
    with atomic_write(folder / f"{name}.md") as temporary:
        temporary.write_text(page(found), encoding="utf-8")
    print("\n" + page(found))


def snli(found: Found) -> str:
    """The parts that ``found`` holds: training, preparation, the loss curve."""
    parts = (("training", _training), ("preparation", _preparation), ("loss_curve", _curve))
    return _page(*(block for name, part in parts if name in found for block in part(found[name])))


def cola(found: Found) -> str:
    """Seconds per epoch, and what padding and max_len cost."""
    about = {key: found[key] for key in ("steps", "warm", "rounds")}
    about |= {"rows": found["work"]["rows per epoch"], "longest": found["work"]["longest row"]}
    times = [
        {
            "who": each["name"],
            "max_len": str(each["max_len"]),
            "precision": each["precision"],
            "seconds per epoch": _spread(each["epoch_seconds"], ",.1f"),
            "examples/s": _spread(each["examples_per_second"], ",.0f"),
        }
        for each in found["contestants"]
    ]
    ratios = [{"": each["what"], "times as long": _spread(each["ratio"], ".2f")} for each in found["ratios"]]
    tutorial = K80.format(TUTORIAL[128] / TUTORIAL[64])
    return _page(COLA.format(**about), _table(times), _table(ratios), tutorial, *_made(found))


def pretraining(found: Found) -> str:
    """Sentence pairs per second, and the ratios to d2l."""
    rates = [
        {
            "who": each["name"],
            "precision": each["precision"],
            "sentence pairs/s": _spread(each["examples_per_second"], ",.0f"),
        }
        for each in found["contestants"]
    ]
    ratios = [
        {"trimtab's precision": each["precision"], "times as fast as d2l": _spread(each["ratio"], ".2f")}
        for each in found["ratios"]
    ]
    told = found | {key: _met(found[key]) for key in ("met", "goal_met")} | found["prepared_seconds"]
    head = PRETRAINING.format(warm=found.get("warm", WARM))
    return _page(head, _table(rates), _table(ratios), GOALS.format(**told), *_made(found))


def encoders(found: Found) -> str:
    """Rates and ratios of each case."""
    cases = (
        block
        for name, part in found.items()
        for block in (f"## {name}", _about(part["work"]), *_race(part), *_made(part))
    )
    return _page(ENCODERS.format(warm=WARM), *cases)


def scoring(found: Found) -> str:
    """Pairs a second on each data set, and the ratio."""
    return _page(SCORING, *(block for name, part in found.items() for block in _scored(name, part)))


def _scored(name: str, part: Found) -> list[str]:
    rates = [
        {
            "who": each["name"],
            "pairs/s": _spread(each["examples_per_second"], ",.1f"),
            "pairs per processor second": _spread(each["per_cpu_second"], ",.1f"),
        }
        for each in part["contestants"]
    ]
    ratio = (
        f"trimtab scores {_spread(part['ratio'], '.2f')} times as many per processor second, "
        f"{_spread(part['ratio by the clock'], '.2f')} by the clock; limit {part['limit']:g}, "
    )
    apart = f"Scores are apart by at most {part['scores apart by at most']:.0e}."
    return [f"## {name}", _table(rates), f"{ratio}{_met(part['met'])}. {apart}", *_made(part)]


def _about(work: Found) -> str:
    return (
        f"{work['size']}, batch {work['batch']}, max_len {work['max_len']}, {work['tokens per row']} tokens "
        f"per row, the longest {work['longest row']}; {work['optimiser']}."
    )


def _training(part: Found) -> list[str]:
    return [SNLI.format(warm=part["warm"]), *_race(part), *_made(part)]


def _race(part: Found) -> list[str]:
    """Rates of all contestants, and trimtab's ratio to each."""
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
            "met": "" if row["limit"] is None else "yes" if row["met"] else "no",
        }
        for row in part["ratios"]
    ]
    return [_table(rates), _table(ratios)]


def _preparation(part: Found) -> list[str]:
    rows = [{"pairs per second": name, "": _spread(value, ",.0f")} for name, value in part["rates"].items()]
    rows.append({"pairs per second": "ratio", "": _spread(part["ratio"], ".2f")})
    rows.append({"pairs per second": "limit", "": f"{part['limit']:g}, {_met(part['met'])}"})
    return [PREPARATION.format(pool=part["pool"]), _table(rows), f"{part['rows']:,} pairs.", *_made(part)]


def _curve(part: Found) -> list[str]:
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
    return [CURVE.format(**part), _table(rows), words, *_made(part)]


def _page(*blocks: str) -> str:
    return "\n\n".join(blocks) + "\n"


def _made(part: Found) -> list[str]:
    """What was done, and on which machine."""
    work = [_listed("The work: ", part["work"])] if "work" in part else []
    return [*work, _listed("Made with ", part["signature"])]


def _met(met: bool) -> str:
    return "met" if met else "not met"


def _spread(value: Found, form: str) -> str:
    low, high = (format(value[end], form) for end in ("lowest", "highest"))
    return f"{value['median']:{form}} ({low} to {high})"


def _table(rows: list[dict[str, str]]) -> str:
    # Everything is text by now; tabulate must not read numbers into it again.
    return tabulate(rows, headers="keys", tablefmt="github", disable_numparse=True)


def _listed(words: str, values: Found) -> str:
    return words + ", ".join(f"{name} {value}" for name, value in values.items()) + "."
