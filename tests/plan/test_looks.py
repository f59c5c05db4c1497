"""What a plan says of planned looks: the fewest and the most trials, and who is in no contrast."""

import pytest

from trimtab.plan.plan import plan_study
from trimtab.report.plan_looks import planned_looks


@pytest.fixture
def words(tmp_path, tiny, study_at):
    """words(old, new, ...): of the tiny study with replacements."""
    return lambda *replacements: planned_looks(plan_study(study_at(tmp_path, tiny(*replacements))))


def test_the_fewest_and_the_most_trials(words):
    """Two strategies at 12; at 40 nothing is cut, and by default all lengths are compared with 40."""
    [said] = words("seeds = 2", "[compare]\nlooks = [2, 3, 5]")
    assert said.startswith(
        "Planned looks at 2, 3 and 5 seeds: 15 trials if every contrast goes on to the last look, 6 if all "
        "stop at the first."
    )
    assert "In no contrast" not in said


def test_variants_in_no_contrast_have_the_first_look_alone(words):
    looks = "[compare]\nbaseline = { truncation = 'longest_first' }\nlooks = [2, 5]"
    [said] = words("seeds = 2", looks)
    assert "12 trials if every contrast goes on" in said
    assert "and so run with 2 seeds only: longest_first, max_len 40. Another baseline" in said


def test_nothing_without_looks(words):
    assert words() == []
