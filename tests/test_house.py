"""The house of design.md: every import runs downward, and what reads a study or a ledger needs no torch."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import trimtab

SOURCE = Path(trimtab.__file__).parent

# From the top down. A file may import from its own wing and from the floors below, never from a wing beside
# its own: {run, deploy} know nothing of each other, nor do {plan, analysis}. Files of the foot may do so.
FLOORS = (
    {"cli", "notebook"},
    {"report"},
    {"run", "deploy", "draft"},
    {"plan", "analysis", "trackers"},
    {"ledger", "predictions"},
    {"study"},
    {"training"},
    {"model"},
    {"data"},
    {"truncation", "statistics"},
    {"atomic", "config", "machine", "ragged"},
    {""},  # trimtab itself: the version, and public names that are imported when they are used
)
FOOT = FLOORS[-2]
HEIGHT = {wing: -number for number, floor in enumerate(FLOORS) for wing in floor}

# Who reads a study file, a ledger or a report should not wait for torch.
WITHOUT_TORCH = (
    "trimtab.truncation",
    "trimtab.statistics",
    "trimtab.study",
    "trimtab.study.pretraining_definition",
    "trimtab.ledger",
    "trimtab.ledger.trial",
    "trimtab.plan.plan",
    "trimtab.plan.prepare",
    "trimtab.plan.audit",
    "trimtab.plan.power",
    "trimtab.plan.show",
    "trimtab.run.runner",
    "trimtab.draft.draft",
    "trimtab.analysis.analysis",
    "trimtab.trackers",
    "trimtab.notebook",
    "trimtab.analysis.two_ledgers",
    "trimtab.analysis.of_predictions",
    "trimtab.report",
    "trimtab.report.pretraining",
)


def module_of(path):
    """The dotted name of a file, and the package that its relative imports start from."""
    parts = ("trimtab", *path.relative_to(SOURCE).with_suffix("").parts)
    package = parts[:-1]
    return (package if parts[-1] == "__init__" else parts), package


def imported(tree, package):
    """(line, dotted parts) of every import in a file, those inside functions too."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, tuple(alias.name.split("."))
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else ()
            base += tuple((node.module or "").split(".")) if node.module else ()
            for alias in node.names:
                # `from trimtab import data` names a wing, `from trimtab import __version__` a thing.
                is_module = base == ("trimtab",) and alias.name in HEIGHT
                yield node.lineno, (*base, alias.name) if is_module else base


def wing_of(parts):
    return parts[1] if len(parts) > 1 else ""


def may_import(wing, other):
    """Whether a file of ``wing`` may import from ``other``."""
    return wing == other or HEIGHT[other] < HEIGHT[wing] or {wing, other} <= FOOT


def faults(text, parts, package):
    """A sentence for every import of ``text``, the module ``parts``, that does not run downward."""
    wing = wing_of(parts)
    for line, target in imported(ast.parse(text), package):
        if target[0] != "trimtab":
            continue
        if wing_of(target) not in HEIGHT:
            yield f"{'.'.join(parts)}:{line} imports {'.'.join(target)}, which has no floor in FLOORS"
        elif not may_import(wing, wing_of(target)):
            yield f"{'.'.join(parts)}:{line} imports {'.'.join(target)}, which does not stand below it"


def files():
    return sorted(SOURCE.rglob("*.py"))


def test_every_wing_has_a_floor():
    assert {wing_of(module_of(path)[0]) for path in files()} <= set(HEIGHT)


def test_imports_run_downward():
    found = [fault for path in files() for fault in faults(path.read_text(), *module_of(path))]
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    "text",
    [
        "import trimtab.training.loop",
        "import numpy, trimtab.study as study",
        "from trimtab.model.classifier import Classifier",
        "from trimtab import report",
        "from ..model import encoder",
        "def late():\n    from trimtab.cli import main",
        "if TYPE_CHECKING:\n    from trimtab.training import loop",
        "from trimtab.nowhere import x",
    ],
)
def test_an_import_upward_is_found(text):
    assert len(list(faults(text, ("trimtab", "data", "pairs"), ("trimtab", "data")))) == 1


@pytest.mark.parametrize(
    "text",
    [
        "import numpy",
        "from trimtab import __version__, truncation",
        "from trimtab.truncation import parse",
        "from trimtab.data.tokens import Tokens",
        "from .tokens import Tokens",
        "from ..ragged import Ragged",
        "from . import tokens",
    ],
)
def test_an_import_downward_is_not(text):
    assert not list(faults(text, ("trimtab", "data", "pairs"), ("trimtab", "data")))


def graph():
    """By file, as dotted parts: the files that it imports, wherever in it."""
    known = {module_of(path)[0] for path in files()}
    found = {}
    for path in files():
        parts, package = module_of(path)
        tree = ast.parse(path.read_text())
        found[parts] = {target for target in targets(tree, package, known) if target != parts}
    return found


def targets(tree, package, known):
    """Every file of ours that a tree imports: ``from trimtab.data import tokens`` is data/tokens.py."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else ()
            base += tuple((node.module or "").split(".")) if node.module else ()
            for alias in node.names:
                yield from {(*base, alias.name) if (*base, alias.name) in known else base} & known
        elif isinstance(node, ast.Import):
            yield from {tuple(alias.name.split(".")) for alias in node.names} & known


def circle(arrows):
    """A list of files each of which imports the next and the last the first; None where there is none."""
    state, path = {}, []

    def visit(node):
        state[node] = "open"
        path.append(node)
        for target in sorted(arrows.get(node, ())):
            if state.get(target) == "open":
                return path[path.index(target) :]
            if target not in state and (found := visit(target)):
                return found
        state[node] = "done"
        path.pop()
        return None

    for node in sorted(arrows):
        if node not in state and (found := visit(node)):
            return found
    return None


def test_no_circle_of_files():
    found = circle(graph())
    assert not found, " -> ".join(".".join(parts) for parts in found)


def test_a_circle_is_found():
    assert circle({"a": {"b"}, "b": {"c"}, "c": {"b", "d"}}) == ["b", "c"]
    assert circle({"a": {"b", "c"}, "b": {"d"}, "c": {"d"}, "d": set()}) is None


def test_reading_needs_no_torch():
    """One interpreter for all, as each takes its time to start; it says which import brought torch."""
    program = (
        "import importlib, sys\n"
        f"for name in {WITHOUT_TORCH!r}:\n"
        "    importlib.import_module(name)\n"
        "    if 'torch' in sys.modules:\n"
        "        sys.exit(f'{name} imports torch')\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
