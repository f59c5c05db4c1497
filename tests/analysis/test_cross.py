"""The analysis of cross evaluation: its cells are what the statistics say of hand-made predictions."""

from dataclasses import asdict

import numpy as np
import pytest

from trimtab.analysis.analysis import analyse
from trimtab.statistics import compare

MODELS, SEEDS, EXAMPLES = 3, 4, 90
PAIRS = [(model, other) for model in range(MODELS) for other in range(MODELS) if other != model]


@pytest.fixture(scope="module")
def cross():
    """Whether each model is right on each variant's inputs; the third one suffers from all but its own."""
    rates = np.array([[0.6, 0.5, 0.6], [0.5, 0.7, 0.6], [0.3, 0.2, 0.9]])[..., None, None]
    return np.random.default_rng(7).random((MODELS, MODELS, SEEDS, EXAMPLES)) < rates


@pytest.fixture(scope="module")
def scores(cross):
    """The same models on their own inputs."""
    return np.stack([cross[model, model] for model in range(MODELS)])


@pytest.fixture
def made(tmp_path, handmade, scores, cross):
    """made(**options): the analysis of a ledger of these models, on the test set 'test'."""

    def analysed(folder="made", **options):
        options = {"cross": {"test": cross}} | options
        [test] = analyse(handmade.write(tmp_path / folder, {"test": scores}, **options)).tests
        return test

    return analysed


def expected(cross, **options):
    """The contrasts of each model on other inputs with itself, in the order of the rows."""
    flat = cross.reshape(MODELS * MODELS, *cross.shape[2:])
    pairs = [(MODELS * model + other, MODELS * model + model) for model, other in PAIRS]
    return compare(flat, pairs, margin=0.01, **options)


def assert_agree(found, contrasts):
    """The numbers of models apart, which stand for places in the arrays compared."""
    for one, contrast in zip(found, contrasts, strict=True):
        known = asdict(contrast) | {"variant": one.variant, "baseline": one.baseline}
        np.testing.assert_equal(asdict(one), known)


def to_own(cross):
    return [row.to_own for row in cross.mismatches]


def test_the_matrix_holds_the_means(made, cross):
    found = made().cross
    assert found.seeds == [0, 1, 2, 3]
    assert found.inputs == [[f"t{number}, max_len 8"] for number in range(MODELS)]
    assert [(row.variant.number, row.own) for row in found.models] == [(0, 0), (1, 1), (2, 2)]
    np.testing.assert_allclose([row.means for row in found.models], cross.mean(axis=(2, 3)))


@pytest.mark.parametrize("clusters", [None, np.arange(EXAMPLES) // 3])
def test_mismatches_are_paired_comparisons_within_a_family_of_their_own(made, cross, clusters):
    rows = made(clusters=None if clusters is None else {"test": clusters}).cross.mismatches
    assert [(row.variant.number, row.inputs) for row in rows] == PAIRS
    assert_agree([row.to_own for row in rows], expected(cross, clusters=clusters))
    assert [row.to_own.verdict for row in rows[-2:]] == ["worse", "worse"]
    assert rows[-1].evaluated_with == "t1, max_len 8"
    assert rows[-1].mean == cross[2, 1].mean()


@pytest.mark.parametrize("clusters", [None, np.arange(EXAMPLES) // 3])
def test_each_is_compared_with_the_model_trained_for_the_inputs_that_it_meets(made, cross, clusters):
    rows = made(clusters=None if clusters is None else {"test": clusters}).cross.mismatches
    flat = cross.reshape(MODELS * MODELS, *cross.shape[2:])
    pairs = [(MODELS * model + other, MODELS * other + other) for model, other in PAIRS]
    assert_agree([row.to_matched for row in rows], compare(flat, pairs, margin=0.01, clusters=clusters))
    assert [row.matched.number for row in rows] == [other for _, other in PAIRS]


def test_a_model_of_another_size_is_not_the_one_trained_for_these_inputs(tmp_path, handmade, scores, cross):
    ledger = handmade.write(tmp_path, {"test": scores}, cross={"test": cross})
    study = ledger.study
    first, other, last = study.variants
    other = other.model_copy(update={"coordinates": {**other.coordinates, "size": "2x32/64/2"}})
    study = study.model_copy(update={"variants": (first, other, last)})
    ledger.write_study(study, {"test": ledger.evaluated("test")})
    rows = analyse(ledger).tests[0].cross.mismatches
    matched = [1 not in (row.variant.number, row.inputs) for row in rows]
    assert [row.to_matched is not None for row in rows] == matched
    assert [row.matched is not None for row in rows] == matched
    assert all(np.isfinite(row.to_own.delta) for row in rows)


def test_an_exploratory_study_controls_the_false_discovery_rate(made, cross):
    assert_agree(to_own(made(exploratory=True).cross), expected(cross, correction="bh"))


def test_declared_contrasts_stay_as_they_are(made):
    with_cross, without = made("with"), made("without", cross=None)
    assert without.cross is None
    for one, other in zip(with_cross.contrasts, without.contrasts, strict=True):
        np.testing.assert_equal(asdict(one.contrast), asdict(other.contrast))
    for one, other in zip(with_cross.affected, without.affected, strict=True):
        np.testing.assert_equal(asdict(one.contrast), asdict(other.contrast))


def test_a_missing_evaluation_takes_its_seed_along_and_is_named(made, cross):
    found = made(uncrossed=[(1, 2)]).cross
    assert found.seeds == [0, 1, 3]
    assert [(one.variant.number, one.seed, one.reason) for one in found.missing] == [(1, 2, None)]
    assert_agree(to_own(found), expected(cross[:, :, [0, 1, 3]]))
    np.testing.assert_allclose([row.means for row in found.models], cross[:, :, [0, 1, 3]].mean(axis=(2, 3)))


def test_a_model_without_any_evaluation_is_left_out(made, cross):
    found = made(uncrossed=[(1, seed) for seed in range(SEEDS)]).cross
    assert found.seeds == [0, 1, 2, 3]
    assert [row.variant.number for row in found.models] == [0, 2]
    assert len(found.inputs) == 3
    assert len(found.missing) == 4
    assert found.models[1].means == pytest.approx(cross[2].mean(axis=(1, 2)).tolist())


def test_nothing_evaluated_yet(made):
    found = made(uncrossed=[(model, seed) for model in range(MODELS) for seed in range(SEEDS)]).cross
    assert (found.models, found.mismatches, found.seeds) == ([], [], [])
    assert len(found.missing) == MODELS * SEEDS


def test_why_an_evaluation_failed(tmp_path, handmade, scores, cross):
    ledger = handmade.write(tmp_path, {"test": scores}, cross={"test": cross}, uncrossed=[(0, 1)])
    ledger.trial("trial-0-1").crossed.fail("out of memory: it was too much; lower --jobs")
    [row] = analyse(ledger).tests[0].cross.missing
    assert row.reason == "out of memory: it was too much; lower --jobs"


def test_identical_inputs_share_a_column_and_a_model(made, cross):
    found = made(same=[0, 1, 0]).cross
    assert found.inputs == [["t0, max_len 8", "t2, max_len 8"], ["t1, max_len 8"]]
    assert [(row.variant.number, row.own) for row in found.models] == [(0, 0), (1, 1)]
    assert [(row.variant.number, row.inputs) for row in found.mismatches] == [(0, 1), (1, 0)]
    np.testing.assert_allclose([row.means for row in found.models], cross[:2, :2].mean(axis=(2, 3)))


def test_a_trial_that_is_missing_is_no_cross_evaluation_that_is(made):
    found = made(missing=[(2, 3)], uncrossed=[(2, 3)]).cross
    assert (found.seeds, found.missing) == ([0, 1, 2], [])
