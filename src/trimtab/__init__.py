"""trimtab measures what truncating a text pair costs.

The names in ``__all__`` are imported when they are first used, so that ``import trimtab`` takes no time, and
torch is imported only by what trains.
"""

from importlib import import_module
from typing import Any

__version__ = "0.2.0"

# By public name: the module that defines it, and its name there.
_PUBLIC = {
    "InputError": ("trimtab.config", "InputError"),
    "Ledger": ("trimtab.notebook", "Ledger"),
    "PairTruncation": ("trimtab.truncation", "PairTruncation"),
    "Ragged": ("trimtab.ragged", "Ragged"),
    "Truncation": ("trimtab.truncation", "Truncation"),
    "compare": ("trimtab.statistics", "compare"),
    "compare_ledgers": ("trimtab.analysis.two_ledgers", "compare_ledgers"),
    "load_study": ("trimtab.study", "load"),
    "mean_interval": ("trimtab.statistics", "mean_interval"),
    "parse": ("trimtab.truncation", "parse"),
    "plan_study": ("trimtab.plan.plan", "plan_study"),
    "run_study": ("trimtab.run.runner", "run"),
    "write_report": ("trimtab.report", "write"),
}

__all__ = ["__version__", *_PUBLIC]


def __getattr__(name: str) -> Any:
    if name not in _PUBLIC:
        raise AttributeError(f"module 'trimtab' has no attribute {name!r}")
    module, there = _PUBLIC[name]
    try:
        value = getattr(import_module(module), there)
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != "torch":
            raise
        sentence = f"trimtab.{name} needs torch, which is not installed; pip install 'trimtab[train]'"
        raise ModuleNotFoundError(sentence, name="torch") from error
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_PUBLIC})
