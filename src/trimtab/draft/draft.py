"""A study file drafted from a table: what its columns are, what to compare, and proof that it can be run."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from trimtab.config import InputError, toml_value
from trimtab.data.columns import RawTable, read_columns
from trimtab.data.dataset import prepare_texts, read_splits
from trimtab.data.examples import Examples
from trimtab.draft.labels import with_missing_of
from trimtab.draft.lengths import Choice, choose
from trimtab.draft.model import SMALL, Training, rows_to_test, rows_to_train
from trimtab.draft.place import place_of
from trimtab.draft.roles import Asked, Roles, guess_roles
from trimtab.draft.text import study_text
from trimtab.study.definition import load_text

_MOST_ROWS = 200_000  # that guesses look at
_LEAST_ROWS = 20  # of which train, validation and test get some each
_LONGEST_NAME = 60


@dataclass(frozen=True)
class Draft:
    """A study file that can be run: its text, and what to tell the user.

    said: lines on the table and on each guess; commands: to run next.
    """

    text: str
    said: tuple[str, ...]
    commands: tuple[str, ...]


def draft(
    file: str,
    root: Path | None,
    out: Path,
    asked: Asked,
    *,
    training: Training = SMALL,
    question: str | None = None,
    schema: str | None = None,
    stage: Callable[[str], None] = lambda what: None,
) -> Draft:
    """Draft the study file ``out`` for a table; InputError where the table cannot be made a study of.

    Nothing is written. The draft is resolved and its splits are read as a run would do it, so that what is
    wrong with rows of the files is reported now. schema: as ``study_text``'s; stage: is told what is being
    done.
    """
    place = place_of(file, asked.test, root)
    stage("looking at the columns")
    table = read_columns(place.file, place.root, _MOST_ROWS)
    if table.rows < _LEAST_ROWS:
        what = f"has {table.rows} row{'s' * (table.rows != 1)}"
        raise InputError(f"{table.path}: {what}; a study needs at least {_LEAST_ROWS}, to train and to test")
    roles = guess_roles(table, asked)
    if place.test is not None:
        roles = _with_test(roles, read_columns(place.test, place.root, _MOST_ROWS))
    stage("measuring lengths")
    texts = prepare_texts(place.file, place.root, first=roles.first, second=roles.second)
    choice = choose(texts)
    asks = question or _question(place.file, roles)
    stage("reading the splits")

    def written(samples: dict[str, tuple[int, int]], test_rows: int, found: Sequence[str] = ()) -> str:
        said = [*roles.reasons, *choice.reasons, *found]
        return study_text(asks, place, roles, choice, training, samples, test_rows, said, schema)

    splits = read_splits(load_text(out, written({}, 0)).data, place.root)
    samples = _samples(choice, training, splits, held_out="validation" not in roles.splits)
    if samples:
        splits = read_splits(load_text(out, written(samples, 0)).data, place.root)
    leaks = _leaks(splits, roles, is_drawn=not (place.test or roles.splits))
    text = written(samples, len(splits["test"]), leaks)
    said = [*_table_words(table), *roles.reasons, *choice.reasons, _split_words(splits), *leaks]
    return Draft(text, tuple(said), tuple(place.command(word, out) for word in ("plan", "run")))


def _with_test(roles: Roles, test: RawTable) -> Roles:
    """The roles, with the words that stand for a missing label in the test set's file too."""
    labels = test.columns.get(roles.label.column.name)
    if labels is None:  # reading the split says so
        return roles
    return replace(roles, label=with_missing_of(roles.label, labels, str(test.path)))


def file_name(file: str) -> str:
    """The name of the study file for a table: its own without endings, in characters that suit a folder."""
    name = Path(file).name.partition(".")[0]
    words = re.sub(r"[^\w+-]+", "-", name).strip("-")
    return f"{words[:_LONGEST_NAME] or 'study'}.toml"


def _question(file: str, roles: Roles) -> str:
    what = "pairs" if roles.second else "texts"
    return f"How should the {what} of {Path(file).name} be cut, and how long must max_len be?"


def _samples(
    choice: Choice, training: Training, splits: dict[str, Examples], *, held_out: bool
) -> dict[str, tuple[int, int]]:
    """By split, how many rows to draw, and of how many; held_out: validation rows are those of train."""
    rows = {split: len(splits[split]) for split in ("train", "test")}
    rows["train"] += len(splits["validation"]) if held_out else 0
    drawn = {"train": rows_to_train(choice, training, rows["train"]), "test": rows_to_test(rows["test"])}
    return {split: (number, rows[split]) for split, number in drawn.items() if number is not None}


def _table_words(table: RawTable) -> list[str]:
    rows = f"the first {table.rows:,} rows" if table.is_cut else f"{table.rows:,} rows"
    words = [f"{table.path.name}: {rows}, {len(table.columns) + len(table.twice):,} columns"]
    if table.twice:
        names = ", ".join(map(repr, table.twice))
        words.append(f"not looked at: columns that share a name, {names}; rename them to use them")
    return words


def _split_words(splits: dict[str, Examples]) -> str:
    each = ", ".join(f"{split} {len(examples):,}" for split, examples in splits.items())
    return f"rows of the study: {each}"


def _leaks(splits: dict[str, Examples], roles: Roles, *, is_drawn: bool) -> list[str]:
    """A sentence where texts of the test rows stand in train too; how to draw others, if they are drawn."""
    found = []
    for side, column in (("first", roles.first), ("second", roles.second)):
        trained, tested = (getattr(splits[split], side) for split in ("train", "test"))
        if column is None:
            continue
        known = set(trained)
        both = sum(text in known for text in tested)
        if both:
            what = f"a {side} text" if roles.second else "a text"
            other = is_drawn and roles.label.target != "relevance" and roles.cluster != column
            mend = f"; --cluster {toml_value(column)} would draw test rows that have none" if other else ""
            found.append(
                f"Warning: {both:,} of {len(tested):,} test rows have {what} that is in train too{mend}"
            )
    return found
