"""trimtab measures what truncating a text pair costs."""

__version__ = "0.1.0"
