"""The study that ``make study`` runs finds what the ceilings of its truncations say that it must find."""

from pathlib import Path

import pytest

from trimtab.analysis.analysis import analyse
from trimtab.ledger import Ledger

QUICKSTART = Path(__file__).parents[2] / "studies" / "quickstart.toml"


@pytest.mark.slow
def test_quickstart_finds_what_its_ceilings_say(trimtab):
    """No mean above its ceiling, uncut within two points of it, every predicted effect with its sign."""
    code, _, complained = trimtab("run", QUICKSTART, "--out", "out")
    assert (code, complained) == (0, [])
    [test] = analyse(Ledger(Path("out"))).tests
    ceilings = {row.variant.name: row.ceiling for row in test.means}
    for row in test.means:
        # Where all trials are right everywhere, nothing varies and no test is made.
        assert row.estimate.mean <= row.ceiling or row.p_above_ceiling > 0.01, row.variant.name
        if row.ceiling == 1:
            assert row.estimate.mean > 0.98, row.variant.name
    predicted = 0
    for row in test.contrasts:
        difference = ceilings[row.variant.name] - ceilings[row.baseline.name]
        if abs(difference) > 0.03:
            predicted += 1
            assert row.contrast.verdict == ("better" if difference > 0 else "worse"), row
    assert predicted
