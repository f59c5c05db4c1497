"""Clusters: rows that are not independent, by a column of ids or a text that repeats."""

from trimtab.config import toml_value
from trimtab.data.columns import Column, RawTable
from trimtab.draft import names
from trimtab.draft.labels import MOST_CLASSES

LEAST_CLUSTERS = 10  # fewer cannot be divided between train, validation and test
_LARGEST = 0.2  # of all rows, in one cluster
_FREQUENT, _TIMES = 0.05, 10  # of all rows, and of a mean cluster: rather the words for a missing text


def find_clusters(
    table: RawTable,
    asked: str | None,
    first: Column,
    second: Column | None,
    taken: set[str | None],
    *,
    by_query: bool,
) -> tuple[str | None, list[str]]:
    """The column of clusters, None where each row is its own, and sentences on it.

    asked: the column that the user named; taken: columns that are something else; by_query: whether rows are
    ranked by query, which are then the clusters.
    """
    if asked is not None:
        return asked, [f"clusters: {toml_value(asked)} (as you said)"]
    if by_query:
        return None, ["clusters: the queries, as rows of one are not independent"]
    texts = [column for column in (first, second) if column is not None]
    others = [each for each in table.columns.values() if each not in texts and each.name not in taken]
    for column in others:
        if names.plain(column.name) in names.CLUSTERS and _groups(column, table.rows):
            words = f"{column.distinct:,} values on {table.rows:,} rows"
            return column.name, [f"clusters: {toml_value(column.name)} (named like them; {words})"]
    said = [*_too_frequent(texts, table.rows), *_ids(others, table.rows)]
    groups = [each for each in texts if _groups(each, table.rows) and not _is_uneven(each, table.rows)]
    if not groups:
        return None, [f"clusters: none, each row is its own, {_why_none(texts, table.rows)}", *said]
    chosen = min(groups, key=lambda column: column.distinct)
    words = f"{chosen.distinct:,} different texts on {table.rows:,} rows"
    also = [toml_value(column.name) for column in groups if column is not chosen]
    beside = f"; {also[0]} repeats too, which these clusters do not cover" if also else ""
    return chosen.name, [f"clusters: {toml_value(chosen.name)}, as its texts repeat ({words}){beside}", *said]


def _groups(column: Column, rows: int) -> bool:
    """Whether cells of a column recur, none is blank, and enough of them differ to be divided."""
    return column.filled == rows and LEAST_CLUSTERS <= column.distinct < rows


def _is_uneven(column: Column, rows: int) -> bool:
    """Whether one cell has so many of the rows that it could not be divided between splits."""
    most = max(column.counts.values(), default=0)
    return most > _LARGEST * rows or (most > _FREQUENT * rows and most * column.distinct > _TIMES * rows)


def _too_frequent(texts: list[Column], rows: int) -> list[str]:
    """Sentences on texts that rather stand for a missing one, such as "no subject"."""
    uneven = [column for column in texts if _groups(column, rows) and _is_uneven(column, rows)]
    return [
        f"{toml_value(column.name)} is no cluster: one text stands in {max(column.counts.values()):,} rows"
        for column in uneven
    ]


def _ids(others: list[Column], rows: int) -> list[str]:
    """A sentence on columns that repeat like ids of what rows belong to."""
    repeat = [
        column
        for column in others
        if _groups(column, rows) and MOST_CLASSES < column.distinct <= rows / 2 and not column.is_dates
    ]
    return [
        f"{toml_value(column.name)} repeats ({column.distinct:,} values on {rows:,} rows): --cluster "
        f"{toml_value(column.name)} where rows with one value are not independent"
        for column in repeat
    ]


def _why_none(texts: list[Column], rows: int) -> str:
    few = [column for column in texts if column.filled == rows and column.distinct < LEAST_CLUSTERS]
    if few:
        return (
            f"as {few[0].distinct:,} different texts of {toml_value(few[0].name)} are too few to divide; "
            "rows that share one are not independent, so that intervals are too narrow"
        )
    return "as no text repeats often enough to be one"
