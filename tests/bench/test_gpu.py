"""bench/gpu.py in its small form, and the arithmetic that it counts."""

import importlib
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from trimtab.data.batches import make_batch
from trimtab.model import attention as choice
from trimtab.model.encoder import Classifier
from trimtab.model.sizes import architecture

BENCH = Path(__file__).resolve().parents[2] / "bench"


@pytest.fixture
def gpu(monkeypatch):
    """A module of the benchmark by its name."""
    monkeypatch.syspath_prepend(BENCH)
    return importlib.import_module


def test_every_measurement_runs_in_its_small_form(tmp_path):
    command = [sys.executable, "-W", "error", BENCH / "gpu.py", "--small"]
    compiler = "ignore:The .grad attribute of a Tensor"
    environment = os.environ | {"OUT": str(tmp_path), "OMP_NUM_THREADS": "1"}
    command[3:3] = ["-W", compiler]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    (path,) = tmp_path.iterdir()
    record = json.loads(path.read_text())
    failed = {name: each["failed"] for name, each in record["measurements"].items() if "failed" in each}
    assert not failed
    assert record["wrong"] == []
    assert all(row["reached"] > 0 and row["by"] for row in record["limits"])
    found = record["measurements"]
    assert found["repeats, graphs"]["same_bits"]
    assert found["repeats, eager"]["same_bits"]
    assert found["numerics"]["fp32"]["largest_error_of_loss"] == 0.0
    assert 0 < found["numerics"]["bf16"]["relative_error_of_logits"] < 0.05
    assert found["base at 128, batch 16"]["tokens_per_second"] == pytest.approx(
        128 * found["base at 128, batch 16"]["examples_per_second"]
    )


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_without_a_gpu_it_says_so_and_ends_well(tmp_path):
    command = [sys.executable, BENCH / "gpu.py"]
    done = subprocess.run(command, env=os.environ | {"OUT": str(tmp_path)}, capture_output=True, text=True)
    assert done.returncode == 0
    assert "no GPU here" in done.stdout
    assert not list(tmp_path.iterdir())


def test_a_failure_is_recorded_and_the_others_go_on(tmp_path, gpu, monkeypatch):
    module = gpu("gpu")
    bench = module.Bench(torch.device("cpu"), module.TINY)

    def fails():
        raise RuntimeError("no memory")

    found = {"first": fails, "small, batch 1": lambda: {"examples_per_second": 5.0}}
    monkeypatch.setattr(module, "measurements", lambda bench: found)
    module.run(bench, tmp_path / "made.json")
    record = json.loads((tmp_path / "made.json").read_text())
    assert record["measurements"]["first"] == {"failed": "RuntimeError: no memory"}
    assert record["measurements"]["small, batch 1"]["examples_per_second"] == 5.0
    assert [row["reached"] for row in record["limits"]] == [5.0, *[None] * 5]
    late = module.run(bench, tmp_path / "late.json", seconds=-1)
    assert all("not begun" in each["failed"] for each in late["measurements"].values())


def test_wrong_numbers_are_named_one_by_one(gpu):
    module = gpu("gpu")
    good = {"relative_error_of_logits": 1e-6, "largest_error_of_loss": 1e-6}
    found = {
        "numerics": {
            "fp32": good | {"largest_error_of_loss": float("nan")},
            "bf16": good | {"relative_error_of_logits": 0.06},
            "cpu_losses": [1.0, 0.5],
        },
        "repeats, eager": {"same_bits": True, "largest_difference": 0.0},
        "repeats, graphs": {"same_bits": False, "largest_difference": 0.1},
    }
    assert module.wrong(found) == [
        "numerics in fp32: largest_error_of_loss nan, at most 0.001",
        "numerics in bf16: relative_error_of_logits 0.06, at most 0.05",
        "repeats, graphs: the same seed gave other bits",
    ]
    assert module.wrong({}) == module.wrong({"numerics": {"failed": "no memory"}}) == []


def test_rows_have_the_lengths_of_the_table(gpu):
    work = gpu("gpu_work")
    assert sum(work.LENGTHS) == 26_891
    mean = np.average(np.arange(len(work.LENGTHS)) + 7, weights=work.LENGTHS)
    assert mean == pytest.approx(25.45, abs=0.01)
    pairs = work.rows_of(5_000, 60_005)
    assert pairs.tokens.lengths.mean() == pytest.approx(mean, rel=0.02)
    assert pairs.tokens.values.max() < 60_005
    assert set(work.rows_of(20, 300, length=128).tokens.lengths) == {128}
    assert (work.rows_of(50, 300).first_lengths < work.rows_of(50, 300).tokens.lengths).all()


@pytest.mark.parametrize("size", ["1x32/64/2", "3x64/96/4"])
def test_the_arithmetic_is_what_torch_counts(size, gpu, monkeypatch):
    """Forward, by torch's own count of matrix products, attention as loops over rows on CUDA's terms."""
    work, size = gpu("gpu_work"), architecture(size, dropout=0.0)
    pairs = work.rows_of(20, 100)
    model, batch = Classifier(size, 100, work.CLASSES), make_batch(pairs, np.arange(20), torch.device("cpu"))

    class ByRow:
        @staticmethod
        def apply(mixed, query, query_edges, edges, *rest):
            parts = mixed.unbind(1) if query is None else (query, *mixed.unbind(1))
            made = []
            for row in range(len(edges) - 1):
                asking, own = slice(*query_edges[row : row + 2]), slice(*edges[row : row + 2])
                one, two, three = parts[0][asking], parts[1][own], parts[2][own]
                scores = torch.bmm(one.transpose(0, 1), two.permute(1, 2, 0)).softmax(-1)
                made.append(torch.bmm(scores, three.transpose(0, 1)).transpose(0, 1))
            return torch.cat(made)

    monkeypatch.setattr(choice, "VarlenAttention", ByRow)
    monkeypatch.setattr(choice, "has_kernel", lambda device, dtype, width: True)
    counter = FlopCounterMode(display=False)
    with counter, torch.no_grad():
        model(batch)
    assert work.arithmetic(size, pairs.tokens.lengths) == 3 * counter.get_total_flops()
