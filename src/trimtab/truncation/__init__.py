"""What is kept of a text pair that is too long: splits, selections, their spec strings, and the audit."""

from trimtab.truncation.registry import Strategy, describe
from trimtab.truncation.spec import Kept, Truncation, parse

__all__ = ["Kept", "Strategy", "Truncation", "describe", "parse"]
