"""``--log``: what ``run`` and ``report`` write for trackers."""

import json
from pathlib import Path

import pytest

pytestmark = pytest.mark.integration


@pytest.mark.usefixtures("unsaved_figures")
def test_run_and_report_write_runs(tiny, trimtab):
    text = tiny('["longest_first", "ratio"]', '["longest_first"]').replace("320", "64")
    Path("study.toml").write_text(text.replace("[12, 40]", "[12]").replace("seeds = 2", "seeds = 1"))
    code, said, complained = trimtab("run", "study.toml", "--device", "cpu", "--quiet", "--log", "jsonl")
    assert (code, complained) == (0, [])
    assert "--log jsonl: 1 runs written, 1 in all, in results/study/log/trials.jsonl" in said
    path = Path("results/study/log/trials.jsonl")
    events = [json.loads(line) for line in path.read_text().splitlines()]
    assert [event["event"] for event in events] == ["epoch", "epoch", "trial"]
    path.unlink()
    code, said, complained = trimtab("report", "results/study", "--log", "jsonl")
    assert (code, complained) == (0, [])
    assert "--log jsonl: 1 runs written, 1 in all, in results/study/log/trials.jsonl" in said
    assert [json.loads(line) for line in path.read_text().splitlines()] == events


def test_an_unknown_tracker_trains_nothing(wrong):
    said = wrong("run", "study.toml", "--log", "jsonlines")
    assert said == "--log jsonlines: there is no such tracker; did you mean 'jsonl'?"
    assert not Path("results").exists()


def test_two_folders_side_by_side(tmp_path, handmade, scores, trimtab, wrong):
    handmade.write(tmp_path / "a", {"test": scores})
    handmade.write(tmp_path / "b", {"test": scores[:1]})
    code, said, complained = trimtab("report", "a", "--compare", "b")
    assert (code, complained) == (0, [])
    assert "Regressions of A: none shown." in said
    assert said[-1] == "a/tables/compare-test.md"
    assert Path(said[-1]).exists()
    assert not Path("a/report.md").exists()
    assert wrong("report", "a", "--compare", "c").startswith("c: holds no results")
