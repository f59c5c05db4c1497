"""Baselines and the comparison with one, on numbers whose answers are known."""

import json

import numpy as np
import pytest

from bench.regression import baseline

AMD = """\
processor	: 0
vendor_id	: AuthenticAMD
cpu family	: 25
model		: 1
model name	: AMD EPYC
flags		: fpu sse2 avx avx2 sha_ni

processor	: 1
vendor_id	: AuthenticAMD
cpu family	: 25
model		: 1
flags		: fpu sse2 avx avx2 sha_ni
"""
INTEL = AMD.replace("AuthenticAMD", "GenuineIntel").replace("25", "6").replace(": 1\n", ": 143\n")
ARM = "processor\t: 0\nFeatures\t: fp asimd\nCPU implementer\t: 0x41\nCPU part\t: 0xd40\n"


@pytest.mark.parametrize(
    ("cpuinfo", "machine", "cores", "torch", "kind"),
    [
        (AMD, "x86_64", 2, "2.13.0+cpu", "amd-25-1-avx2-2-cores-torch-2.13"),
        (
            INTEL.replace("sha_ni", "avx512f amx_bf16"),
            "x86_64",
            8,
            "2.11.1",
            "intel-6-143-amx_bf16-8-cores-torch-2.11",
        ),
        (ARM, "aarch64", 4, "2.13.0", "aarch64-0x41-0xd40-asimd-4-cores-torch-2.13"),
        ("", "arm64", 4, "2.13.0", "arm64-4-cores-torch-2.13"),
    ],
)
def test_a_kind_names_processor_instructions_cores_and_torch(cpuinfo, machine, cores, torch, kind):
    assert baseline.kind_of(cpuinfo, machine, cores, torch) == kind


@pytest.mark.parametrize(
    ("factor", "verdict"), [(1.0, "same"), (1.2, "same"), (1.5, "slower"), (0.5, "faster"), (0.85, "same")]
)
def test_a_verdict_follows_the_factor_by_which_times_moved(factor, verdict):
    times = 0.1 + 0.001 * np.arange(20)
    found = baseline.compare(times, factor * times)
    assert found.ratio == pytest.approx(factor)
    assert found.low <= factor <= found.high
    assert found.verdict == verdict


def test_the_interval_is_that_of_the_median_s_distribution():
    # Of n times that are 1 or 3 with equal chance, n odd, a resampled median is 3 with probability a half; so
    # against a constant the ratio's interval runs from 1 to 3, and nothing can be said.
    found = baseline.compare(np.ones(9), np.array([1.0] * 4 + [3.0] * 5))
    assert (found.then, found.now, found.low, found.high) == (1, 3, 1, 3)
    assert found.verdict == "same"


def test_many_times_are_kept_as_quantiles():
    times = np.random.default_rng(0).permutation(np.arange(1.0, 1002.0))
    record = {
        "benchmarks": [
            {"fullname": "few", "stats": {"data": [0.3, 0.1, 0.2]}},
            {"fullname": "many", "stats": {"data": times.tolist()}},
        ]
    }
    found = baseline.times(record)
    assert found["few"] == [0.1, 0.2, 0.3]
    assert len(found["many"]) == baseline.KEPT
    assert np.median(found["many"]) == pytest.approx(501)
    assert found["many"] == sorted(found["many"])


@pytest.fixture
def record(tmp_path):
    """record(name=times, ...): the path of such a record of pytest-benchmark."""

    def written(**benchmarks):
        rows = [{"fullname": name, "stats": {"data": times}} for name, times in benchmarks.items()]
        path = tmp_path / "record.json"
        path.write_text(json.dumps({"benchmarks": rows}))
        return str(path)

    return written


def test_a_run_is_compared_with_the_baseline_that_was_written(record, tmp_path, capsys):
    folder = ["--folder", str(tmp_path / "baselines")]
    steady = [0.010, 0.011, 0.012, 0.011, 0.010]
    baseline.main([record(), *folder])
    assert "`make bench-baseline` writes one" in capsys.readouterr().out
    baseline.main([record(step=steady, pack=steady, gone=steady), "--write", *folder])
    assert "holds 3 benchmarks" in capsys.readouterr().out
    baseline.main([record(pack=steady, step=[2 * s for s in steady], other=steady), *folder])
    rows = [line for line in capsys.readouterr().out.splitlines() if line.startswith("|")][2:]
    cells = [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]
    assert [(row[0], row[3], row[-1]) for row in cells] == [
        ("step", "2.00", "slower"),
        ("pack", "1.00", "same"),
        ("other", "", "new"),
        ("gone", "", "not run"),
    ]


def test_a_baseline_says_what_it_was_made_with(record, tmp_path):
    baseline.main([record(step=[0.1]), "--write", "--folder", str(tmp_path)])
    (path,) = tmp_path.glob("baseline-*.json")
    written = json.loads(path.read_text())
    assert path.name == f"baseline-{written['kind']}.json"
    assert {"commit", "torch", "cores"} <= set(written["signature"])
    assert written["seconds"] == {"step": [0.1]}
