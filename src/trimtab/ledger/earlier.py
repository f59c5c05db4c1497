"""Whether a study was looked at before: complete with other seeds, and not by a plan of looks."""

from trimtab.config import InputError
from trimtab.ledger.ledger import Ledger
from trimtab.ledger.records import LooksRecord, StudyRecord


def looked_at(ledger: Ledger, now: StudyRecord) -> tuple[int, ...]:
    """With how many seeds the study in ``ledger`` could be looked at before it is run as ``now``.

    Those that its record has already, and those of the record, where its trials had ended, some of them are
    wanted again, and seeds or looks are others now: every run that is complete has written a report. Call it
    before the record is replaced.
    """
    try:
        before = ledger.study
    except InputError:  # a first run
        return ()
    keys = set(before.wanted)
    same = now.seeds == before.seeds and now.compare.looks == before.compare.looks
    if same or keys.isdisjoint(now.wanted):
        return before.looked_at
    if before.compare.looks:
        looks = _looks(ledger)
        numbers = before.compare.looks[: looks.taken] if looks else ()
    else:
        try:
            trials = map(ledger.trial, keys)
            complete = all(each.result is not None or each.failure is not None for each in trials)
        except InputError:  # damaged, so that no report can have been written of it
            complete = False
        numbers = (len(before.seeds),) if complete and len(before.seeds) > 1 else ()
    return tuple(sorted({*before.looked_at, *numbers}))


def _looks(ledger: Ledger) -> LooksRecord | None:
    try:
        return ledger.looks
    except InputError:  # damaged; this run writes it again
        return None
