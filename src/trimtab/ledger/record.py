"""What all files of a ledger have in common.

``SCHEMA`` is raised with every field that is removed or gets another meaning, and with one that is added
where nothing can stand for it in older ledgers: a ledger with another number is refused by name, and trials'
keys change with it. A field that is added with a default, which says what older ledgers were, leaves it as it
is. Free of torch.
"""

from typing import ClassVar

from pydantic import BaseModel, ConfigDict

SCHEMA = 2


class Record(BaseModel):
    """A file of a ledger, or a part of one: frozen, without any key that it does not know."""

    model_config: ClassVar[ConfigDict] = ConfigDict(
        frozen=True, extra="forbid", populate_by_name=True, serialize_by_alias=True
    )
