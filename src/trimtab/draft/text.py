"""A drafted study as the text of its file: keys, and comments that say why."""

import textwrap
from collections.abc import Iterable, Sequence

from trimtab.config import toml_value
from trimtab.draft.labels import LabelFacts
from trimtab.draft.lengths import Choice
from trimtab.draft.model import Training
from trimtab.draft.place import Place
from trimtab.draft.roles import Roles

TEST_SHARE = 0.2
_WIDTH = 100
_MANY_TESTS = 2_000  # rows, from which on a point can be told from nothing
_MOSTLY = 0.8  # a label that is more frequent than this makes accuracy say little


def study_text(
    question: str,
    place: Place,
    roles: Roles,
    choice: Choice,
    training: Training,
    samples: dict[str, tuple[int, int]],
    test_rows: int,
    said: Sequence[str],
    schema: str | None = None,
) -> str:
    """The text of a study file; ``samples`` by split: how many rows to draw, and how many there are.

    test_rows: of the test set, as far as they are known; said: what was found in the table; schema: the name
    of a JSON schema beside the file, for editors.
    """
    lead = f"Drafted by trimtab init from {toml_value(place.file)}. What was found there:"
    about = [lead, *(f"* {sentence}" for sentence in said)]
    parts = [
        [] if schema is None else [f"#:schema ./{schema}"],
        [f"question = {toml_value(question)}"],
        [line for sentence in about for line in _comment(sentence)],
        _data(place, roles),
        *_splits(place, roles, samples),
        _base(training),
        _grid(choice, training),
        _compare(roles.label, choice, test_rows),
    ]
    return "\n\n".join("\n".join(part) for part in parts if part) + "\n"


def _data(place: Place, roles: Roles) -> list[str]:
    label = roles.label
    keys = {
        "reader": "table",
        "file": None if place.test else place.file,
        "first": roles.first,
        "second": roles.second,
        "label": label.column.name,
        "target": None if label.target == "classes" else label.target,
        "query": roles.query,
        "cluster": roles.cluster,
        "drop": list(label.drop) or None,
        "split_column": roles.split_column,
    }
    lines = ["[data]", *(f"{key} = {toml_value(value)}" for key, value in keys.items() if value is not None)]
    if not (place.test or roles.splits):
        whole = ", in whole clusters," if roles.cluster or label.target == "relevance" else ""
        lines += _comment(
            f"One file holds all rows: {100 * TEST_SHARE:g} % of them{whole} are drawn for the test set, and "
            "a tenth of the others for validation. For test rows in another file: trimtab init --test FILE."
        )
        lines.append(f"test_share = {TEST_SHARE}")
    return [*lines, "min_freq = 2    # rarer words of train become the unknown token"]


def _splits(place: Place, roles: Roles, samples: dict[str, tuple[int, int]]) -> Iterable[list[str]]:
    """The tables of the splits that have keys of their own."""
    files = {"train": place.file, "test": place.test} if place.test else {}
    for split in ("train", "validation", "test"):
        lines = []
        if split in files:
            lines.append(f"file = {toml_value(files[split])}")
        if split in roles.splits:
            lines.append(f"split = {toml_value(roles.splits[split])}")
        if split in samples:
            drawn, rows = samples[split]
            lines += _comment(
                f"A sample of the {rows:,} rows, to answer within minutes; leave it out for all of them."
            )
            lines.append(f"sample = {drawn}")
        if lines:
            yield [f"[data.{split}]", *lines]


def _base(training: Training) -> list[str]:
    return [
        "[base]",
        *_comment(training.remark),
        f"size = {toml_value(training.size)}",
        *training.others.splitlines(),
        f"epochs = {training.epochs}",
        f"learning_rate = {training.learning_rate}",
    ]


def _grid(choice: Choice, training: Training) -> list[str]:
    cuts = ", ".join(f"{length}: {100 * choice.cut[length]:.0f} %" for length in choice.lengths)
    return [
        "[grid]",
        "# Ways to cut: trimtab strategies lists them all.",
        f"truncation = {toml_value(list(choice.truncations))}",
        *_comment(f"Share of rows that each length cuts: {cuts}."),
        f"max_len = {toml_value(list(choice.lengths))}",
        f"seeds = {training.seeds}    # more of them show smaller differences: trimtab plan says which",
    ]


def _compare(label: LabelFacts, choice: Choice, test_rows: int) -> list[str]:
    longest = {"max_len": max(choice.lengths)} if len(choice.lengths) > 1 else {}
    baseline = [{"truncation": choice.truncations[0]}, *([longest] if longest else [])]
    lines = ["[compare]", f"baseline = {toml_value(baseline)}"]
    if label.target != "classes":
        score = "the Spearman correlation" if label.target == "score" else "NDCG@10"
        return [*lines, f"margin = 0.02    # of {score}: a difference too small to matter to you"]
    if label.largest >= _MOSTLY:
        lines += _comment(
            f"One label has {100 * label.largest:.0f} % of the rows, so that accuracy says little: macro "
            "F1 is the mean over the labels."
        )
        lines.append('score = "macro_f1"')
    points = "1 point" if test_rows >= _MANY_TESTS else "2 points"
    return [*lines, f'margin = "{points}"    # a difference too small to matter to you']


def _comment(sentence: str) -> list[str]:
    """Lines of a comment; what stands in it must have no line ends of its own."""
    lines = textwrap.wrap(sentence, _WIDTH, break_long_words=False, break_on_hyphens=False)
    indent = "  " if sentence.startswith("* ") else ""
    return [f"# {indent if number else ''}{line}" for number, line in enumerate(lines)]
