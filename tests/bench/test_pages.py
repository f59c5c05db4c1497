"""The pages in results/ are what their writers make of the figures beside them."""

import json

import pytest

from bench import RESULTS
from bench.calibration import page as calibration
from bench.peers import page
from bench.regression import memory

PAGES = {
    "peers-cpu": page.snli,
    "cola-lengths": page.cola,
    "pretrain-cpu": page.pretraining,
    "memory": memory.page,
}


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_made_of_its_figures(name):
    found = json.loads((RESULTS / f"{name}.json").read_text())
    assert PAGES[name](found) == (RESULTS / f"{name}.md").read_text()


def test_the_page_of_the_calibration_is_made_of_its_rates():
    folder = RESULTS.parent / "calibration"
    found = json.loads((folder / "calibration.json").read_text())
    made = calibration.page(found)
    assert made == (folder / "calibration.md").read_text()


def test_parts_that_are_not_measured_again_stay(tmp_path, capsys):
    found = json.loads((RESULTS / "peers-cpu.json").read_text())
    page.write(tmp_path, "peers-cpu", found, page.snli)
    newer = found["training"] | {"signature": {"date": "a later day"}}
    page.write(tmp_path, "peers-cpu", page.written(tmp_path, "peers-cpu") | {"training": newer}, page.snli)
    text = (tmp_path / "peers-cpu.md").read_text()
    assert "Made with date a later day." in text
    assert f"date {found['preparation']['signature']['date']}" in text
    assert text in capsys.readouterr().out
    assert page.written(tmp_path, "other") == {}
