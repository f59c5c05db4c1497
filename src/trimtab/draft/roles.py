"""Which column of a table is what: guessed from names and cells, with a reason for each guess."""

from collections.abc import Iterable
from dataclasses import dataclass

from trimtab.config import InputError, nearest, toml_value
from trimtab.data.columns import Column, RawTable
from trimtab.draft import names
from trimtab.draft.labels import MOST_CLASSES, LabelFacts, is_plausible, label_facts

LEAST_CLUSTERS = 10  # fewer cannot be divided between train, validation and test
_ROWS_OF_A_QUERY = 2


@dataclass(frozen=True)
class Asked:
    """The columns that the user named, and the file of the test set."""

    first: str | None = None
    second: str | None = None
    label: str | None = None
    query: str | None = None
    cluster: str | None = None
    test: str | None = None


@dataclass(frozen=True)
class Roles:
    """What each column is: names of columns, and what the label column holds.

    splits: by split, the value of ``split_column`` for it; reasons: a sentence for each guess.
    """

    first: str
    second: str | None
    label: LabelFacts
    query: str | None
    cluster: str | None
    split_column: str | None
    splits: dict[str, str]
    reasons: tuple[str, ...]


def guess_roles(table: RawTable, asked: Asked) -> Roles:
    """What each column of a table is; InputError where there is no text, no label, or no such column."""
    for name in (asked.first, asked.second, asked.label, asked.query, asked.cluster):
        if name is not None and name not in table.columns:
            twice = "several columns have that name" if name in table.twice else nearest(name, table.columns)
            raise InputError(f"{table.path}: no column {name!r} to take ({twice})")
    columns = table.columns
    split_column, splits = (None, {}) if asked.test else _split_column(columns.values())
    first, second, why_texts = _texts(table, asked, {split_column, asked.label, asked.query, asked.cluster})
    taken = {first.name, split_column, asked.query, asked.cluster} | ({second.name} if second else set())
    label, why_label = _label(table, asked, taken)
    query = _query(table, asked, {*taken, label.name} - {first.name}, first)
    facts = label_facts(
        label, str(table.path), has_queries=query is not None, asked_queries=asked.query is not None
    )
    by_query = facts.target == "relevance"
    cluster, why_cluster = _cluster(table, asked, first, second, label, by_query)
    own_query = query.name if by_query and query and query is not first else None
    reasons = [
        *why_texts,
        f"label: {toml_value(label.name)} ({why_label}); target {facts.target}, {facts.why}; {facts.words()}",
    ]
    if facts.dropped:
        drop = " or ".join(map(toml_value, facts.drop))
        reasons.append(
            f"left out: {facts.dropped:,} rows whose label is {drop}, as it stands for a missing one"
        )
    if by_query:
        what = toml_value(own_query) if own_query else f"each different text of {toml_value(first.name)}"
        reasons.append(f"queries: {what}; rows of a query are ranked among themselves")
    reasons.append(why_cluster)
    if split_column is not None:
        found = ", ".join(f"{split} where it is {toml_value(cell)}" for split, cell in splits.items())
        reasons.append(f"splits: {toml_value(split_column)} names them: {found}")
    return Roles(
        first.name,
        second.name if second else None,
        facts,
        own_query,
        cluster,
        split_column,
        splits,
        tuple(reasons),
    )


def _split_column(columns: Iterable[Column]) -> tuple[str | None, dict[str, str]]:
    """The first column whose cells all name splits, train and another, with the cell of each split."""
    for column in columns:
        if not 2 <= column.distinct <= MOST_CLASSES:
            continue
        found: dict[str, str] = {}
        for cell, _ in column.counts.most_common():
            split = names.split_of(cell)
            if split is None:
                found = {}
                break
            found.setdefault(split, cell)
        if "train" in found and len(found) > 1:
            if "test" not in found:
                found["test"] = found.pop("validation")  # as in data sets whose test labels are secret
            return column.name, {split: found[split] for split in names.SPLITS if split in found}
    return None, {}


def _texts(table: RawTable, asked: Asked, taken: set[str | None]) -> tuple[Column, Column | None, list[str]]:
    """The columns of the texts, and why they were taken."""
    columns = table.columns
    if asked.first is not None:
        first = columns[asked.first]
        if asked.second is None:
            return first, None, [f"text: {_about(first)} (as you said)"]
        second = columns[asked.second]
        return first, second, [f"first text: {_about(first)} (as you said)", _second(second, "as you said")]
    found = [column for column in columns.values() if column.name not in taken and _is_text(column)]
    if asked.second is not None:
        second = columns[asked.second]
        found = sorted((each for each in found if each is not second), key=_rank_first)
        if not found:
            raise _no_text(table, "beside the second text")
        return (
            found[0],
            second,
            [f"first text: {_about(found[0])} (it holds text)", _second(second, "as you said")],
        )
    if not found:
        raise _no_text(table, "with text of several words")
    if len(found) == 1:
        return found[0], None, [f"text: {_about(found[0])} (the only column of texts)"]
    first = min(found, key=_rank_first)
    rest = [column for column in found if column is not first]
    second = min(rest, key=lambda column: names.rank(column.name, names.SECOND_TEXTS))
    why = [
        f"{'named like one' if names.plain(column.name) in known else 'a column of texts'}"
        for column, known in ((first, names.FIRST_TEXTS), (second, names.SECOND_TEXTS))
    ]
    single = f"; for this text alone: --first {toml_value(first.name)}"
    return first, second, [f"first text: {_about(first)} ({why[0]}{single})", _second(second, why[1])]


def _rank_first(column: Column) -> int:
    return names.rank(column.name, names.FIRST_TEXTS)


def _second(column: Column, why: str) -> str:
    return f"second text: {_about(column)} ({why})"


def _about(column: Column) -> str:
    return f"{toml_value(column.name)}, {column.words:.1f} words on average"


def _is_text(column: Column) -> bool:
    """Whether a column seems to hold texts to read, rather than labels, numbers or ids."""
    if not column.is_text or column.numbers is not None or column.distinct < 2:
        return False
    if names.is_no_text(column.name) or 2 * column.filled < len(column.cells):
        return False
    is_few = column.distinct <= MOST_CLASSES and len(column.cells) >= 5 * column.distinct
    is_named = names.plain(column.name) in (*names.FIRST_TEXTS, *names.SECOND_TEXTS)
    if names.plain(column.name) in names.LABELS and is_few:
        return False
    return column.words >= (1.2 if is_named else 2) and (is_named or not is_few)


def _no_text(table: RawTable, what: str) -> InputError:
    known = ", ".join(map(toml_value, table.columns))
    return InputError(f"{table.path}: no column {what}; name it with --first, one of {known}{_twice(table)}")


def _twice(table: RawTable) -> str:
    """The end of an error where columns could not be looked at."""
    names = ", ".join(map(toml_value, table.twice))
    return f" (several columns are named {names}, and left out: rename all but one)" if names else ""


def _label(table: RawTable, asked: Asked, taken: set[str | None]) -> tuple[Column, str]:
    """The column of labels, and why it was taken."""
    if asked.label is not None:
        return table.columns[asked.label], "as you said"
    others = [column for column in table.columns.values() if column.name not in taken]
    named = [column for column in others if names.rank(column.name, names.LABELS) < len(names.LABELS)]
    named += [each for each in others if "label" in names.plain(each.name) and each not in named]
    likely = [column for column in named if is_plausible(column)]
    if likely or named:
        chosen = min(likely or named, key=lambda column: names.rank(column.name, names.LABELS))
        also = [toml_value(column.name) for column in likely if column is not chosen]
        other = f"; another would be --label {also[0]}" if also else ""
        return chosen, f"named like one{other}"
    few = [column for column in others if is_plausible(column) and not names.is_identifier(column.name)]
    few = [column for column in few if column.distinct <= MOST_CLASSES] or few
    if few:
        return few[-1], f"the last column that may hold some, {few[-1].distinct:,} different ones"
    known = ", ".join(toml_value(column.name) for column in others)
    mend = f"name it with --label, one of {known}" if known else "add a column of labels"
    raise InputError(f"{table.path}: no column seems to hold labels; {mend}{_twice(table)}")


def _query(table: RawTable, asked: Asked, taken: set[str | None], first: Column) -> Column | None:
    """The column whose equal cells are one query: the one asked for, one of ids, or the first text."""
    if asked.query is not None:
        return table.columns[asked.query]
    found = [column for column in table.columns.values() if column.name not in taken and column is not first]
    known = [column for column in found if names.plain(column.name) in names.QUERIES]
    if names.plain(first.name) in names.QUERY_TEXTS or known:
        known.append(first)
    grouped = [each for each in known if each.distinct and each.filled >= _ROWS_OF_A_QUERY * each.distinct]
    whole = [each for each in grouped if each.filled == table.rows and each.distinct >= LEAST_CLUSTERS]
    return min(whole, key=lambda column: names.rank(column.name, names.QUERIES)) if whole else None


def _cluster(
    table: RawTable, asked: Asked, first: Column, second: Column | None, label: Column, by_query: bool
) -> tuple[str | None, str]:
    """The column of clusters, None where each row is its own, and a sentence on it."""
    if asked.cluster is not None:
        return asked.cluster, f"clusters: {toml_value(asked.cluster)} (as you said)"
    if by_query:
        return None, "clusters: the queries, as rows of one are not independent"
    texts = [column for column in (first, second) if column is not None]
    others = [each for each in table.columns.values() if each not in (*texts, label)]
    for column in others:
        if names.plain(column.name) in names.CLUSTERS and _groups(column, table.rows):
            words = f"{column.distinct:,} values on {table.rows:,} rows"
            return column.name, f"clusters: {toml_value(column.name)} (named like them; {words})"
    groups = [column for column in texts if _groups(column, table.rows)]
    if not groups:
        return None, "clusters: none, each row is its own, as no text repeats often enough to be one"
    chosen = min(groups, key=lambda column: column.distinct)
    words = f"{chosen.distinct:,} different texts on {table.rows:,} rows"
    also = [toml_value(column.name) for column in groups if column is not chosen]
    beside = f"; {also[0]} repeats too, which these clusters do not cover" if also else ""
    return chosen.name, f"clusters: {toml_value(chosen.name)}, as its texts repeat ({words}){beside}"


def _groups(column: Column, rows: int) -> bool:
    """Whether cells of a column recur, none is blank, and enough of them differ to be divided."""
    return column.filled == rows and LEAST_CLUSTERS <= column.distinct < rows
