"""The simulation of planned looks decides as the package does, and its committed rates are within limits."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from bench.calibration.looks import ALPHA, SIZES, Design, Studies, holm, make, of_one_look, take
from trimtab.report import look_words
from trimtab.statistics import Looks
from trimtab.statistics import holm as holm_of_one
from trimtab.statistics.futility import chance_at_last
from trimtab.statistics.stopping import Evidence, Family

RESULTS = Path(__file__).parents[2] / "results" / "calibration"


@pytest.mark.parametrize("truth", [0.0, 1.0])
def test_many_studies_at_once_decide_as_each_alone(truth):
    studies = Studies(Design(5, 0.4, truth), 25, np.random.default_rng(0))
    found = take(studies)
    families = [Family(5, len(SIZES), ALPHA) for _ in range(25)]
    for number, size in enumerate(SIZES):
        looks, parts = Looks(SIZES[: number + 1], SIZES[-1]), studies.parts(size)
        p, p_equivalence = (looks.adjusted(each) for each in of_one_look(parts)[:2])
        nominal = Looks(SIZES, SIZES[-1]).nominal
        for place, family in enumerate(families):

            def chance(level, place=place, parts=parts, size=size):
                return chance_at_last(parts, SIZES[-1], nominal(level))[place]  # noqa: B023

            family.look(
                {
                    k: Evidence(
                        p[place, k],
                        p_equivalence[place, k],
                        lambda level, chance=chance, k=k, size=size: (
                            float(chance(level)[k]) if size < SIZES[-1] else 1.0
                        ),
                    )
                    for k in family.active
                }
            )
    for place, family in enumerate(families):
        assert [one.look - 1 for one in family.courses] == found.look[place].tolist()
        assert [one.p < ALPHA for one in family.courses] == found.different[place].tolist()


def test_holm_of_rows():
    p = np.random.default_rng(0).random((20, 5)) ** 3
    np.testing.assert_allclose(holm(p), [holm_of_one(row) for row in p])


def test_it_writes_its_tables(tmp_path):
    make(tmp_path, 20)
    assert set(pd.read_csv(tmp_path / "looks.csv")["table"]) == {"level", "power"}
    assert "20 for each row" in (tmp_path / "looks.md").read_text()


def test_committed_rates():
    """At most the nominal level but for two Monte Carlo errors; saved trials and power as specified."""
    table = pd.read_csv(RESULTS / "looks.csv")
    level, power = (table[table["table"] == name] for name in ("level", "power"))
    assert (level["family"] <= 0.05 + 2 * np.sqrt(0.05 * 0.95 / 10_000)).all()
    np.testing.assert_allclose(power["trials"], [33, 43, 54, 36], atol=1)
    np.testing.assert_allclose(power["power"].iloc[2:], [0.63, 1.0], atol=0.02)
    assert (power["covered"] >= 0.95).all()


def test_the_report_quotes_them():
    table = pd.read_csv(RESULTS / "looks.csv")
    [row] = table[(table.contrasts == 1) & (table.seed_points == 1) & (table.table == "level")].itertuples()
    for rate in (row.one_look, row.unplanned, row.every_seed):
        assert f"{100 * rate:.1f} %" in look_words.UNPLANNED
