"""What is wrong with a folder of results: every record read, every digest verified.

What is found is a list of findings; ``ledger.repair`` removes of them what a run makes again.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from trimtab.atomic import TEMPORARY
from trimtab.config import InputError
from trimtab.ledger.claims import gone_claims
from trimtab.ledger.examined_trial import trial_findings
from trimtab.ledger.finding import NOTHING_DEPENDS, Finding, tried
from trimtab.ledger.ledger import EVALUATED, LEDGER, LOOKS, ROWS, RUNTIME, STUDY, Ledger, holds_trials
from trimtab.ledger.pretraining_folder import PretrainingFolder
from trimtab.ledger.records import StudyRecord
from trimtab.ledger.run_records import RunRecord, trial_label
from trimtab.ledger.runs import ended_runs, live_runs
from trimtab.ledger.tokenizers import read_tokenizer


@dataclass(frozen=True)
class Examination:
    """What a folder of results holds, and what is wrong with it.

    what: the kind of folder, in words; findings: nothing where it is whole; notes: sentences on what is no
    damage, such as trials that are not run yet; runs: that go on in it, whose trials are left out.
    """

    folder: Path
    what: str
    findings: tuple[Finding, ...]
    notes: tuple[str, ...]
    runs: tuple[RunRecord, ...] = ()

    @property
    def is_whole(self) -> bool:
        """Whether nothing was found."""
        return not self.findings


def examine(folder: Path) -> Examination:
    """Examine a ledger, compact or not, or the folder of a pretraining; InputError where it is neither."""
    if PretrainingFolder(folder).is_begun:
        return _examine_pretraining(folder)
    ledger = Ledger(folder)
    if not tried(folder / LEDGER, ledger.owner):
        ledger.check_schema()
    if not (ledger.is_archived or (folder / LEDGER).exists() or (folder / STUDY).exists()):
        if holds_trials(folder):
            return _examine_lost(ledger)
        raise InputError(f"{folder}: holds no results; name the folder of a study that was run")
    return _examine_ledger(ledger)


def _examine_ledger(ledger: Ledger) -> Examination:
    folder, runs = ledger.folder, tuple(live_runs(ledger.folder))
    found = tried(folder / LEDGER, ledger.owner)
    broken = tried(ledger.root / STUDY, lambda: ledger.study) if ledger.has_study else []
    keys = _keys_there(ledger)
    if broken or not ledger.has_study:
        found += broken or _lost(ledger, keys, [STUDY])
        found += _of_trials(ledger, None, keys, runs)
        notes = [f"{_many(len(keys), 'trial')} are there; what the study asks for is not known"]
        return _examination(ledger, "a ledger", found, notes, runs)
    study = ledger.study
    found += _of_files(ledger, study)
    others = sorted(set(keys) - set(study.wanted))
    found += _of_trials(ledger, study, [*study.wanted, *others], runs)
    notes = _notes(ledger, study, others)
    what = f"{'the compact' if ledger.is_archived else 'the'} ledger of study {study.name!r}"
    return _examination(ledger, what, found, notes, runs)


def _examine_lost(ledger: Ledger) -> Examination:
    keys, runs = _keys_there(ledger), tuple(live_runs(ledger.folder))
    found = [*_lost(ledger, keys, [LEDGER, STUDY]), *_of_trials(ledger, None, keys, runs)]
    return _examination(ledger, "a ledger without its records", found, [], runs)


def _lost(ledger: Ledger, keys: list[str], names: list[str]) -> list[Finding]:
    """That records are gone, where there are trials without them."""
    done = sum(ledger.trial(key).is_complete for key in keys)
    if not done:
        return []
    what = (
        f"{' and '.join(names)} {'are' if len(names) > 1 else 'is'} gone; {done:,} finished trials are there"
    )
    mend = f"run the study again with --out {ledger.folder}, which finds the trials by their keys"
    return [Finding(ledger.folder / names[0], what, mend, None)]


def _examination(
    ledger: Ledger, what: str, found: list[Finding], notes: list[str], runs: tuple[RunRecord, ...]
) -> Examination:
    if ledger.is_archived:  # nothing can be removed from a compact ledger
        found = [replace(each, remove=None) for each in found]
    if not runs:
        found = [*found, *_left_over(ledger.folder)]
    return Examination(ledger.folder, what, tuple(found), tuple(notes), runs)


def _of_files(ledger: Ledger, study: StudyRecord) -> Iterator[Finding]:
    folder, root = ledger.folder, ledger.root
    if not ledger.is_archived:
        yield from tried(folder / RUNTIME, lambda: ledger.runtime)
    for test in study.tests:
        found = tried(root / EVALUATED, lambda test=test: ledger.evaluated(test), None)  # type: ignore[misc]
        yield from found
        if found:
            break
    yield from tried(root / ROWS, lambda: ledger.rows)
    found = tried(root / LOOKS, lambda: ledger.looks)
    yield from found
    if not found and (looks := ledger.looks) and looks.planned != study.compare.looks:
        yield Finding(root / LOOKS, "it is of other planned looks", "run the study again", root / LOOKS)
    for variant in () if ledger.is_archived else study.variants:
        if kept := variant.kept_tokenizer:
            read = partial(read_tokenizer, folder, kept)
            found = tried(folder / "tokenizers" / f"{kept.tokenizer}.json", read, None)
            yield from found
            if found:
                break


def _of_trials(
    ledger: Ledger, study: StudyRecord | None, keys: list[str], runs: tuple[RunRecord, ...]
) -> Iterator[Finding]:
    shapes = {}
    for test in study.tests if study else ():
        try:
            shapes[test] = len(ledger.evaluated(test).labels), study.outputs if study else 0
        except InputError:  # found already
            continue
    wanted = study.wanted if study else {}
    busy = {label.label for run in runs for label in run.running}
    for key in keys:
        if any(trial_label(variant.name, seed) in busy for variant, seed in wanted.get(key, [])):
            continue
        yield from trial_findings(ledger.trial(key), shapes)


def _notes(ledger: Ledger, study: StudyRecord, others: list[str]) -> list[str]:
    states = {"finished": 0, "failed": 0, "not run": 0}
    for key in study.wanted:
        trial = ledger.trial(key)
        state = "finished" if trial.is_complete else "failed" if trial.has_failure else "not run"
        states[state] += 1
    words = ", ".join(f"{number} {state}" for state, number in states.items() if number)
    notes = [f"{_many(len(study.wanted), 'trial')}: {words}"]
    if others:
        notes.append(
            f"{_many(len(others), 'trial')} of earlier versions of the study, which it no longer asks for"
        )
    return notes


def _keys_there(ledger: Ledger) -> list[str]:
    trials = ledger.root / "trials"
    return sorted(path.name for path in trials.iterdir() if path.is_dir()) if trials.is_dir() else []


def _left_over(folder: Path) -> Iterator[Finding]:
    """What dead processes left behind."""
    mend = NOTHING_DEPENDS
    for path in sorted(folder.rglob(f"{TEMPORARY}*")):
        yield Finding(path, "a process that was killed while it wrote left it", mend, path)
    for path in ended_runs(folder):
        yield Finding(path, "it is of a run that is gone", mend, path)
    for path in gone_claims(folder):
        yield Finding(path, "it is a claim of a run that is gone", mend, path)


def _examine_pretraining(folder: Path) -> Examination:
    there, runs = PretrainingFolder(folder), tuple(live_runs(folder))
    found = [
        *tried(folder / "pretraining.json", lambda: there.begun, None),
        *tried(folder / "metrics.jsonl", there.stretches, None),
        *tried(folder / "result.json", lambda: there.result),
    ]
    done = (folder / "result.json").exists()
    if done and there.checkpoint.exists():
        mend = NOTHING_DEPENDS
        found.append(Finding(there.checkpoint, "the training is complete without it", mend, there.checkpoint))
    if done and not there.model.is_dir():
        found.append(Finding(there.model, "it is gone", f"delete {folder} and pretrain again", None))
    if not runs:
        found += _left_over(folder)
    notes = [f"the training is {'complete' if done else 'not complete; pretrain again to resume it'}"]
    return Examination(folder, "the folder of a pretraining", tuple(found), tuple(notes), runs)


def _many(number: int, what: str) -> str:
    return f"{number:,} {what}{'s' * (number != 1)}"
