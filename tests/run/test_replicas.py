"""Replicas: seeds of their own, trials of their own, unpaired contrasts."""

import pytest

from trimtab.analysis.analysis import analyse
from trimtab.config import InputError
from trimtab.data.dataset import prepare
from trimtab.ledger import Ledger
from trimtab.plan.plan import make_plan
from trimtab.run.runner import Watcher, run

ONE = ('["longest_first", "ratio"]', '["ratio"]', "[12, 40]", "[12]")
REPLICAS = ("[grid]", "[grid]\nreplica = [0, 1, 2]")


@pytest.fixture
def plan(tmp_path, tiny, study_at):
    def made(*replacements):
        study = study_at(tmp_path, tiny(*replacements))
        return make_plan(study, prepare(study.data, None))

    return made


def test_no_two_trials_share_a_seed(plan):
    made = plan(*ONE, *REPLICAS)
    seeds = [made.config(number, seed)["seed"] for number in range(3) for seed in (0, 1)]
    assert seeds == [0, 1, 1_000_000, 1_000_001, 2_000_000, 2_000_001]
    assert len({made.key(number, seed) for number in range(3) for seed in (0, 1)}) == 6
    assert [made.same_inputs(number) for number in range(3)] == [0, 1, 2]


def test_the_first_replica_is_the_study_without_replicas(plan):
    assert plan(*ONE, *REPLICAS).key(0, 1) == plan(*ONE).key(0, 1)


def test_the_first_is_the_baseline_and_nothing_is_paired(plan):
    contrasts = plan(*ONE, *REPLICAS).study.contrasts
    assert [(c.variant, c.baseline, c.paired) for c in contrasts] == [(1, 0, False), (2, 0, False)]


def test_within_a_replica_seeds_pair(plan):
    made = plan("[12, 40]", "[12]", *REPLICAS)
    assert [variant.name for variant in made.study.variants][:2] == [
        "replica 0, longest_first, max_len 12",
        "replica 0, ratio, max_len 12",
    ]
    assert [(c.variant, c.baseline, c.paired) for c in made.study.contrasts] == [
        (1, 0, True),
        (3, 2, True),
        (5, 4, True),
    ]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ("[-1]", r"replica = -1 is wrong; number replicas from 0 on"),
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
    assert plan(*ONE, *many).key(0, 1_000_000)


class Starts(Watcher):
    """Notes how many trials a run begins with."""

    def start(self, trials, done_before, work, what="trials"):
        self.trials = trials, done_before


def test_replicas_run_and_are_analysed_unpaired(tmp_path, tiny, study_at):
    study = study_at(tmp_path, tiny(*ONE, "[grid]", "[grid]\nreplica = [0, 1]"))
    watcher = Starts()
    outcome = run(study, out=tmp_path / "out", device="cpu", jobs=1, watcher=watcher)
    assert watcher.trials == (4, 0)
    assert outcome.failures == ()
    ledger = Ledger(outcome.folder)
    logits = [ledger.trial(key).predictions("test").tobytes() for key in ledger.frame()["key"]]
    assert len(set(logits)) == 4
    [row] = analyse(ledger).tests[0].contrasts
    assert row["name"].startswith("replica 1")
    assert row["baseline"].startswith("replica 0")
    assert not row["paired"]
    assert row["verdict"] != "identical"
