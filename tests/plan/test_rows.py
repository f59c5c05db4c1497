"""Rows that a ledger publishes: they are those of ``show``, and a study can keep them back."""

import pytest

from trimtab.ledger import Ledger
from trimtab.plan.plan import make_plan
from trimtab.plan.prepare import prepare
from trimtab.plan.rows import published_rows
from trimtab.plan.show import pieces, show_row
from trimtab.run.runner import run
from trimtab.study.definition import load

pytestmark = pytest.mark.integration

STUDY = """
question = "Which rows are shown?"
[data]
reader = "probe"
train = 90
test = 60
first_length = [8, 16]
second_length = [4, 6]
[base]
size = "1x16/32/2"
precision = "fp32"
epochs = 1
[grid]
truncation = ["longest_first", "ratio", "longest_first+salient"]
max_len = [12, 32]
seeds = 1
"""


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    path = tmp_path_factory.mktemp("rows") / "rows.toml"
    path.write_text(STUDY)
    return load(path)


@pytest.fixture(scope="module")
def rows(study):
    return published_rows(make_plan(prepare(study)))


def test_rows_that_variants_cut_differently_come_first(rows):
    kept = [{cut.kept for cut in row.cuts} for row in rows.tests["test"]]
    differ = [len(each) > 1 for each in kept]
    assert differ[0]
    assert differ == sorted(differ, reverse=True)
    assert len(rows.tests["test"]) == 60


def test_each_variant_is_in_one_cut(rows):
    for row in rows.tests["test"]:
        assert sorted(number for cut in row.cuts for number in cut.variants) == list(range(6))


def test_they_are_what_show_shows(study, rows):
    for record in rows.tests["test"][:3]:
        [shown] = show_row(study, record.row)
        assert record.texts == tuple(side.text for side in shown.sides)
        assert len(record.cuts) == len(shown.blocks)
        for cut, block in zip(record.cuts, shown.blocks, strict=True):
            for text, ranges, side, mask in zip(record.texts, cut.kept, shown.sides, block.kept, strict=True):
                said = [piece for piece, is_kept in pieces(side.text, side.spans, mask) if is_kept]
                assert [text[start:end] for start, end in ranges] == said


def test_a_study_may_keep_its_rows_to_itself(study, tmp_path):
    texts = published_rows(make_plan(prepare(study))).tests["test"][0].texts
    private = tmp_path / "private.toml"
    private.write_text(STUDY.replace("[data]", "publish_rows = false\n[data]"))
    out = tmp_path / "out"
    run(load(private), out=out, device="cpu", jobs=1)
    assert Ledger(out).rows.tests == {}
    for path in out.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            assert not any(text.encode() in content for text in texts), path
