"""The pool with real worker processes: each job's end is told, whatever becomes of its worker."""

import multiprocessing
import os
import signal

import pytest

import pool_jobs
from trimtab.run.ended import Ended
from trimtab.run.pool import run_jobs
from trimtab.run.stopping import Interrupted

pytestmark = pytest.mark.integration


@pytest.fixture
def jobs():
    return pool_jobs


def run(jobs, processes, again=None, threads=1):
    """What was told, and how each job ended; ``again`` maps a number to jobs to be done in its place."""
    news, ends, again = [], {}, dict(again or {})

    def on_end(number, ended):
        ends.setdefault(number, []).append(ended)
        return again.pop(number, None)

    run_jobs(jobs, processes, threads, lambda *told: news.append(told), on_end)
    assert not multiprocessing.active_children()
    return news, ends


def test_one_bad_job_stops_no_other(jobs):
    every = [
        jobs.Raise(),
        jobs.Answer(1),
        jobs.Exit(),
        jobs.Answer(3),
        jobs.HalfAWord(),
        jobs.Kill(),
        jobs.Threads(),
    ]
    news, ends = run(every, 1, threads=2)
    assert news == [(1, 1), (3, 3)]
    assert [len(ends[number]) for number in range(7)] == [1] * 7
    assert "ValueError: this job cannot be done" in ends[0][0].traceback
    assert ends[1] == [Ended(value=1)]
    assert ends[2] == [Ended(exit_code=7)]
    assert ends[3] == [Ended(value=3)]
    assert ends[4] == [Ended(exit_code=9)]
    assert ends[5] == [Ended(exit_code=-signal.SIGKILL)]
    assert ends[6] == [Ended(value=(2, True))]


def test_a_worker_that_lost_its_gpu_takes_no_other_job(jobs):
    news, ends = run([jobs.SpoilTheDevice(), jobs.Process()], 1, again={0: jobs.Process()})
    ((_, spoilt),) = news
    lost, again = ends[0]
    assert lost.lost_device
    assert "an illegal memory access" in lost.traceback
    assert again.value == ends[1][0].value != spoilt
    assert len(ends[1]) == 1


def test_a_worker_that_died_idle_is_replaced_and_a_job_can_be_given_again(jobs):
    # The first worker dies with nothing to do; the second dies at work, and its job, given again, is first
    # offered to the dead one.
    news, ends = run([jobs.DieLater(), jobs.WaitAndExit()], 2, again={1: jobs.Answer(5)})
    assert ends[0] == [Ended(value="well")]
    assert ends[1] == [Ended(exit_code=3), Ended(value=5)]
    assert news == [(1, 5)]


def test_nothing_to_do_starts_nothing(jobs):
    assert run([], 2) == ([], {})


def test_starts_are_told_before_any_worker_has_started(jobs):
    """Those that can run at once, and again what is run in the place of a job."""
    told, again = [], {0: jobs.Answer(5)}

    def on_end(number, ended):
        told.append(f"end {number}")
        return again.pop(number, None)

    def on_start(number):
        told.append(f"start {number}")
        return True

    run_jobs(
        [jobs.Answer(0), jobs.Answer(1), jobs.Answer(2)], 2, 1, lambda *news: None, on_end, on_start=on_start
    )
    assert told[:2] == ["start 0", "start 1"]
    assert sorted(told[2:]) == ["end 0", "end 0", "end 1", "end 2", "start 0", "start 2"]


def test_what_takes_too_long_is_ended(jobs):
    ends = []
    run_jobs([jobs.Answer(0)], 1, 1, lambda *news: None, lambda *told: ends.append(told), patience=0.0)
    assert not multiprocessing.active_children()
    assert ends == []


def test_further_jobs_are_asked_for_when_all_have_ended_and_keep_the_workers(jobs):
    """Each set is numbered on; the process that answers is one and the same."""
    sets, ends, asked = [[jobs.Process()], [jobs.Process(), jobs.Process()], []], {}, []

    def more():
        asked.append(len(ends))
        return sets.pop(0)

    run_jobs(
        [jobs.Process()],
        1,
        1,
        lambda number, news: None,
        lambda number, ended: ends.update({number: ended.value}),
        more=more,
    )
    assert asked == [1, 2, 4]
    assert list(ends) == [0, 1, 2, 3]
    assert len(set(ends.values())) == 1


@pytest.mark.parametrize("wanted", [set(), {1}, {0, 2}])
def test_a_job_that_is_not_wanted_when_its_turn_comes_is_left_out(jobs, wanted):
    ends, asked = {}, []

    def on_start(number):
        asked.append(number)
        return number in wanted

    every = [jobs.Answer(0), jobs.Answer(1), jobs.Answer(2)]
    run_jobs(every, 1, 1, lambda *news: None, ends.__setitem__, on_start=on_start)
    assert ends == {number: Ended(value=number) for number in wanted}
    assert asked == [0, 1, 2]


def test_a_worker_that_hangs_is_ended_and_its_job_can_be_given_again(jobs):
    """It stops itself, as a debugger or a broken disk would stop it."""
    ends, again = [], [jobs.Answer(5)]

    def on_end(number, ended):
        ends.append(ended)
        return again.pop() if again else None

    run([jobs.Answer(0)], 1)  # a first worker takes seconds to start
    run_jobs([jobs.Hang()], 1, 1, lambda *news: None, on_end, silence=2.0)
    assert ends[0].silent >= 2.0
    assert ends[1:] == [Ended(value=5)]
    assert not multiprocessing.active_children()


def test_asked_to_stop_it_lets_running_jobs_end_and_starts_no_other(jobs):
    """A job that knows how to stop says how it ended; one that does not is ended; the signal is raised."""
    ends = {}

    def on_news(number, news):
        os.kill(os.getpid(), signal.SIGTERM)

    with pytest.raises(Interrupted) as caught:
        run_jobs([jobs.StopWhenAsked(), jobs.Answer(1)], 1, 1, on_news, ends.__setitem__)
    assert caught.value.number == signal.SIGTERM
    assert ends == {0: Ended(value="stopped")}
    with pytest.raises(Interrupted):
        run_jobs([jobs.Forever()], 1, 1, on_news, ends.__setitem__)
    assert ends.keys() == {0}
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL
