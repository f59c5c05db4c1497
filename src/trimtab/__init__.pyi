"""The types of ``import trimtab``, whose names are imported when first used: no checker sees that.

``tests/test_public.py`` holds these to ``_PUBLIC`` of ``__init__.py``.
"""

from trimtab.analysis.two_ledgers import compare_ledgers as compare_ledgers
from trimtab.config import InputError as InputError
from trimtab.notebook import Ledger as Ledger
from trimtab.plan.plan import plan_study as plan_study
from trimtab.ragged import Ragged as Ragged
from trimtab.report import write as write_report
from trimtab.run.runner import run as run_study
from trimtab.statistics import compare as compare
from trimtab.statistics import mean_interval as mean_interval
from trimtab.study import load as load_study
from trimtab.truncation import PairTruncation as PairTruncation
from trimtab.truncation import Truncation as Truncation
from trimtab.truncation import parse as parse

__version__: str
__all__ = [
    "InputError",
    "Ledger",
    "PairTruncation",
    "Ragged",
    "Truncation",
    "__version__",
    "compare",
    "compare_ledgers",
    "load_study",
    "mean_interval",
    "parse",
    "plan_study",
    "run_study",
    "write_report",
]
