"""Logs of Inspect (``.eval``, or its JSON), read by its own package.

The model is the variant, the task the test set, and an epoch, one more try of the same sample, a seed.
Source: inspect_ai.log.read_eval_log, inspect.aisi.org.uk/eval-logs.html.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from trimtab.config import InputError
from trimtab.predictions.source import Format, Place, Source, named_after

_WORDS = ("c", "i", "p", "n", "yes", "no", "true", "false")  # correct, incorrect, partial, no answer


def _reads(path: Path) -> bool:
    return path.suffix.lower() in (".eval", ".json")


def _read(place: Place, score: str | None) -> list[Source]:
    try:
        from inspect_ai.log import read_eval_log
        from inspect_ai.scorer import value_to_float
    except ModuleNotFoundError as error:
        raise InputError(f"{place.path}: logs of Inspect need its package; pip install inspect-ai") from error
    try:
        log = read_eval_log(str(place.path))
    except Exception as error:  # whatever its parsers raise on a file that is no log
        raise InputError(f"{place.path}: is no log of Inspect, or damaged; run the task again") from error
    if log.status != "success" or not log.samples:
        what = "has no samples" if log.status == "success" else f"is of a run that ended with {log.status!r}"
        raise InputError(f"{place.path}: {what}; give the log of a run that succeeded")
    scorer = score or _only_scorer(log.samples, str(place.path))
    variant, seed = named_after(place, log.eval.model)
    has_epochs = len({sample.epoch for sample in log.samples}) > 1
    if has_epochs and place.seed is not None:
        raise InputError(f"{place.path}: its epochs are its seeds; leave @{place.seed} out")
    columns = ("example", "score", "seed") if has_epochs else ("example", "score")
    rows = _rows(log.samples, str(place.path), scorer, value_to_float(), len(columns))
    test = "".join(each if each.isalnum() or each in "_.+-" else "-" for each in log.eval.task)
    return [Source(str(place.path), columns, rows, variant, seed, test=test.strip("-.+") or "test")]


def _rows(
    samples: Sequence[Any], name: str, scorer: str, as_number: Any, columns: int
) -> Iterator[tuple[int, Sequence[Any]]]:
    for number, sample in enumerate(samples, 1):
        found = (sample.scores or {}).get(scorer)
        if found is None:
            known = ", ".join(sample.scores or {}) or "none"
            raise InputError(
                f"{name}: sample {sample.id!r} has no score {scorer!r} (it has: {known}); name another with "
                "--score, or score the log again"
            )
        yield (
            number,
            (sample.id, as_number(_checked(found.value, name, sample, scorer)), sample.epoch)[:columns],
        )


def _checked(value: Any, name: str, sample: Any, scorer: str) -> Any:
    """A value that Inspect has a number for; it takes all others for 0, with a warning."""
    known = isinstance(value, bool | int | float)
    if isinstance(value, str):
        known = value.lower() in _WORDS or value.replace(".", "", 1).lstrip("+-").isdigit()
    if not known:
        raise InputError(
            f"{name}: sample {sample.id!r} has the score {scorer} {value!r}, which is no number; name "
            "another with --score, or write a table"
        )
    return value


def _only_scorer(samples: Sequence[Any], name: str) -> str:
    names = list(samples[0].scores or {})
    if len(names) != 1:
        raise InputError(f"{name}: has the scores {', '.join(names) or 'none'}; name one with --score")
    return str(names[0])


FORMAT = Format("logs of Inspect (.eval)", _reads, _read)
