"""The audit of a study and of texts alone, against the plan and against counting by hand."""

import numpy as np
import pytest

from small_tokenizers import byte_level
from trimtab.config import InputError
from trimtab.data.dataset import Counts, Texts
from trimtab.data.input_template import InputTemplate, bert_template
from trimtab.data.pairs import make_pairs
from trimtab.data.tokenizer import SpecialTokens
from trimtab.plan.audit import audit_study, audit_texts, study_lengths, study_profiles
from trimtab.plan.cuts import distinct_cuts
from trimtab.plan.plan import make_plan
from trimtab.plan.prepare import prepare
from trimtab.truncation import parse

BERT = bert_template(SpecialTokens(3, 4))
WITH_SALIENT = ('"ratio"]', '"ratio+salient"]', "[12, 40]", "[12, 90]")
RATES = ("[grid]", "[grid]\nlearning_rate = [1e-3, 1e-4]", "learning_rate = 1e-3\n", "")


@pytest.fixture
def study(tmp_path, tiny, study_at):
    """Two truncations, one of which is fitted, at 12, which cuts most, and at 90, which cuts nothing."""
    return study_at(tmp_path, tiny(*WITH_SALIENT, *RATES))


def test_a_study_is_audited_as_it_is_planned(study):
    prepared = prepare(study)
    audited, plan = audit_study(prepared.variants), make_plan(prepared)
    names = [str(cut) for cut in distinct_cuts(prepared.variants)]
    assert len(study.variants) == 8
    assert names == [f"{spec}, max_len {n}" for spec in ("longest_first", "ratio+salient") for n in (12, 90)]
    splits = ["train", "validation", "test"]
    assert [(row.name, row.split) for row in audited.rows] == [(n, s) for n in names for s in splits]
    for variant in plan.variants:
        inputs = variant.inputs
        name = f"{variant.settings.truncation}, max_len {variant.settings.max_len}"
        for row in audited.rows:
            if row.name == name:
                assert (row.audit, row.tokens) == (inputs[row.split].audit, inputs[row.split].tokens)
        by_label = {row.split: row.audit for row in audited.by_label if row.name == name}
        for label, audit in inputs["test"].by_label.items():
            assert by_label[f"test: {plan.dataset.label_names[label]}"] == audit
        assert (name in audited.hardly) == inputs.hardly_cut


def test_what_is_audited_is_what_the_inputs_hold(study):
    """Counted from lengths, against the tokens of the inputs themselves."""
    prepared = prepare(study)
    dataset = prepared.variants[0].dataset
    for row in audit_study(prepared.variants).rows:
        cut = next(cut for cut in distinct_cuts(prepared.variants) if str(cut) == row.name)
        tokens, train = dataset.splits[row.split], dataset.splits["train"]
        truncation = cut.truncation.fit(train.first, train.second)
        pairs = make_pairs(tokens, truncation, cut.max_len, dataset.template)
        lost = tokens.first.lengths + tokens.second.lengths + 3 - pairs.tokens.lengths
        assert row.tokens == pairs.tokens.lengths.mean()
        assert row.audit.cut == np.mean(lost > 0)
        assert row.audit.lost_first_mean == np.mean(tokens.first.lengths + 2 - pairs.first_lengths)


def test_where_truncations_differ(study):
    prepared = prepare(study)
    audited, plan = audit_study(prepared.variants), make_plan(prepared)
    found = {(row.split, row.max_len): row for row in audited.differences if row.number == 2}
    digests = [variant.inputs["test"].digests for variant in plan.variants if variant.settings.max_len == 12]
    assert found["test", 12].truncation == "ratio+salient"
    assert found["test", 12].different_from == {1: pytest.approx(np.mean(digests[0] != digests[-1]))}
    assert found["test", 90].different_from == {1: 0}


def test_profiles_of_a_study_are_those_of_its_audit(study):
    variants = prepare(study).variants
    audited = audit_study(variants)
    assert list(audited.profiles) == ["train", "test"]
    assert audited.profiles == study_profiles(variants)
    assert audited.lengths == study_lengths(variants)


def test_a_study_with_an_impossible_cut(tmp_path, tiny, study_at):
    study = study_at(tmp_path, tiny('"longest_first", "ratio"', '"only_first"', "[12, 40]", "[8]"))
    with pytest.raises(InputError, match=r"^only_first, max_len 8: train: only_first keeps the second"):
        audit_study(prepare(study).variants)


def texts(tokens, labels=(), template=BERT):
    return Texts(Counts("my.csv", "my.csv", len(tokens), 0, len(tokens)), tokens, template, tuple(labels))


def test_the_special_tokens_are_those_of_the_template(tokens_of):
    made = texts(tokens_of([[5] * 9, [6] * 2], [[7] * 3, [8] * 8]), template=InputTemplate.of(byte_level()))
    audited = audit_texts(made, [parse("longest_first")], [12, 15, 16])
    assert [row.audit.cut for row in audited.rows] == [1.0, 0.5, 0.0]
    assert [row.tokens for row in audited.rows] == [12.0, 14.5, 15.0]
    assert audited.lengths["my.csv"].longest == 16
    assert audited.profiles["my.csv"].special == 4
    with pytest.raises(InputError, match="max_len 4 leaves no room beside the special tokens; use 5 or more"):
        audit_texts(made, [parse("longest_first")], [4])


def test_texts_with_a_way_to_cut_that_refuses_some(tokens_of):
    made = texts(tokens_of([[5] * 9, [6] * 2], [[7] * 3, [8] * 8], labels=[1, 0]), ("no", "yes"))
    ways = [parse("longest_first"), parse("only_first"), parse("ratio+salient")]
    audited = audit_texts(made, ways, [8, 14])
    [fitted, refused] = audited.notes
    assert fitted == "ratio+salient is fitted on these texts, as there is no training split."
    assert refused.startswith("only_first, max_len 8 is left out: only_first keeps the second text whole")
    specs = ["longest_first, max_len 8", "longest_first, max_len 14", "only_first, max_len 14"]
    assert [row.name for row in audited.rows][:3] == specs
    assert audited.rows[0].audit.lost_first_largest == 6
    assert [row.split for row in audited.by_label][:2] == ["my.csv: no", "my.csv: yes"]
    rows = [(row.max_len, row.number, row.truncation) for row in audited.differences]
    at_14 = [(14, 1, "longest_first"), (14, 2, "only_first"), (14, 3, "ratio+salient")]
    assert rows == [(8, 1, "longest_first"), (8, 3, "ratio+salient"), *at_14]
    names = [shares.split for shares in audited.profiles["my.csv"].splits]
    assert names == ["longest_first", "only_first", "ratio"]


def test_single_texts_without_labels(tokens_of):
    audited = audit_texts(texts(tokens_of([[5] * 9, [6] * 2])), [parse("longest_first+tail")], [4, 400])
    assert (audited.by_label, audited.notes) == ([], [])
    assert [(row.audit.cut, row.tokens) for row in audited.rows] == [(0.5, 4.0), (0.0, 7.5)]
    assert audited.hardly == ["longest_first+tail, max_len 400"]


@pytest.mark.parametrize("max_len", [2, 1, -5])
def test_a_length_without_room(tokens_of, max_len):
    with pytest.raises(InputError, match=f"^max_len {max_len} "):
        audit_texts(texts(tokens_of([[5]])), [parse("ratio")], [max_len])


def test_how_long_the_rows_of_each_split_are(study, tokens_of):
    variants = prepare(study).variants
    lengths = audit_study(variants).lengths
    assert list(lengths) == ["train", "validation", "test"]
    for split, summary in lengths.items():
        tokens = variants[0].dataset.splits[split]
        assert summary.longest == max(
            len(a) + len(b) + 3 for a, b in zip(tokens.first, tokens.second, strict=True)
        )
        assert summary.pairs == len(tokens)
    lengths = audit_texts(texts(tokens_of([[5] * 9, [6] * 2])), [parse("longest_first")], [4]).lengths
    assert list(lengths) == ["my.csv"]
    assert (lengths["my.csv"].longest, lengths["my.csv"].median) == (11, 7.5)


def test_caps_cut_pairs_that_fit(tokens_of):
    made = texts(tokens_of([[5] * 9, [6] * 2], [[7] * 3, [8] * 3]))
    audited = audit_texts(made, [parse("longest_first"), parse("capped(first=4)")], [40])
    assert [row.audit.cut for row in audited.rows] == [0, 0.5]
    assert [row.different_from for row in audited.differences] == [{2: 0.5}, {1: 0.5}]
    assert audited.notes == ["capped(first=4) cuts rows that fit too: its caps hold at every max_len."]
