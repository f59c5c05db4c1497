"""The matrix as a table in Markdown: docs/faults.md holds it."""

from collections.abc import Mapping, Sequence
from typing import Any

from bench.faults.kinds import FAULTS
from bench.faults.places import PLACES


def table(cells: Sequence[Mapping[str, Any]]) -> str:
    """One row per fault, one column per place: what was trained again, or why nothing was tried."""
    found = {(cell["fault"], cell["place"]): cell for cell in cells}
    lines = ["| fault | " + " | ".join(PLACES) + " |", "| --- " * (1 + len(PLACES)) + "|"]
    for fault in FAULTS:
        row = [_words(found.get((fault.name, place)), fault.anew) for place in PLACES]
        lines.append(f"| {fault.name} | " + " | ".join(row) + " |")
    return "\n".join(lines)


def is_well(cell: Mapping[str, Any]) -> bool:
    """Whether nothing was lost, nothing finished was repeated, and the tables are the undisturbed ones."""
    return bool(cell["reason"] or (cell["equal"] and not cell["lost"] and not cell["again"]))


def _words(cell: Mapping[str, Any] | None, anew: bool) -> str:
    if cell is None:
        return "not run"
    if cell["reason"]:
        return f"({cell['reason']})"
    if not is_well(cell):
        return "**differs**"
    repeated = []
    if cell["damaged"]:
        repeated.append("the damaged trial")
    if cell["resumed"]:
        repeated.append("trials under way" if anew else "from checkpoints on")
    return ", ".join(repeated) or "nothing"
