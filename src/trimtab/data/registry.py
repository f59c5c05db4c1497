"""The readers: to add one, write a file with its ``READER`` and name it here."""

from trimtab.data import boolq, cola, fnc1, glue, hub, probe, sick, snli, table, wikiqa
from trimtab.data.reader import Reader

READERS: dict[str, Reader] = {
    "probe": probe.READER,
    "snli": snli.READER,
    "cola": cola.READER,
    "glue": glue.READER,
    "fnc1": fnc1.READER,
    "boolq": boolq.READER,
    "wikiqa": wikiqa.READER,
    "sick": sick.READER,
    "table": table.READER,
    "hub": hub.READER,
}
