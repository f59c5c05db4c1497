"""What is kept of a text pair that is too long: splits, selections, their spec strings, and the audit."""

from trimtab.truncation.options import Bounds
from trimtab.truncation.pair_truncation import PairTruncation
from trimtab.truncation.registry import Strategy, describe
from trimtab.truncation.spec import Kept, Truncation, parse

__all__ = ["Bounds", "Kept", "PairTruncation", "Strategy", "Truncation", "describe", "parse"]
