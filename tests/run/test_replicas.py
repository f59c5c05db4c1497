"""Replicas: seeds of their own, trials of their own, unpaired contrasts."""

import pytest

from trimtab.analysis.analysis import analyse
from trimtab.config import InputError
from trimtab.ledger import Ledger
from trimtab.plan.identity import trial_config
from trimtab.plan.plan import make_plan
from trimtab.plan.prepare import prepare
from trimtab.run.runner import ProgressCallback, run

pytestmark = pytest.mark.integration

ONE = ('["longest_first", "ratio"]', '["ratio"]', "[12, 40]", "[12]")
REPLICAS = ("[grid]", "[grid]\nreplica = [0, 1, 2]")


@pytest.fixture
def plan(tmp_path, tiny, study_at):
    def made(*replacements):
        study = study_at(tmp_path, tiny(*replacements))
        return make_plan(prepare(study))

    return made


def test_no_two_trials_share_a_seed(plan):
    made = plan(*ONE, *REPLICAS)
    configs = [trial_config(variant, seed) for variant in made.variants for seed in (0, 1)]
    assert [config.seed for config in configs] == [0, 1, 1_000_000, 1_000_001, 2_000_000, 2_000_001]
    assert len({config.key for config in configs}) == 6
    assert [variant.same_as for variant in made.variants] == [0, 1, 2]


def test_the_first_replica_is_the_study_without_replicas(plan):
    first, alone = (made.variants[0] for made in (plan(*ONE, *REPLICAS), plan(*ONE)))
    assert trial_config(first, 1) == trial_config(alone, 1)


def test_the_first_is_the_baseline_and_nothing_is_paired(plan):
    contrasts = plan(*ONE, *REPLICAS).contrasts
    assert [(c.variant, c.baseline, c.paired) for c in contrasts] == [(1, 0, False), (2, 0, False)]


def test_within_a_replica_seeds_pair(plan):
    made = plan("[12, 40]", "[12]", *REPLICAS)
    assert [variant.name for variant in made.variants][:2] == [
        "replica 0, longest_first, max_len 12",
        "replica 0, ratio, max_len 12",
    ]
    assert [(c.variant, c.baseline, c.paired) for c in made.contrasts] == [
        (1, 0, True),
        (3, 2, True),
        (5, 4, True),
    ]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ("[-1]", r"replica = -1 is wrong; number replicas from 0"),
        ("[0, true]", r"replica = True is wrong; it should be a whole number"),
        ("['a']", r"replica = 'a' is wrong; it should be a whole number"),
    ],
)
def test_what_is_no_replica(plan, values, message):
    with pytest.raises(InputError, match=message):
        plan(*ONE, "[grid]", f"[grid]\nreplica = {values}")


def test_seeds_that_reach_into_the_next_replica(plan):
    many = ("seeds = 2", "seeds = [0, 1000000]")
    with pytest.raises(InputError, match=r"with replica, seeds must be under 1,000,000; take smaller ones"):
        plan(*ONE, *REPLICAS, *many)
    assert trial_config(plan(*ONE, *many).variants[0], 1_000_000).seed == 1_000_000


class Starts(ProgressCallback):
    """Notes how many trials a run begins with."""

    def start(self, trials, done_before, cost, what="trials"):
        self.trials = trials, done_before


def test_replicas_run_and_are_analysed_unpaired(tmp_path, tiny, study_at):
    study = study_at(tmp_path, tiny(*ONE, "[grid]", "[grid]\nreplica = [0, 1]"))
    starts = Starts()
    outcome = run(study, out=tmp_path / "out", device="cpu", jobs=1, progress=starts)
    assert starts.trials == (4, 0)
    assert outcome.failures == ()
    ledger = Ledger(outcome.folder)
    logits = [ledger.trial(key).predictions("test").tobytes() for key in ledger.frame()["key"]]
    assert len(set(logits)) == 4
    [row] = analyse(ledger).tests[0].contrasts
    assert row.variant.name.startswith("replica 1")
    assert row.baseline.name.startswith("replica 0")
    assert not row.contrast.paired
    assert row.contrast.verdict != "identical"
