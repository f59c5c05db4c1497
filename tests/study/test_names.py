"""[names]: short labels in variants' names, from the study file to the ledger, and nowhere else."""

import json

import pytest

from trimtab.config import InputError
from trimtab.deploy.export import find_variant
from trimtab.ledger.records import VariantRecord
from trimtab.plan.plan import make_plan
from trimtab.plan.prepare import prepare

NAMES = '[names]\n"longest_first" = "both"\n"max_len 12" = "12 tokens"\n'


def test_labels_stand_in_names(tmp_path, tiny, study_at):
    study = study_at(tmp_path, tiny() + NAMES)
    assert [variant.name for variant in study.variants] == [
        "both, 12 tokens",
        "both, max_len 40",
        "ratio, 12 tokens",
        "ratio, max_len 40",
    ]
    assert study.variants[0].plain_name == "longest_first, max_len 12"
    assert study.variants[1].aliases == {"longest_first": "both"}


def test_trials_are_the_same_ones(tmp_path, tiny, study_at):
    plain, named = study_at(tmp_path, tiny()), study_at(tmp_path, tiny() + NAMES, "named")
    plans = [make_plan(prepare(study, None)) for study in (plain, named)]
    keys = [[trial.key for trial in plan.trials(None)] for plan in plans]
    assert keys[0] == keys[1]
    assert plans[1].variants[0].name == "both, 12 tokens"


@pytest.mark.parametrize(
    ("names", "sentence"),
    [
        ('longest_frist = "a"', "'longest_frist' is no value of [grid]; did you mean 'longest_first'?"),
        ('"12" = "a"', "'12' is no value of [grid]; known: longest_first, max_len 12, max_len 40, ratio"),
        ("ratio = 3", "'ratio' = 3 is wrong; it should be one line of text"),
        ('ratio = " "', "'ratio' = ' ' is wrong; it should be one line of text"),
        (r'ratio = "a\nb"', r"'ratio' = 'a\nb' is wrong; it should be one line of text"),
        (
            'ratio = "longest_first"',
            "'longest_first, max_len 12' and 'ratio, max_len 12' would both be called "
            "'longest_first, max_len 12'; give them different labels",
        ),
    ],
)
def test_wrong_labels(tmp_path, tiny, study_at, names, sentence):
    with pytest.raises(InputError) as caught:
        study_at(tmp_path, f"{tiny()}[names]\n{names}\n")
    assert str(caught.value) == f"{tmp_path / 'study.toml'}: [names]: {sentence}"


@pytest.fixture
def labelled(tmp_path, handmade, scores):
    """A ledger in which t0 is labelled t1, and t1 is labelled t0."""
    ledger = handmade.write(tmp_path, {"test": scores})
    study, swapped = ledger.study, {"t0": "t1", "t1": "t0"}
    variants = tuple(
        one.model_copy(
            update={
                "name": f"{swapped.get(one.truncation, one.truncation)}, max_len 8",
                "aliases": {k: v for k, v in swapped.items() if k == one.truncation},
            }
        )
        for one in study.variants
    )
    ledger.write_study(study.model_copy(update={"variants": variants}), {"test": ledger.evaluated("test")})
    return ledger


def test_export_takes_both_names_the_label_first(labelled):
    found = {name: find_variant(labelled, name).number for name in ("t0, max_len 8", "t2, max_len 8", "1")}
    assert found == {"t0, max_len 8": 1, "t2, max_len 8": 2, "1": 1}


def test_the_ledger_keeps_both(labelled, handmade):
    variant = labelled.study.variants[0]
    assert (variant.name, variant.plain_name, variant.series) == ("t1, max_len 8", "t0, max_len 8", "t1")
    old = json.loads(handmade.variant(0).model_dump_json())
    del old["aliases"]  # as ledgers have it that were written before there were any
    assert VariantRecord.model_validate_json(json.dumps(old)).series == "t0"
