"""The report: rows in, documents out. It computes no statistic.

``write(folder)`` makes tables, figures and ``report.md`` from a ledger alone.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from trimtab.report.page import Written, write

__all__ = ["Written", "write"]


def __getattr__(name: str) -> Any:
    """Import the page when it is asked for: its figures take seconds, and a plan needs none."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from trimtab.report import page

    return getattr(page, name)
