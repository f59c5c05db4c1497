"""Sample files of lm-evaluation-harness: ``samples_TASK_DATE.jsonl``, written with --log_samples.

Each line has ``doc_id``, hashes of what was asked, its metrics as keys, their names in ``metrics`` and the
``filter`` that answers went through; files before version 0.4.5 lack the last two. The file lies in a folder
of the model's name. Source: lm_eval/evaluator.py and lm_eval/loggers/evaluation_tracker.py of
github.com/EleutherAI/lm-evaluation-harness.
"""

import itertools
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from trimtab.config import InputError
from trimtab.predictions.json_lines import json_objects
from trimtab.predictions.source import Format, Place, Source, named_after

_NAME = re.compile(r"samples_(?P<task>.+?)(?:_\d{4}-\d\d-\d\dT[\d.:-]+)?\.jsonl")
_OTHER_KEYS = ("doc_id", "doc", "target", "arguments", "resps", "filtered_resps", "filter", "metrics")
_COLUMNS = ("example", "score", "same")


def _reads(path: Path) -> bool:
    if _NAME.fullmatch(path.name) is None:
        return False
    first = next(json_objects(path), None)  # anyone may call a table of his own samples_...
    return first is None or "doc_id" in first[1]


def _read(place: Place, score: str | None) -> list[Source]:
    found = _NAME.fullmatch(place.path.name)
    assert found is not None
    objects = json_objects(place.path)
    first = next(objects, None)
    if first is None:
        raise InputError(f"{place.path}: is empty; run lm_eval again with --log_samples")
    metric, _, chosen = (score or _only_metric(first[1], str(place.path))).partition(",")
    rows = _rows(itertools.chain([first], objects), str(place.path), metric, chosen or None)
    variant, seed = named_after(Place(place.path.parent, place.variant, place.seed))
    return [Source(str(place.path), _COLUMNS, rows, variant, seed, test=found["task"], same=2)]


def _rows(
    objects: Iterable[tuple[int, dict[str, Any]]], name: str, metric: str, chosen: str | None
) -> Iterator[tuple[int, Sequence[Any]]]:
    first = None
    for number, sample in objects:
        own = sample.get("filter")
        if chosen is not None and own != chosen:
            continue
        first = first or own
        if own != first:
            raise InputError(
                f"{name}:{number}: answers went through the filters {first!r} and {own!r}; choose one, as in "
                f"--score {metric},{own}"
            )
        if "doc_id" not in sample or metric not in sample:
            raise InputError(
                f"{name}:{number}: no {'metric ' + repr(metric) if 'doc_id' in sample else 'doc_id'}; "
                f"it has {', '.join(_metrics(sample)) or 'no metric that is a number'}; name one with --score"
            )
        yield number, (sample["doc_id"], sample[metric], sample.get("doc_hash"))
    if first is None and chosen is not None:
        raise InputError(f"{name}: no answer went through the filter {chosen!r}; see 'filter' in its lines")


def _metrics(sample: dict[str, Any]) -> list[str]:
    """The names of the metrics of a sample that are one number."""
    names = sample.get("metrics") or [key for key in sample if key not in _OTHER_KEYS]
    return [name for name in names if isinstance(sample.get(name), bool | int | float)]


def _only_metric(sample: dict[str, Any], name: str) -> str:
    metrics = _metrics(sample)
    if len(metrics) != 1:
        known = f"has the metrics {', '.join(metrics)}" if metrics else "has no metric that is one number"
        raise InputError(f"{name}: {known}; name one, of which more is better, with --score")
    return metrics[0]


FORMAT = Format("sample files of lm-evaluation-harness (samples_*.jsonl)", _reads, _read)
