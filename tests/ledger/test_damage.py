"""Damage to the files of a ledger: each is noticed or changes nothing, and none ends in a traceback."""

import shutil
from itertools import islice

import numpy as np
import pytest

from damage import damages, without_digests
from trimtab.analysis.analysis import analyse
from trimtab.cli import main
from trimtab.config import InputError
from trimtab.ledger import Ledger
from trimtab.ledger.examination import examine
from trimtab.run.progress import ProgressCallback
from trimtab.run.runner import run

pytestmark = pytest.mark.integration

FILES = ("study.json", "evaluated.npz", "ledger.json", "looks.json")
OF_A_TRIAL = ("result.json", "predictions.npz", "metrics.jsonl", "config.json")


@pytest.fixture(scope="module")
def made(tmp_path_factory, handmade):
    """A ledger of two variants and two seeds, evaluated crosswise."""
    rng = np.random.default_rng(1)
    right, cross = rng.random((2, 2, 12)) < 0.7, rng.random((2, 2, 2, 12)) < 0.6
    return handmade.write(tmp_path_factory.mktemp("damage") / "out", {"test": right}, cross={"test": cross})


def every(folder, rng, **many):
    """Damages of each kind of file in a ledger."""
    one, other = sorted((folder / "trials").iterdir())[:2]
    crossed, *_ = sorted((one / "cross").glob("*.npz"))
    paths = [folder / name for name in FILES if (folder / name).exists()]
    for path in (*paths, *(one / name for name in OF_A_TRIAL), crossed):
        relative = path.relative_to(one) if path.is_relative_to(one) else None
        stranger = other / relative if relative is not None else None
        if path == crossed:
            stranger = sorted((other / "cross").glob("*.npz"))[0]
        yield from damages(path, rng, other=stranger, **many)


def told(ledger):
    """All that a report would say, or the sentence that it ends in."""
    try:
        found = analyse(ledger)
    except InputError as error:
        return str(error)  # of one line, as every InputError is
    with np.printoptions(threshold=1_000_000, precision=17):
        return repr(found)


def check(folder, damage, expected, sealed):
    """Under one damage: the analysis says the same or that something is wrong; doctor agrees."""
    with damage:
        said = told(Ledger(folder))
        try:
            whole = examine(folder).is_whole
        except InputError:
            whole = False
        noticed = said != expected and (
            "cannot be read" in said
            or "holds no results" in said
            or "written by another version" in said
            or "unknown_curves=[UnknownCurve" in said
            or "result=None" in said  # not run
            or "missing=[MissingEvaluation" in said
        )
        if sealed:
            assert said == expected or noticed, (damage.name, said[:300])
            assert said == expected or not whole or "result=None" in said or "missing=[Mis" in said, (
                damage.name
            )


def test_each_kind_of_damage_is_noticed(made):
    expected = told(made)
    for damage in islice(every(made.folder, np.random.default_rng(2), flips=1, values=1), 0, None, 3):
        check(made.folder, damage, expected, sealed=True)


def test_an_older_ledger_that_is_damaged_gives_no_traceback(made, tmp_path):
    folder = shutil.copytree(made.folder, tmp_path / "older")
    without_digests(folder)
    assert examine(folder).is_whole
    for damage in islice(every(folder, np.random.default_rng(3), flips=1, values=2), 0, None, 4):
        check(folder, damage, "", sealed=False)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4))
def test_many_damages(made, tmp_path, seed):
    older = shutil.copytree(made.folder, tmp_path / "older")
    without_digests(older)
    rng, expected = np.random.default_rng(seed), told(made)
    for damage in every(made.folder, rng, flips=40, values=60):
        check(made.folder, damage, expected, sealed=True)
    for damage in every(older, rng, flips=40, values=60):
        check(older, damage, "", sealed=False)


@pytest.fixture
def copied(ran, tmp_path):
    """A copy of the tiny study's results, and the study file."""
    study, outcome = ran
    return study, shutil.copytree(outcome.folder, tmp_path / "copy")


@pytest.mark.slow
def test_a_run_mends_what_is_damaged(copied, ran, trimtab):
    study, folder = copied
    expected = told(Ledger(ran[1].folder))
    one, other = sorted((folder / "trials").iterdir())[:2]
    shutil.copy(other / "predictions.npz", one / "predictions.npz")
    (other / "result.json").write_text("{}")
    (folder / "study.json").write_bytes((folder / "study.json").read_bytes()[:-40])
    assert "trains this trial again" not in told(Ledger(folder))  # study.json comes first
    code, said, _ = trimtab("doctor", folder)
    assert code == 1
    assert sum("predictions.npz" in line or "result.json" in line for line in said) == 2
    code, said, complained = trimtab("run", study.path, "--out", folder, "--device", "cpu", "--quiet")
    assert (code, said[0]) == (0, "2 trials done now, 4 before"), complained
    assert _without_times(told(Ledger(folder))) == _without_times(expected)
    assert examine(folder).is_whole


def _without_times(said):
    """What two runs on one machine have in common; enough to see that the scores are equal."""
    return said[said.index("means=[") : said.index("seed_counts=")]


@pytest.mark.slow
def test_no_command_ends_in_a_traceback(copied, capsys, unsaved_figures):
    study, folder = copied
    rng = np.random.default_rng(5)
    one, other = sorted((folder / "trials").iterdir())[:2]
    for path in (
        *(folder / n for n in ("study.json", "runtime.json", "ledger.json", "evaluated.npz", "rows.json")),
        one / "result.json",
        one / "predictions.npz",
    ):
        for damage in damages(
            path, rng, flips=2, values=2, other=other / path.name if path.parent == one else None
        ):
            for words in (
                ["report", folder],
                ["plan", study.path, "--out", folder, "--no-time"],
                ["watch", folder, "--once"],
                ["export", folder, "0", folder.parent / "model"],
                ["doctor", folder],
            ):
                with damage:
                    assert main([str(word) for word in words]) in (0, 1, 2)
                    capsys.readouterr()


class Cleaner(ProgressCallback):
    """Removes the cached tokens when the first trial is begun, as a cleaner of temporary folders might."""

    def __init__(self, cache):
        self.cache = cache

    def begin(self, label, cost):
        for path in self.cache.glob("tokens/*/*.npy") if self.cache else ():
            path.unlink()
        self.cache = None


@pytest.mark.slow
def test_a_cache_that_vanishes_costs_no_trial(tmp_path, monkeypatch, tiny, study_at):
    cache = tmp_path / "cache"
    monkeypatch.setenv("TRIMTAB_CACHE", str(cache))
    study = study_at(tmp_path, tiny())
    outcome = run(study, out=tmp_path / "out", device="cpu", jobs=2, progress=Cleaner(cache))
    assert (outcome.done_now, outcome.failures) == (6, ())
