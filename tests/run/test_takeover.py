"""Trials taken over from other folders of results: equal ones only, whole, and copied."""

from dataclasses import replace

import pytest

from trimtab.config import InputError
from trimtab.ledger import Ledger
from trimtab.run.runner import run

pytestmark = pytest.mark.integration


@pytest.fixture(autouse=True)
def cache(session_cache, monkeypatch):
    monkeypatch.setenv("TRIMTAB_CACHE", str(session_cache))
    monkeypatch.delenv("TRIMTAB_DATA", raising=False)


def files(folder):
    return {path.relative_to(folder): path.read_bytes() for path in sorted(folder.glob("trials/*/*"))}


def test_equal_trials_are_taken_over(ran, tmp_path):
    """By another study of the same trials, from a folder of folders of results."""
    study, before = replace(ran[0], given_name="another"), files(ran[1].folder)
    ended = []
    outcome = run(
        study,
        out=tmp_path / "out",
        device="cpu",
        jobs=1,
        reuse=[ran[1].folder.parent],
        on_trial=ended.append,
    )
    assert (outcome.taken_over, outcome.done_now, outcome.done_before) == (6, 0, 0)
    assert files(tmp_path / "out") == before == files(ran[1].folder)
    assert len(set(ended)) == 6
    again = run(study, out=tmp_path / "out", device="cpu", jobs=1, reuse=[ran[1].folder])
    assert (again.taken_over, again.done_now, again.done_before) == (0, 0, 6)
    # What is damaged here stays whole there.
    for path in (tmp_path / "out").glob("trials/*/result.json"):
        path.write_text("damaged")
        break
    assert Ledger(ran[1].folder).frame()["status"].eq("done").all()


def test_only_trials_of_the_same_key_are_taken_over(ran, tmp_path, study_at, tiny):
    study = study_at(tmp_path, tiny("seeds = 2", "seeds = [1, 7]").replace("[12, 40]", "[12]"))
    study = replace(study, variants=study.variants[:1], contrasts=())
    outcome = run(study, out=tmp_path / "out", device="cpu", jobs=1, reuse=[ran[1].folder])
    assert (outcome.taken_over, outcome.done_now) == (1, 1)


@pytest.mark.parametrize("name", ["nowhere", "."])
def test_a_folder_without_trials(ran, tmp_path, name):
    with pytest.raises(InputError, match=r"--reuse .*: holds no trials, neither it nor a folder in it"):
        run(ran[0], out=tmp_path / "out", reuse=[tmp_path / name])
    assert not (tmp_path / "out").exists()
