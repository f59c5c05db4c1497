"""Data: readers, tokens, and what a model is given.

The public face is ``read``, ``Examples`` and ``Ragged``.
"""

from trimtab.data.examples import Examples
from trimtab.data.readers import read
from trimtab.ragged import Ragged

__all__ = ["Examples", "Ragged", "read"]
