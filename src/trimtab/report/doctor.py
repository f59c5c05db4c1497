"""What ``trimtab doctor`` prints: what is wrong with a folder of results, and what to do."""

from collections.abc import Sequence
from pathlib import Path

from trimtab.ledger.examination import Examination
from trimtab.report.terminal import table_text

_MOST = 200  # findings that are shown one by one


def doctor_lines(found: Examination) -> list[str]:
    """What was found, as paragraphs."""
    lines = ["\n".join([f"{found.folder}: {found.what}", *found.notes])]
    if found.runs:
        running = ", ".join(f"process {run.pid} on {run.host}" for run in found.runs)
        lines.append(f"a run goes on here ({running}); what it is working on is left out")
    if found.is_whole:
        return [*lines, "whole: nothing is to be mended"]
    rows = [[_short(each.path, found.folder), each.what, each.mend] for each in found.findings[:_MOST]]
    lines.append(table_text(rows, ["file", "what is wrong", "what to do"]))
    if (more := len(found.findings) - _MOST) > 0:
        lines.append(f"and {more:,} more")
    mendable = sum(each.remove is not None for each in found.findings)
    said = f"{len(found.findings):,} to mend"
    if mendable:
        said += f"; --repair removes {mendable:,} of these, which the next run makes again or nobody needs"
    return [*lines, said]


def removed_lines(removed: Sequence[Path], folder: Path) -> list[str]:
    """What a repair removed, one line each."""
    if not removed:
        return ["nothing was removed: what is wrong needs a person"]
    return [f"removed {_short(path, folder)}" for path in removed]


def _short(path: Path, folder: Path) -> str:
    text, start = str(path), f"{folder}/"
    return text.removeprefix(start)
