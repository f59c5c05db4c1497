"""What a plan says of a study's contrasts and splits: each contrast by name, and what a person may regret."""

from collections.abc import Sequence
from typing import Any

from trimtab.config import toml_value
from trimtab.data.sampling import unsampled
from trimtab.plan.plan import Plan
from trimtab.study.grid import Coordinates, DeclaredContrast, place_words


def contrast_words(plan: Plan) -> list[str]:
    """The contrasts, grouped by baseline; then those that can hardly show anything, and axes without any."""
    declared, tested = len(plan.contrasts), len(plan.tested)
    if not declared:
        return ["The study declares no contrast.", *_axes_without_contrast(plan)]
    words = f"{declared} contrast{'' if declared == 1 else 's'}, {tested} of them tested"
    words += "." if tested == declared else "; the others' inputs are identical."
    parts = ["\n".join([words, *_named(plan)])]
    if hardly := _hardly_differing(plan):
        parts.append(
            f"Hardly any difference can be expected, as under 1 % of rows are cut: {'; '.join(hardly)}."
        )
    return parts + _axes_without_contrast(plan)


def split_words(plan: Plan) -> list[str]:
    """A remark for each test set that reads the rows of validation."""
    sources = {counts.split: unsampled(counts.source) for counts in plan.dataset.counts}
    return [
        f"Test set {test} reads the same rows as validation, {sources[test]}: what you choose by validation, "
        "such as a learning rate, is then chosen on the test set. validation = 0.1 in [data] holds out a "
        "share of train instead."
        for test in plan.dataset.tests
        if sources[test] == sources["validation"]
    ]


def _named(plan: Plan) -> list[str]:
    tested = set(plan.tested)
    by_baseline: dict[int, list[DeclaredContrast]] = {}
    for contrast in plan.contrasts:
        by_baseline.setdefault(contrast.baseline, []).append(contrast)
    lines = []
    for baseline, contrasts in by_baseline.items():
        lines.append(f"  against {plan.variants[baseline].name}:")
        for contrast in contrasts:
            same = "" if contrast in tested else " (identical inputs)"
            lines.append(f"    {plan.variants[contrast.variant].name}{same}")
    return lines


def _hardly_differing(plan: Plan) -> list[str]:
    """The contrasts tested of variants that differ in their cut alone, where neither cuts much."""
    words = []
    for contrast in plan.tested:
        pair = plan.variants[contrast.variant], plan.variants[contrast.baseline]
        if _axes(plan, contrast) <= {"truncation", "max_len", "windows"} and all(
            variant.inputs.hardly_cut for variant in pair
        ):
            words.append(f"{pair[0].name} against {pair[1].name}")
    return words


def _axes(plan: Plan, contrast: DeclaredContrast) -> set[str]:
    """The axes in which the two variants of a contrast differ."""
    one, other = (plan.variants[number].cell.coordinates for number in (contrast.variant, contrast.baseline))
    return {key for key in one if one[key] != other[key]}


def _axes_without_contrast(plan: Plan) -> list[str]:
    """A sentence for each axis whose values no contrast compares, with the line that would add contrasts."""
    compared = {key for contrast in plan.contrasts for key in _axes(plan, contrast)}
    return [
        f"No contrast compares {axis}: the study will not say what its values change. To compare with "
        f"{place_words({axis: _reference(axis, values)})}, write in [compare]:\n"
        f"    baseline = {_baselines(plan, {axis: _reference(axis, values)})}"
        for axis, values in plan.study.axes.items()
        if len(values) > 1 and axis not in compared
    ]


def _reference(axis: str, values: Sequence[Any]) -> Any:
    """What the others are best compared with: the longest, else the first, as the study's author wrote it."""
    return max(values) if axis == "max_len" else values[0]


def _baselines(plan: Plan, added: Coordinates) -> str:
    """The study's baselines and one more, as its file would have them."""
    given = list(plan.study.compare.baseline)
    if not given and plan.contrasts:  # the default, which is lost when another is named
        first = plan.contrasts[0]
        place = plan.variants[first.baseline].cell.coordinates
        given = [{key: place[key] for key in _axes(plan, first)}]
    return toml_value([*given, added])
