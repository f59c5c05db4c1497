"""The report: rows in, documents out. It computes no statistic.

``write(folder)`` makes tables, figures and ``report.md`` from a ledger alone.
"""

from trimtab.report.page import Written, write

__all__ = ["Written", "write"]
