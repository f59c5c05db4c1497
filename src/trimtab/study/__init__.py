"""A study: what to run, what is left, doing it, and what came out.

The public face is ``load(path) -> Study``, ``Study.run()`` and ``Ledger(folder).frame()``.
"""

from trimtab.study.definition import Study, load
from trimtab.study.ledger import Ledger

__all__ = ["Ledger", "Study", "load"]
