"""Predictions from a table get the analysis of a study: as statistics.compare and a ledger have it."""

import json
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest

from predicted import rows_of, write_csv
from trimtab.analysis.analysis import analyse
from trimtab.analysis.of_predictions import analyse_predictions
from trimtab.config import InputError
from trimtab.ledger import Ledger
from trimtab.predictions.reading import read_predictions
from trimtab.predictions.study import predicted_study
from trimtab.statistics import compare, mcnemar, paired_examples

RESULTS = Path(__file__).parents[2] / "results"
_FIELDS = ("delta", "ci_low", "ci_high", "se", "df", "p", "p_adjusted", "p_equivalence")


def analysed(path, **options):
    predictions = read_predictions([str(path)])
    return analyse_predictions(predictions, predicted_study(predictions, "made", **options))


def alike(found, expected):
    """The same numbers, whatever the variants are numbered."""
    assert [one.verdict for one in found] == [one.verdict for one in expected]
    for one, other in zip(found, expected, strict=True):
        for name in _FIELDS:
            assert getattr(one, name) == pytest.approx(getattr(other, name), rel=1e-9, nan_ok=True), name


@pytest.fixture(scope="module")
def scores():
    """Any numbers (variants, seeds, examples), with examples that are harder than others."""
    rng = np.random.default_rng(0)
    return rng.normal(size=(3, 4, 80)) + rng.normal(size=80) + np.array([0, 0.4, 0.1])[:, None, None]


@pytest.fixture(scope="module")
def clusters():
    return np.arange(80) // 2


@pytest.mark.parametrize("paired", [True, False])
@pytest.mark.parametrize("clustered", [True, False])
def test_contrasts_are_those_of_statistics_compare(tmp_path, scores, clusters, paired, clustered):
    columns = {"cluster": clusters.tolist()} if clustered else {}
    path = write_csv(tmp_path / "t.csv", rows_of(scores, **columns))
    [test] = analysed(path, margin=0.3, paired=paired, baseline="v1").tests
    expected = compare(
        scores,
        baseline=1,
        clusters=clusters if clustered else None,
        paired=paired,
        margin=0.3,
        groups=range(3),
    )
    alike([row.contrast for row in test.contrasts], expected)
    assert [(row.variant.name, row.baseline.name) for row in test.contrasts] == [("v0", "v1"), ("v2", "v1")]
    assert test.behind_best.keys() == {0, 1, 2}
    assert test.seed_counts == {}


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """A committed ledger, and a table with the predictions of those of its variants that have their own."""
    ledger = Ledger(RESULTS / "quickstart-reference")
    study, rows = ledger.study, ledger.evaluated("test")
    path = tmp_path_factory.mktemp("exported") / "t.jsonl"
    with path.open("w") as file:
        for variant in study.variants:
            for seed in study.seeds if variant.is_first else ():
                logits = ledger.trial(variant.trials[seed]).predictions("test")
                said = [study.labels[label] for label in logits.argmax(axis=1)]
                for number, label in enumerate(rows.labels):
                    row = {"variant": variant.name, "seed": seed, "example": number, "test": "test"}
                    row |= {"label": study.labels[label], "prediction": said[number]}
                    file.write(json.dumps(row) + "\n")
    return ledger, path


@pytest.mark.integration
def test_a_ledger_written_to_a_table_says_what_its_report_says(exported):
    ledger, path = exported
    [own] = analyse(ledger).tests
    predictions = read_predictions([str(path)])
    study = predicted_study(predictions, "exported", margin=ledger.study.compare.margin)
    places = {name: number for number, name in enumerate(predictions.variants)}
    kept = [row for row in own.contrasts if row.variant.is_first and row.baseline.is_first]
    declared = tuple(
        replace(one, variant=places[row.variant.name], baseline=places[row.baseline.name])
        for one, row in zip(study.contrasts, kept, strict=False)
    )
    [test] = analyse_predictions(predictions, replace(study, contrasts=declared)).tests
    assert len(test.contrasts) == len(kept) >= 3
    alike([row.contrast for row in test.contrasts], [row.contrast for row in kept])
    means = {row.variant.name: row for row in own.means}
    for row in test.means:
        assert asdict(row.estimate) == pytest.approx(asdict(means[row.variant.name].estimate), nan_ok=True)
        assert row.by_seed == pytest.approx(means[row.variant.name].by_seed)
    behind = {row.variant.name: own.behind_best[row.variant.number] for row in own.means}
    assert {row.variant.name: test.behind_best[row.variant.number] for row in test.means} == pytest.approx(
        {name: behind[name] for name in places}
    )
    assert (test.prior_baseline, test.learned) == (pytest.approx(own.prior_baseline), own.learned)


def test_seeds_that_one_variant_lacks_are_left_out_of_its_contrasts(tmp_path, scores):
    rows = [row for row in rows_of(scores) if (row["variant"], row["seed"]) != ("v1", 2)]
    [test] = analysed(write_csv(tmp_path / "t.csv", rows), margin=0.3).tests
    assert [row.seeds for row in test.contrasts] == [[0, 1, 3], [0, 1, 2, 3]]
    [expected] = compare(scores[:2, [0, 1, 3]], margin=0.3)
    assert test.contrasts[0].contrast.se == pytest.approx(expected.se)


def test_seeds_of_other_numbers_need_unpaired(tmp_path, scores):
    rows = [row | {"seed": row["seed"] + 10 * (row["variant"] == "v1")} for row in rows_of(scores)]
    path = write_csv(tmp_path / "t.csv", rows)
    [test] = analysed(path, margin=0.3).tests
    assert [row.variant.name for row in test.uncompared] == ["v1"]
    [test] = analysed(path, margin=0.3, paired=False).tests
    alike(
        [row.contrast for row in test.contrasts],
        compare(scores, margin=0.3, paired=False, groups=range(3)),
    )


def test_one_seed_asks_about_checkpoints(tmp_path, scores, clusters):
    """McNemar's test of scores of 0 and 1, a paired t test over clusters of examples of others."""
    path = write_csv(tmp_path / "t.csv", rows_of(scores[:2, :1], cluster=clusters.tolist()))
    [test] = analysed(path, margin=0.3).tests
    assert [row.contrast.verdict for row in test.contrasts] == ["inconclusive"]
    assert test.checkpoints[0].test == paired_examples(scores[1, 0], scores[0, 0], clusters)
    right = scores[:2, :1] > 0
    [test] = analysed(write_csv(tmp_path / "b.csv", rows_of(right.astype(int)))).tests
    assert test.checkpoints[0].test == mcnemar(right[1, 0], right[0, 0])
    assert test.answer.kind == "one seed"


def test_several_test_sets_are_one_family(tmp_path, scores):
    rows = [row | {"test": name} for name in ("dev", "test") for row in rows_of(scores[:2])]
    tests = analysed(write_csv(tmp_path / "t.csv", rows), margin=0.3).tests
    assert [test.family.tested for test in tests] == [2, 2]
    assert tests[0].contrasts[0].contrast.p_adjusted == pytest.approx(
        min(1.0, 2 * tests[0].contrasts[0].contrast.p)
    )


def test_what_a_table_cannot_tell_is_absent(tmp_path, scores):
    analysis = analysed(write_csv(tmp_path / "t.csv", rows_of(scores)), margin=0.3)
    assert not any((analysis.speeds, analysis.audits, analysis.curves, analysis.trials))
    [test] = analysis.tests
    assert test.recommendation.candidate.examples_per_second is None
    assert (test.by_length, test.cross, test.rows, test.shortest, test.lost) == (None, None, [], [], [])
    assert all(row.affected_share is None for row in test.contrasts)


def test_collapsed_seeds_are_counted(tmp_path):
    rows = [
        {
            "variant": v,
            "seed": s,
            "example": i,
            "label": i % 2,
            "prediction": 0 if (v, s) == ("b", 1) else i % 2,
        }
        for v in "ab"
        for s in range(3)
        for i in range(20)
    ]
    [test] = analysed(write_csv(tmp_path / "t.csv", rows)).tests
    assert [test.seed_counts[number].collapsed for number in (0, 1)] == [0, 1]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, r"--margin: score has none by default"),
        ({"margin": "0.5 points"}, r"is in points, and score is not"),
        ({"margin": "-1"}, r"give a positive number"),
        ({"margin": 0.3, "baseline": "x"}, r"--baseline 'x': there is no such variant"),
        ({"margin": 0.3, "alpha": 2}, r"--alpha 2: give a number between 0 and 1"),
    ],
)
def test_wrong_options_are_one_sentence(tmp_path, scores, options, message):
    path = write_csv(tmp_path / "t.csv", rows_of(scores))
    with pytest.raises(InputError, match=message):
        analysed(path, **options)


def test_scores_that_the_predictions_do_not_have(exported):
    _, path = exported
    predictions = read_predictions([str(path)])
    with pytest.raises(InputError, match="log_loss: cannot be had from predictions of these classes"):
        predicted_study(predictions, "made", score="log_loss")
    with pytest.raises(InputError, match=r"'acuracy' is unknown; did you mean 'accuracy'\?"):
        predicted_study(predictions, "made", score="acuracy")
