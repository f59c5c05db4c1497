"""What max_len costs: an epoch of CoLA at 64 and at 128, padded as the third tutorial has it, and packed.

    python bench/cola_lengths.py [--data DIR] [--rounds N] [--steps N]

All take turns in one process (A B C D, A B C D) on the same rows; what is measured is steps, and an epoch is
their rate times its rows. Writes cola-lengths.json and cola-lengths.md.
"""

import argparse
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch
from tabulate import tabulate

from cola_work import LENGTHS, Work, load
from peers_machine import PEERS, has_bf16, signed
from peers_race import WARM, race, spread
from trimtab.atomic import atomic_write, write_json
from trimtab.config import InputError
from trimtab.machine import available_cores

OUT = Path(__file__).resolve().parents[1] / "results" / "bench"
# An epoch of the tutorial's BERT-base in seconds, at max_len 64 and 128.
TUTORIAL = {64: 177.0, 128: 328.0}
HEAD = """# What max_len costs on CoLA

`bench/cola_lengths.py`: in one process, in turns, on the same rows, dropout included. Padded: transformers'
model in the tutorial's loop, every row filled up to max_len. Packed: trimtab. An epoch is {rows:,} rows; its
seconds are its rows at the rate of {steps} steps a turn, which {warm} others go before. Given are the median
over {rounds} turns and the range. No row has more than {longest} tokens, so that neither length cuts any."""
WORDS = "The tutorial's K80 took 2:57 an epoch at 64 and 5:28 at 128, with BERT-base: {:.2f} times as long."


def main(words: list[str] | None = None) -> int:
    """Measure, and write what was found; 0 when done, 2 where the input is wrong."""
    asked = _parser().parse_args(words)
    torch.set_num_threads(available_cores())
    try:
        missing = [name for name in PEERS if find_spec(name) is None]
        if missing:
            raise InputError(f"{', '.join(missing)}: not installed; run `make .venv/peers`")
        work = load(asked.data, rows=asked.rows, size=asked.size, batch=asked.batch)
        bf16 = has_bf16() if asked.bf16 == "auto" else asked.bf16 == "yes"
        found = measure(work, ["fp32", "bf16"] if bf16 else ["fp32"], asked.rounds, asked.steps)
    except InputError as error:
        print(error, file=sys.stderr)
        return 2
    _write(asked.out, found | {"signature": signed()})
    return 0


def measure(work: Work, precisions: list[str], rounds: int, steps: int) -> dict[str, Any]:
    """Seconds an epoch of each, by max_len, way and precision, and the ratios between them."""
    from cola_contestants import Packed, Padded

    contestants = [
        way(work, max_len, precision)
        for precision in precisions
        for max_len in LENGTHS
        for way in (Padded, Packed)
    ]
    records = race(contestants, rounds, steps, lambda who, rates: _say(who, rates, work))
    made = [
        record
        | {"max_len": contestant.max_len, "packed": isinstance(contestant, Packed)}
        | {"epoch_seconds": spread([work.epoch_rows / rate for rate in _rates(record)])}
        for contestant, record in zip(contestants, records, strict=True)
    ]
    about = {"work": work.describe(), "warm": WARM, "steps": steps, "rounds": rounds}
    return about | {"contestants": made, "ratios": _ratios(made)}


def _rates(record: dict[str, Any]) -> list[float]:
    rates: list[float] = record["examples_per_second"]["by_round"]
    return rates


def _ratios(records: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What padding and length cost, round by round: seconds of the one over seconds of the other."""
    by = {(each["packed"], each["max_len"], each["precision"]): each for each in records}
    short, long = LENGTHS
    asked = []
    for precision in dict.fromkeys(each["precision"] for each in records):
        for length in LENGTHS:
            what = f"padded to {length} against packed, {precision}"
            asked.append((what, (False, length, precision), (True, length, precision)))
        for packed in (False, True):
            what = f"{'packed' if packed else 'padded'}, max_len {long} against {short}, {precision}"
            asked.append((what, (packed, long, precision), (packed, short, precision)))
    return [{"what": what, "ratio": _ratio(by[one], by[other])} for what, one, other in asked]


def _ratio(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    seconds = (each["epoch_seconds"]["by_round"] for each in (one, other))
    return spread([a / b for a, b in zip(*seconds, strict=True)])


def page(found: dict[str, Any]) -> str:
    """What was found, as Markdown."""
    work = found["work"]
    times = [
        {
            "who": each["name"],
            "max_len": str(each["max_len"]),
            "precision": each["precision"],
            "seconds an epoch": _spread(each["epoch_seconds"], ",.1f"),
            "examples/s": _spread(each["examples_per_second"], ",.0f"),
        }
        for each in found["contestants"]
    ]
    ratios = [{"": each["what"], "times as long": _spread(each["ratio"], ".2f")} for each in found["ratios"]]
    head = HEAD.format(
        rows=work["rows an epoch"],
        longest=work["longest row"],
        **{key: found[key] for key in ("steps", "warm", "rounds")},
    )
    tutorial = WORDS.format(TUTORIAL[128] / TUTORIAL[64])
    parts = [head, _table(times), _table(ratios), tutorial, _listed("The work: ", work)]
    if "signature" in found:
        parts.append(_listed("Made with ", found["signature"]))
    return "\n\n".join(parts)


def _say(who: Any, rates: dict[str, float], work: Work) -> None:
    seconds = work.epoch_rows / rates["examples_per_second"]
    print(f"{who.name}, max_len {who.max_len}, {who.precision}: {seconds:,.1f} s an epoch", flush=True)


def _spread(value: dict[str, Any], form: str) -> str:
    low, high = (format(value[end], form) for end in ("lowest", "highest"))
    return f"{value['median']:{form}} ({low} to {high})"


def _table(rows: list[dict[str, str]]) -> str:
    # Everything is text by now; tabulate must not read numbers into it again.
    return tabulate(rows, headers="keys", tablefmt="github", disable_numparse=True)


def _listed(words: str, values: dict[str, Any]) -> str:
    return words + ", ".join(f"{name} {value}" for name, value in values.items()) + "."


def _write(folder: Path, found: dict[str, Any]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    write_json(folder / "cola-lengths.json", found)
    with atomic_write(folder / "cola-lengths.md") as aside:
        aside.write_text(page(found) + "\n", encoding="utf-8")
    print("\n" + page(found))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, help="folder that holds CoLA and bert-vocab [TRIMTAB_DATA]")
    parser.add_argument("--out", type=Path, default=OUT, help="folder of the results")
    parser.add_argument("--rounds", type=int, default=3, help="turns of each")
    parser.add_argument("--steps", type=int, default=12, help="counted steps a turn")
    parser.add_argument("--bf16", choices=("yes", "no", "auto"), default="auto", help="auto: if it has it")
    parser.add_argument("--rows", type=int, help="rows to read [all]")
    parser.add_argument("--batch", type=int, default=32, help="rows a step, as in the tutorial")
    parser.add_argument("--size", default="6x384/1536/12", help="a size [that of minilm]")
    return parser


if __name__ == "__main__":
    sys.exit(main())
