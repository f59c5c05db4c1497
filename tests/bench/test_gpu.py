"""Measurements of a GPU in their small form on the CPU, and the arithmetic that they count."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

import pool_jobs
from bench.gpu import __main__ as command
from bench.gpu import judging, rows
from trimtab.data.batches import make_batch
from trimtab.model import attention as choice
from trimtab.model.classifier import Classifier
from trimtab.model.sizes import architecture

pytestmark = pytest.mark.integration

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.slow
def test_every_measurement_runs_in_its_small_form(tmp_path):
    compiler = "ignore:The .grad attribute of a Tensor"
    command = [sys.executable, "-W", "error", "-W", compiler, "-m", "bench.gpu", "--small"]
    environment = os.environ | {"OUT": str(tmp_path), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    [path] = tmp_path.iterdir()
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


def test_without_a_gpu_it_says_so_and_exits_with_0(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("OUT", str(tmp_path))
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert command.main([]) == 0
    assert "No GPU found" in capsys.readouterr().out
    assert not list(tmp_path.iterdir())


def test_a_failure_is_recorded_with_its_traceback_and_costs_no_other_measurement(
    tmp_path, monkeypatch, capsys
):
    """In real worker processes: one raises, one loses its GPU, one dies; the rest is measured."""
    monkeypatch.setenv("OUT", str(tmp_path))
    made = {
        "first": pool_jobs.Raise(),
        "second": pool_jobs.SpoilTheDevice(),
        "third": pool_jobs.Exit(),
        "small, batch 1": pool_jobs.Rate(5.0),
    }
    monkeypatch.setattr(command, "measurements", lambda device, scale: made)
    assert command.main(["--small"]) == 1
    [path] = tmp_path.iterdir()
    record = json.loads(path.read_text())
    found = record["measurements"]
    assert found["first"]["failed"] == "ValueError: this job cannot be done"
    assert "pool_jobs.py" in found["first"]["traceback"]
    assert "illegal memory access" in found["second"]["traceback"]
    assert found["third"]["failed"] == "its process died with exit code 7"
    assert found["small, batch 1"]["examples_per_second"] == 5.0
    assert [row["reached"] for row in record["limits"]] == [5.0, *[None] * 5]
    assert len(record["wrong"]) == 3
    assert "wrong: first: ValueError" in capsys.readouterr().out
    # What is measured again replaces what was there, the rest stays; only what was asked for is judged.
    assert command.main(["--small", "--only", "small", "--seconds", "-1"]) == 0
    found = json.loads(path.read_text())["measurements"]
    assert found["small, batch 1"]["examples_per_second"] == 5.0  # there was no time to measure it again
    assert "failed" in found["third"]
    path.unlink()
    assert command.main(["--small", "--only", "small", "--seconds", "-1"]) == 0
    found = json.loads(path.read_text())["measurements"]
    assert "not started" in found["small, batch 1"]["left_out"]
    assert command.main(["--small", "--only", "third", "--only", "first", "--without", "first"]) == 1


def test_wrong_numbers_are_named_one_by_one():
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
    assert judging.wrong(found) == [
        "numerics in fp32: largest_error_of_loss nan, at most 0.001",
        "numerics in bf16: relative_error_of_logits 0.06, at most 0.05",
        "repeats, graphs: the same seed gave different weights",
    ]
    assert judging.wrong({}) == judging.wrong({"numerics": {"left_out": "no time"}}) == []
    assert judging.wrong({"numerics": {"failed": "no memory"}}) == ["numerics: no memory"]


def test_rows_have_the_lengths_of_the_table():
    assert sum(rows.LENGTHS) == 26_891
    mean = np.average(np.arange(len(rows.LENGTHS)) + 7, weights=rows.LENGTHS)
    assert mean == pytest.approx(25.45, abs=0.01)
    pairs = rows.rows_of(5_000, 60_005)
    assert pairs.tokens.lengths.mean() == pytest.approx(mean, rel=0.02)
    assert pairs.tokens.values.max() < 60_005
    assert set(rows.rows_of(20, 300, length=128).tokens.lengths) == {128}
    assert (rows.rows_of(50, 300).first_lengths < rows.rows_of(50, 300).tokens.lengths).all()


@pytest.mark.parametrize("size", ["1x32/64/2", "3x64/96/4"])
def test_the_arithmetic_is_what_torch_counts(size, monkeypatch):
    """Forward, by torch's own count of matrix products, with attention as loops over rows, as on CUDA."""
    size = architecture(size, dropout=0.0)
    pairs = rows.rows_of(20, 100)
    model, batch = Classifier(size, 100, rows.CLASSES), make_batch(pairs, np.arange(20), torch.device("cpu"))

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
    assert rows.arithmetic(size, pairs.tokens.lengths) == 3 * counter.get_total_flops()
