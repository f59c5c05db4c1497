"""A ledger in one small file: the same report comes of it, and damage to it is told."""

import csv
import shutil

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from empty_figures import leave_figures_empty
from trimtab import report
from trimtab.config import InputError
from trimtab.ledger import Ledger
from trimtab.ledger.compact import compact, halved, main

pytestmark = pytest.mark.integration

LOGITS = arrays(np.float32, (7, 3), elements=st.floats(-50, 50, width=32))


@given(LOGITS)
def test_half_precision_keeps_every_predicted_label(logits):
    half = halved(logits)
    assert half.dtype == np.float16
    largest = logits == logits.max(axis=1, keepdims=True)
    assert np.array_equal(half == 0, largest)  # so ties stay ties, and nothing else becomes one


@given(LOGITS)
def test_half_precision_changes_probabilities_by_less_than_a_thousandth(logits):
    assert softmax(halved(logits)) == pytest.approx(softmax(logits), abs=1e-3)


def softmax(logits):
    powers = np.exp(logits.astype(np.float64) - logits.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


@pytest.fixture(scope="module")
def written(tmp_path_factory, handmade, scores):
    """A ledger's folder with its report, and another that holds the compact ledger alone."""
    whole, small = (tmp_path_factory.mktemp(name) for name in ("whole", "small"))
    rng = np.random.default_rng(2)
    crossed = rng.random((3, 3, 4, 60)) < 0.5
    said = rng.normal(size=(3, 4, 60, 3))
    other = rng.normal(size=(3, 3, 4, 60, 3))
    handmade.write(
        whole,
        {"test": scores},
        logits={"test": said},
        cross={"test": crossed},
        cross_logits={"test": other},
        failed=[(1, 2)],
        missing=[(2, 3)],
    )
    compact(whole)
    for name in ("ledger.json", "ledger.zip"):
        shutil.copy(whole / name, small / name)
    with pytest.MonkeyPatch.context() as patch:
        leave_figures_empty(patch)
        for folder in (whole, small):
            report.write(folder)
    return whole, small


def test_the_report_needs_no_more_than_the_one_file(written):
    whole, small = written
    names = sorted(path.name for path in (whole / "tables").iterdir())
    assert sorted(path.name for path in (small / "tables").iterdir()) == names
    for name in names:
        if not name.startswith("other-scores"):  # of which some are scores of probabilities
            assert (small / "tables" / name).read_bytes() == (whole / "tables" / name).read_bytes(), name


def test_scores_of_probabilities_agree_to_half_precision(written):
    one, other = (means(folder / "tables" / "other-scores-test.csv") for folder in written)
    assert one == pytest.approx(other, abs=2e-3)


def means(path):
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    return [float(row[name]) for row in rows for name in row if name.endswith("_mean")]


def test_equal_ledgers_make_equal_files(written):
    whole, small = written
    before = (small / "ledger.zip").read_bytes()
    assert compact(whole).read_bytes() == before


def test_a_compact_ledger_has_no_other_to_be_made_of(written):
    with pytest.raises(InputError, match="holds a compact ledger already"):
        compact(written[1])


def test_what_is_run_in_the_folder_comes_first(written, tmp_path, handmade, scores):
    handmade.write(tmp_path, {"test": scores[:, :2]})
    shutil.copy(written[1] / "ledger.zip", tmp_path / "ledger.zip")
    ledger = Ledger(tmp_path)
    assert not ledger.is_archived
    assert len(ledger.study.seeds) == 2


def test_a_run_at_work_does_not_read_it(written, tmp_path):
    for name in ("ledger.json", "ledger.zip"):
        shutil.copy(written[1] / name, tmp_path / name)
    ledger = Ledger(tmp_path)
    key = next(iter(ledger.study.variants[0].trials.values()))
    assert ledger.trial(key).result is not None
    ledger.begin(ledger.study.name)
    assert ledger.trial(key).result is None


def test_a_truncated_file_is_told(written, tmp_path):
    whole = (written[1] / "ledger.zip").read_bytes()
    (tmp_path / "ledger.zip").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(InputError, match=r"ledger\.zip: is truncated or corrupt; get the file again"):
        _ = Ledger(tmp_path).study


def test_the_command_answers_wrong_input_with_one_sentence(written, tmp_path, capsys):
    assert main([str(written[0])]) == 0
    assert capsys.readouterr().out == f"{written[0] / 'ledger.zip'}\n"
    assert main([str(tmp_path / "nowhere")]) == 2
    assert capsys.readouterr().err.startswith(f"trimtab: {tmp_path / 'nowhere'}: holds no results; name")
    assert main([]) == 2
    assert capsys.readouterr().err.startswith("usage: ")
