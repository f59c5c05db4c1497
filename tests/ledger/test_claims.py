"""Claims: of any number of runs one holds a name, and nobody waits for a run that is gone."""

import contextlib
import multiprocessing
import os
import socket
import subprocess
import sys
import time

import pytest

from trimtab.config import InputError
from trimtab.ledger import claims
from trimtab.ledger.claims import Claims
from trimtab.ledger.files import read_record
from trimtab.ledger.run_records import ClaimRecord, RunRecord
from trimtab.ledger.runs import GONE, RunFile, claim_of, process_began, process_is_there

HERE = socket.gethostname()


def run_of(number=0, host=HERE, pid=None, updated=None):
    now = time.time()
    return RunRecord(
        host=host, pid=pid or os.getpid(), started=1000.0 + number, updated=updated or now, began=now
    )


def claims_of(folder, number=0, **who):
    return Claims(folder, claim_of(run_of(number, **who)))


def holder(folder, name):
    return read_record(folder / "claims" / f"{name}.json", ClaimRecord)


def test_one_at_a_time(tmp_path):
    one, two = claims_of(tmp_path, 1), claims_of(tmp_path, 2)
    assert one.take("a")
    assert one.take("a")  # it has it already
    assert not two.take("a")
    assert two.take("b")
    assert not one.is_free("b")
    assert one.is_free("c")
    assert holder(tmp_path, "a") == one.mine
    two.give_back("a")  # which is not its own
    assert not two.take("a")
    one.give_all_back()
    assert two.take("a")
    two.give_all_back()
    assert not (tmp_path / "claims").exists()


def test_file_systems_without_hard_links(tmp_path, monkeypatch):
    def refuse(*paths):
        raise OSError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)
    one, two = claims_of(tmp_path, 1), claims_of(tmp_path, 2)
    assert one.take("a")
    assert not two.take("a")
    assert holder(tmp_path, "a") == one.mine


def ended():
    """The number of a process that has ended."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def test_a_claim_whose_process_is_gone_is_taken(tmp_path):
    dead, mine = claims_of(tmp_path, 1, pid=ended()), claims_of(tmp_path, 2)
    assert dead.take("a")
    assert mine.is_free("a")
    assert mine.take("a")
    assert holder(tmp_path, "a") == mine.mine


def test_a_process_of_the_same_number_that_began_later_is_another(tmp_path):
    assert process_is_there(os.getpid(), process_began(os.getpid()))
    if process_began(os.getpid()) is None:
        pytest.skip("the system does not say when a process began")
    assert not process_is_there(os.getpid(), process_began(os.getpid()) - 1)
    before = Claims(tmp_path, claim_of(run_of(1)).model_copy(update={"process": 1}))
    assert before.take("a")
    assert claims_of(tmp_path, 2).take("a")


def older(path, seconds):
    then = path.stat().st_mtime - seconds
    os.utime(path, (then, then))


@pytest.mark.parametrize(("silent", "taken"), [(0, False), (GONE / 2, False), (GONE + 30, True)])
def test_a_run_on_another_machine_is_gone_once_its_file_is_not_renewed(tmp_path, silent, taken):
    other = run_of(1, host="elsewhere", pid=1)
    far, mine = Claims(tmp_path, claim_of(other)), claims_of(tmp_path, 2)
    RunFile(tmp_path, other).write(other)
    assert far.take("a")
    older(RunFile(tmp_path, other).path, silent)
    assert mine.take("a") == taken
    assert mine.is_free("a") == taken or taken


def test_a_run_on_another_machine_without_a_file_is_gone_by_the_age_of_its_claim(tmp_path):
    far, mine = Claims(tmp_path, claim_of(run_of(1, host="elsewhere"))), claims_of(tmp_path, 2)
    assert far.take("a")
    assert not mine.take("a")
    older(tmp_path / "claims" / "a.json", GONE + 30)
    assert mine.take("a")


@pytest.mark.parametrize("text", ["", "{", '{"run": 3}', "\x00" * 64])
def test_a_damaged_claim_is_somebodys_until_it_is_old(tmp_path, text):
    mine, path = claims_of(tmp_path, 1), tmp_path / "claims" / "a.json"
    path.parent.mkdir()
    path.write_text(text)
    assert not mine.take("a")
    older(path, GONE + 30)
    assert mine.take("a")


def test_a_run_that_died_while_it_took_a_claim_stops_nobody_for_ever(tmp_path):
    dead, mine = claims_of(tmp_path, 1, pid=ended()), claims_of(tmp_path, 2)
    assert dead.take("a")
    assert dead.take("a.json.taking".removesuffix(".json"))  # a file of the same folder, as it would leave
    left = tmp_path / "claims" / "a.json.taking"
    (tmp_path / "claims" / "a.json.taking.json").rename(left)
    assert not mine.take("a")
    older(left, GONE + 30)
    assert not mine.take("a")  # that one goes
    assert mine.take("a")


def contend(folder, number, names, gate, found):
    mine = claims_of(folder, number)
    gate.wait()
    found.put((number, [name for name in names if mine.take(name)]))
    gate.wait()  # held until all have tried


@pytest.mark.parametrize("stale", [False, True])
def test_of_many_processes_each_name_has_one_holder(tmp_path, stale):
    """Where the names are free, and where a dead run holds all of them."""
    names, many = [f"trial-{number}" for number in range(40)], 4
    if stale:
        dead = claims_of(tmp_path, 99, pid=ended())
        assert all(dead.take(name) for name in names)
    context = multiprocessing.get_context("fork")
    gate, found = context.Barrier(many), context.Queue()
    processes = [
        context.Process(target=contend, args=(tmp_path, number, names, gate, found)) for number in range(many)
    ]
    for process in processes:
        process.start()
    held = dict(found.get(timeout=60) for _ in processes)
    for process in processes:
        process.join()
    taken = sorted(name for of_one in held.values() for name in of_one)
    # One that lost a race for a dead run's claim may leave it to a later try; none is held twice.
    assert taken == sorted(set(taken))
    if not stale:
        assert taken == sorted(names)


def test_waiting_for_a_name(tmp_path):
    one, two = claims_of(tmp_path, 1), claims_of(tmp_path, 2)
    with one.alone("setting-up"):
        assert not two.take("setting-up")
    with two.alone("setting-up", seconds=0.01):
        assert holder(tmp_path, "setting-up") == two.mine
    with contextlib.suppress(RuntimeError), two.alone("setting-up"):
        raise RuntimeError
    assert one.take("setting-up")


def interrupted_at(line, call):
    """Call; a Ctrl-C comes before the so-manieth line of claims.py. Whether it came before the end."""
    count = iter(range(line + 1))

    def trace(frame, event, _):
        if frame.f_code.co_filename != claims.__file__:
            return None
        if event == "line" and next(count) == line:
            raise KeyboardInterrupt
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        call()
    except KeyboardInterrupt:
        return True
    finally:
        sys.settrace(before)
    return False


def hold(one):
    with one.alone("setting-up"):
        pass


# A file that is just being opened stays open when the interrupt comes there.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_an_interrupt_at_any_line_leaves_no_claim(tmp_path):
    """What a run does when it ends, whatever it was doing."""
    for line in range(200):
        one = claims_of(tmp_path, line)
        came = interrupted_at(line, lambda one=one: hold(one))
        one.give_all_back()
        assert not (tmp_path / "claims" / "setting-up.json").exists(), line
        if not came:
            break
    assert 10 < line < 199


def test_what_stands_in_the_place_of_claims_is_named(tmp_path):
    (tmp_path / "claims").mkdir()
    (tmp_path / "claims" / "trial.json").mkdir()
    with pytest.raises(InputError, match=r"trial\.json: stands in the place of a claim; delete it"):
        claims_of(tmp_path).take("trial")
    other = tmp_path / "other"
    other.mkdir()
    (other / "claims").write_text("")
    with pytest.raises(InputError, match=r"claims: stands in the place of a claim; delete it"):
        claims_of(other).take("trial")
