"""The house of design.md: every import runs downward, and what reads a study or a ledger needs no torch."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import trimtab

SOURCE = Path(trimtab.__file__).parent

# From the top down; what stands on one floor may import from its own floor and from below.
FLOORS = (
    {"cli", "progress"},
    {"report"},
    {"study"},
    {"training"},
    {"model"},
    {"data"},
    {"truncation"},
    {"statistics"},
    {"config", "ragged", "aside"},
    {""},  # trimtab itself: the version
)
HEIGHT = {wing: -number for number, floor in enumerate(FLOORS) for wing in floor}

WITHOUT_TORCH = (
    "trimtab.statistics",
    "trimtab.report",
    "trimtab.study",
    "trimtab.study.definition",
    "trimtab.study.ledger",
    "trimtab.study.plan",
    "trimtab.study.analysis",
    "trimtab.study.audit",
    "trimtab.study.contrasts",
    "trimtab.study.cross",
    "trimtab.study.power",
    "trimtab.study.recommendation",
    "trimtab.study.scores",
    "trimtab.study.show",
    "trimtab.study.starts",
    "trimtab.study.trial",
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


def faults(text, parts, package):
    """A sentence for every import of ``text``, the module ``parts``, that does not run downward."""
    wing = wing_of(parts)
    for line, target in imported(ast.parse(text), package):
        if target[0] != "trimtab":
            continue
        if wing_of(target) not in HEIGHT:
            yield f"{'.'.join(parts)}:{line} imports {'.'.join(target)}, which has no floor in FLOORS"
        elif HEIGHT[wing_of(target)] > HEIGHT[wing]:
            yield f"{'.'.join(parts)}:{line} imports {'.'.join(target)}, which stands above it"


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
        "from trimtab.model.encoder import Classifier",
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


@pytest.mark.parametrize("module", WITHOUT_TORCH)
def test_it_imports_no_torch(module):
    program = f"import sys, {module}; sys.exit('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr or f"{module} imports torch"
