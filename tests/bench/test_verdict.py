"""Shares of a study's core time: what a ledger says of them adds up."""

import pytest

from bench.verdict.shares import shares_of
from bench.verdict.studies import STUDIES
from trimtab.study.definition import load

pytestmark = pytest.mark.integration


def test_shares_are_of_the_whole(ran):
    folder = ran[1].folder
    written = [path.stat().st_mtime for path in folder.glob("trials/*/result.json")]
    began, ended = min(written) - 60, max(written) + 10
    found = shares_of("tiny", folder, 1, began, ended)
    parts = ("training", "evaluation", "start", "setting_up", "between", "end")
    assert sum(getattr(found, name) for name in parts) == pytest.approx(1)
    assert found.end == pytest.approx(10 / (ended - began))
    assert found.training > found.evaluation > 0
    assert found.trials == len(written)


@pytest.mark.parametrize("name", STUDIES)
def test_its_studies_are_studies(tmp_path, name):
    (tmp_path / "study.toml").write_text(STUDIES[name])
    assert load(tmp_path / "study.toml").variants
