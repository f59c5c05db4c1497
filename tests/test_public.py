"""``import trimtab``: its public names, imported when they are first used."""

import subprocess
import sys

import pytest

import trimtab


def python(program):
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_importing_it_imports_nothing_else():
    heavy = ("numpy", "pandas", "pydantic", "torch")
    found = python(f"import sys, trimtab; dir(trimtab); print([n for n in {heavy} if n in sys.modules])")
    assert found == "[]"


def test_every_public_name_is_there():
    assert set(trimtab.__all__) <= set(dir(trimtab))
    for name in trimtab.__all__:
        assert getattr(trimtab, name) is not None
    assert trimtab.PairTruncation.__name__ == "PairTruncation"
    with pytest.raises(AttributeError, match="module 'trimtab' has no attribute 'Legder'"):
        trimtab.Legder  # noqa: B018


def test_public_names_hide_no_wing():
    """A subpackage that is imported becomes an attribute of trimtab, in place of anything of its name."""
    wings = {name.split(".")[1] for name in sys.modules if name.startswith("trimtab.")}
    assert not wings & set(trimtab.__all__)
