"""Which column of a table is what: guessed from names and cells, with a reason for each guess."""

from dataclasses import dataclass
from itertools import combinations

from trimtab.config import InputError, nearest, toml_value
from trimtab.data.columns import Column, RawTable
from trimtab.draft import names
from trimtab.draft.grouping import LEAST_CLUSTERS, find_clusters
from trimtab.draft.labels import MOST_CLASSES, LabelFacts, is_plausible, label_facts, without_missing
from trimtab.draft.splits import find_splits

_ROWS_OF_A_QUERY = 2
_WORDS_OF_A_TEXT = 3  # on average; a column of fewer is rather of names


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
    _check_apart(asked)
    columns = table.columns
    split_column, splits, why_split = find_splits(
        [column for column in columns.values() if column.name != asked.label], has_test=asked.test is not None
    )
    first, second, why_texts = _texts(table, asked, {split_column, asked.label, asked.query, asked.cluster})
    taken = {first.name, split_column, asked.query, asked.cluster} | ({second.name} if second else set())
    label, why_label = _label(table, asked, taken)
    query = _query(table, asked, {*taken, label.name} - {first.name}, first)
    facts = label_facts(
        label, str(table.path), has_queries=query is not None, asked_queries=asked.query is not None
    )
    by_query = facts.target == "relevance"
    taken |= {label.name, query.name if query else None}
    cluster, why_cluster = find_clusters(table, asked.cluster, first, second, taken, by_query=by_query)
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
    reasons += [*why_cluster, *why_split]
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


def _check_apart(asked: Asked) -> None:
    """InputError where one column is asked to be two things that it cannot be."""
    roles = {"--first": asked.first, "--second": asked.second, "--label": asked.label}
    for one, other in combinations(roles, 2):
        if roles[one] is not None and roles[one] == roles[other]:
            raise InputError(f"{one} and {other} both name {roles[one]!r}; name two columns")


def _texts(table: RawTable, asked: Asked, taken: set[str | None]) -> tuple[Column, Column | None, list[str]]:
    """The columns of the texts, and why they were taken."""
    columns = table.columns
    if asked.first is not None:
        first = columns[asked.first]
        if asked.second is None:
            return first, None, [f"text: {_about(first)} (as you said)"]
        second = columns[asked.second]
        return first, second, [f"first text: {_about(first)} (as you said)", _second(second, "as you said")]
    found = _candidates([column for column in columns.values() if column.name not in taken])
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
        _check_filled(table, found[0], "--first")
        return found[0], None, [f"text: {_about(found[0])} (the only column of texts)"]
    first = min(found, key=_rank_first)
    rest = [column for column in found if column is not first]
    second = min(rest, key=lambda column: names.rank(column.name, names.SECOND_TEXTS))
    why = [
        f"{'named like one' if names.plain(column.name) in known else 'a column of texts'}"
        for column, known in ((first, names.FIRST_TEXTS), (second, names.SECOND_TEXTS))
    ]
    _check_filled(table, first, "--first")
    _check_filled(table, second, "--second")
    single = f"; for this text alone: --first {toml_value(first.name)}"
    reasons = [f"first text: {_about(first)} ({why[0]}{single})", _second(second, why[1])]
    unused = ", ".join(toml_value(column.name) for column in rest if column is not second)
    return first, second, reasons + ([f"texts that are not used: {unused}"] if unused else [])


def _candidates(columns: list[Column]) -> list[Column]:
    """The columns of texts; beside others none that is named like no text and has blanks or few words."""
    found = [column for column in columns if _is_text(column)]
    known = (*names.FIRST_TEXTS, *names.SECOND_TEXTS)
    likely = [
        column
        for column in found
        if names.plain(column.name) in known
        or (column.filled == len(column.cells) and column.words >= _WORDS_OF_A_TEXT)
    ]
    return likely or found


def _check_filled(table: RawTable, column: Column, option: str) -> None:
    blank = len(column.cells) - column.filled
    if blank:
        raise InputError(
            f"{table.path}: {blank:,} of {len(column.cells):,} rows have nothing in column {column.name!r}; "
            f"fill them in, take these rows out, or name another column with {option}"
        )


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
    if names.is_no_text(column.name) or column.is_dates or 2 * column.filled < len(column.cells):
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
    likely = [column for column in named if is_plausible(without_missing(column))]
    if likely or named:
        chosen = min(likely or named, key=lambda column: names.rank(column.name, names.LABELS))
        also = [toml_value(column.name) for column in likely if column is not chosen]
        other = f"; another would be --label {also[0]}" if also else ""
        return chosen, f"named like one{other}"
    few = [each for each in others if is_plausible(without_missing(each)) and not each.is_dates]
    few = [column for column in few if not names.is_identifier(column.name)]
    few = [column for column in few if column.distinct <= MOST_CLASSES] or few
    if few:
        also = [f"--label {toml_value(column.name)}" for column in few[:-1]]
        other = f"; others: {', '.join(also)}" if also else ""
        return few[-1], f"the last column that may hold some, {few[-1].distinct:,} different ones{other}"
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
