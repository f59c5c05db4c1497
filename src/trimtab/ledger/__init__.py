"""The ledger: what a study asked for and everything that came out, typed and versioned. Free of torch."""

from trimtab.ledger.ledger import Ledger

__all__ = ["Ledger"]
