"""What a run trains before each planned look, and what it tells of those that it has taken."""

from collections.abc import Callable, Sequence

from trimtab.analysis.compared_sets import looks_taken
from trimtab.analysis.looks import LooksTaken, Place
from trimtab.ledger.ledger import Ledger
from trimtab.ledger.records import LooksRecord, StudyRecord
from trimtab.plan.identity import WantedTrial
from trimtab.statistics.stopping import Course

_REASONS = {
    "equivalent": "equivalent",
    "open": "open: the last look would hardly show a difference",
    "withheld": "no verdict, as a seed diverged",
    "last look": "open after all seeds",
}


class LookByLook:
    """Which of a study's trials are due: all where no looks are planned, else those before the next look.

    What the looks come to is kept in the ledger, for those who watch, and told once, a line each.
    """

    def __init__(self, ledger: Ledger, tell: Callable[[str], None]) -> None:
        self.ledger, self.tell = ledger, tell
        self.told = 0

    def due(self, trials: Sequence[WantedTrial]) -> list[WantedTrial]:
        """The trials that are to be run before the next look, those that are finished too."""
        taken = looks_taken(self.ledger)
        if taken is None:
            return list(trials)
        study = self.ledger.study
        self.ledger.write_looks(
            LooksRecord(planned=taken.planned, taken=taken.taken, stopped=dict(taken.stopped))
        )
        for look in range(self.told + 1, taken.taken + 1):
            self.tell(look_line(study, taken, look))
        self.told = max(self.told, taken.taken)
        wanted = taken.wanted(study)
        return [trial for trial in trials if trial.key in wanted]


def look_line(study: StudyRecord, taken: LooksTaken, look: int) -> str:
    """What stopped at a look, from 1, and why; what goes on."""
    planned = taken.planned
    stopped = [
        f"{_name(study, place)}: {_why(course)}"
        for place, course in taken.courses.items()
        if course.reason and course.look == look
    ]
    # Those of which this look was not the last.
    left = [place for place, course in taken.courses.items() if course.look > look or not course.reason]
    variants = {number for _, one in left for number in (one.variant, one.baseline)}
    head = f"look {look} of {len(planned)}, {planned[look - 1]} seeds: "
    if left:
        many = f"{len(left)} contrast{'s' * (len(left) > 1)} of {len(variants)} variants"
        rest = f"{many} go{'es' * (len(left) == 1)} on to {planned[look]} seeds"
    else:
        rest = "nothing goes on"
    said = f"stopped: {'; '.join(stopped)}" if stopped else "nothing stopped"
    return f"{head}{said}; {rest}"


def _name(study: StudyRecord, place: Place) -> str:
    test, one = place
    words = f"{study.variants[one.variant].name} against {study.variants[one.baseline].name}"
    return f"{words} on {study.tests[test]}" if len(study.tests) > 1 else words


def _why(course: Course) -> str:
    if course.reason == "different":
        return "better" if course.delta > 0 else "worse"
    return _REASONS[course.reason or "open"]
