"""What planned looks may save of a study's trials, as a plan says it."""

from trimtab.plan.plan import Plan
from trimtab.report.shortest_words import listed


def planned_looks(plan: Plan) -> list[str]:
    """The fewest and the most trials that a study with planned looks takes; nothing without looks."""
    looks = plan.study.compare.looks
    if not looks:
        return []
    first = set(plan.study.seeds[: looks[0]])
    going_on = {number for one in plan.tested for number in (one.variant, one.baseline)}
    trials = plan.trials(None)
    fewest = sum(trial.seed in first for trial in trials)
    most = sum(
        trial.seed in first or any(variant.number in going_on for variant in trial.variants)
        for trial in trials
    )
    words = (
        f"Planned looks at {listed([str(size) for size in looks])} seeds: {most:,} trials if every contrast "
        f"goes on to the last look, {fewest:,} if all stop at the first. What is estimated below is for all."
    )
    idle = [one.name for one in plan.variants if one.is_first and one.number not in going_on]
    if idle:
        words += (
            f" In no contrast that is tested, and so run with {looks[0]} seeds only: {'; '.join(idle)}. "
            "Another baseline in [compare] would compare them."
        )
    return [words]
