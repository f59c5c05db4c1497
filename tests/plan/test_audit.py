"""The audit of a study and of texts alone, against the plan and against counting by hand."""

from dataclasses import asdict

import numpy as np
import pytest

from trimtab.config import InputError
from trimtab.data.dataset import Counts, Texts, prepare
from trimtab.plan.audit import audit_study, audit_texts, distinct_cuts, profiles
from trimtab.plan.plan import make_plan
from trimtab.study.definition import load
from trimtab.truncation import parse

pytestmark = pytest.mark.usefixtures("own_environment")

STUDY = """\
question = "q"
[data]
reader = "probe"
train = 60
test = 40
min_freq = 1
[base]
size = "2x32/64/2"
[grid]
truncation = ["longest_first", "ratio+salient"]
max_len = [12, 90]
learning_rate = [1e-3, 1e-4]
seeds = 1
"""


@pytest.fixture
def study(tmp_path):
    path = tmp_path / "study.toml"
    path.write_text(STUDY)
    return load(path)


def test_a_study_is_audited_as_it_is_planned(study):
    dataset = prepare(study.data, None)
    audited, plan = audit_study(study, dataset), make_plan(study, dataset)
    names = [str(cut) for cut in distinct_cuts(study.variants)]
    assert len(study.variants) == 8
    assert names == [f"{spec}, max_len {n}" for spec in ("longest_first", "ratio+salient") for n in (12, 90)]
    splits = ["train", "validation", "test"]
    assert [(row["name"], row["split"]) for row in audited.rows] == [(n, s) for n in names for s in splits]
    for variant, inputs in zip(study.variants, plan.inputs, strict=True):
        name = f"{variant.settings.truncation}, max_len {variant.settings.max_len}"
        for row in audited.rows:
            if row["name"] == name:
                assert row["tokens"] == pytest.approx(inputs.tokens[row["split"]])
                assert row.items() >= asdict(inputs.audits[row["split"]]).items()
        by_label = {row["split"]: row for row in audited.by_label if row["name"] == name}
        for label, audit in inputs.label_audits["test"].items():
            assert by_label[f"test: {dataset.label_names[label]}"].items() >= asdict(audit).items()
        assert (name in audited.hardly) == inputs.hardly_cut
        different = {(row["split"], row["max_len"]): row for row in audited.differences if row["number"] == 2}
        share = np.mean(plan.inputs[0].digests["test"] != plan.inputs[4].digests["test"])
        assert different["test", 12]["from_1"] == pytest.approx(share)
        assert different["test", 90]["from_1"] == 0
    assert list(audited.profiles) == ["train", "test"]
    assert audited.profiles == profiles(study, dataset)


def test_a_study_with_an_impossible_cut(tmp_path):
    (tmp_path / "study.toml").write_text(STUDY.replace('"longest_first"', '"only_first"'))
    study = load(tmp_path / "study.toml")
    with pytest.raises(InputError, match=r"^only_first, max_len 12: train: only_first keeps the second"):
        audit_study(study, prepare(study.data, None))


def texts(tokens, labels=()):
    return Texts(Counts("my.csv", "my.csv", len(tokens), 0, len(tokens)), tokens, tuple(labels))


def test_texts_with_a_way_to_cut_that_refuses_some(tokens_of):
    made = texts(tokens_of([[5] * 9, [6] * 2], [[7] * 3, [8] * 8], labels=[1, 0]), ("no", "yes"))
    ways = [parse("longest_first"), parse("only_first"), parse("ratio+salient")]
    audited = audit_texts(made, ways, [8, 14])
    [fitted, refused] = audited.notes
    assert fitted == "ratio+salient is fitted on these texts themselves, for want of a training split."
    assert refused.startswith("only_first, max_len 8 is left out: only_first keeps the second text whole")
    specs = ["longest_first, max_len 8", "longest_first, max_len 14", "only_first, max_len 14"]
    assert [row["name"] for row in audited.rows][:3] == specs
    assert audited.rows[0]["lost_first_largest"] == 6
    assert [row["split"] for row in audited.by_label][:2] == ["my.csv: no", "my.csv: yes"]
    rows = [(row["max_len"], row["number"], row["truncation"]) for row in audited.differences]
    at_14 = [(14, 1, "longest_first"), (14, 2, "only_first"), (14, 3, "ratio+salient")]
    assert rows == [(8, 1, "longest_first"), (8, 3, "ratio+salient"), *at_14]
    names = [row["split"] for row in audited.profiles["my.csv"]["splits"]]
    assert names == ["longest_first", "only_first", "ratio"]


def test_single_texts_without_labels(tokens_of):
    audited = audit_texts(texts(tokens_of([[5] * 9, [6] * 2])), [parse("longest_first+tail")], [4, 400])
    assert (audited.by_label, audited.notes) == ([], [])
    assert [(row["cut"], row["tokens"]) for row in audited.rows] == [(0.5, 4.0), (0.0, 7.5)]
    assert audited.hardly == ["longest_first+tail, max_len 400"]


@pytest.mark.parametrize("max_len", [2, 1, -5])
def test_a_length_without_room(tokens_of, max_len):
    with pytest.raises(InputError, match=f"^max_len {max_len} "):
        audit_texts(texts(tokens_of([[5]])), [parse("ratio")], [max_len])


def test_how_long_the_rows_of_each_split_are(study, tokens_of):
    dataset = prepare(study.data, None)
    rows = audit_study(study, dataset).lengths
    assert [row["split"] for row in rows] == ["train", "validation", "test"]
    for row in rows:
        tokens = dataset.splits[row["split"]]
        assert row["longest"] == max(
            len(a) + len(b) + 3 for a, b in zip(tokens.first, tokens.second, strict=True)
        )
        assert row["pairs"] == len(tokens)
    [row] = audit_texts(texts(tokens_of([[5] * 9, [6] * 2])), [parse("longest_first")], [4]).lengths
    assert (row["split"], row["longest"], row["median"]) == ("my.csv", 11, 7.5)
