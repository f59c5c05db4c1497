import json
import time
from dataclasses import replace

import pytest
import torch

from trimtab.model.sizes import architecture
from trimtab.training import auto_precision
from trimtab.training.auto_precision import choose_precision, device_name, measure_rates, rates_in_turns
from trimtab.training.recipe import Recipe

pytestmark = pytest.mark.usefixtures("own_environment")

CPU = torch.device("cpu")
SIZE = architecture("1x16/32/2")
RECIPE = Recipe(batch_size=8)


@pytest.fixture
def measured(monkeypatch):
    """The calls to measure_rates, which answers with the rates in ``measured.rates``."""

    class Measured(list):
        rates: dict[str, float] = {"fp32": 100.0, "bf16": 300.0}  # noqa: RUF012

    calls = Measured()

    def measure(*work):
        calls.append(work)
        return calls.rates

    monkeypatch.setattr(auto_precision, "measure_rates", measure)
    return calls


def choose(pairs, size=SIZE, recipe=RECIPE):
    return choose_precision(size, recipe, pairs, 40, 3, CPU)


@pytest.mark.parametrize(
    ("bf16", "chosen"), [(300, "bf16"), (116, "bf16"), (114, "fp32"), (100, "fp32"), (20, "fp32")]
)
def test_bf16_has_to_be_clearly_quicker(bf16, chosen, measured, random_pairs):
    measured.rates = {"fp32": 100.0, "bf16": float(bf16)}
    assert choose(random_pairs(0, 20)) == (chosen, measured.rates)


def test_the_choice_is_kept_in_the_cache_and_read_again(measured, random_pairs, own_environment):
    pairs = random_pairs(0, 20)
    first = choose(pairs)
    measured.rates = {"fp32": 1.0, "bf16": 1.0}
    assert choose(pairs) == first == ("bf16", {"fp32": 100.0, "bf16": 300.0})
    assert len(measured) == 1
    kept = list((own_environment / "cache").rglob("*.*"))
    assert [json.loads(path.read_text()) for path in kept if path.is_file()] == [first[1]]


def test_other_work_is_measured_again(measured, random_pairs):
    pairs = random_pairs(0, 20)
    choose(pairs)
    choose(pairs, size=architecture("2x16/32/2"))
    choose(pairs, recipe=replace(RECIPE, batch_size=9))
    choose(random_pairs(0, 20, single=True))
    assert len(measured) == 4


@pytest.mark.parametrize(
    "content", ["", "{", "{}", "[]", "3", '{"fp32": 1}', '{"fp32": 1, "bf16": null}', b"\xff"]
)
def test_a_corrupt_file_is_measured_again_and_replaced(content, measured, random_pairs, own_environment):
    pairs = random_pairs(0, 20)
    expected = choose(pairs)
    (path,) = (own_environment / "cache").rglob("*.json")
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    assert choose(pairs) == expected
    assert len(measured) == 2
    assert json.loads(path.read_text()) == expected[1]


@pytest.mark.parametrize("rate", [1e-4, 1e30])
def test_measuring_gives_a_rate_for_each_precision_whatever_the_learning_rate(rate, random_pairs):
    rates = measure_rates(SIZE, replace(RECIPE, learning_rate=rate), random_pairs(0, 20), 40, 3, CPU)
    assert set(rates) == {"fp32", "bf16"}
    assert all(value > 0 for value in rates.values())


@pytest.mark.parametrize(("bf16", "steps"), [(1.0, 9), (2.9, 9), (4.0, 2), (40.0, 1)])
def test_a_precision_that_is_certainly_slower_is_measured_no_further(bf16, steps, random_pairs, monkeypatch):
    """fp32 takes a second a row; compiling may explain two seconds of the first step of bf16."""
    clock, taken = [0.0], []

    def trainer(recipe, backend):
        def step(index):
            taken.append((backend.precision, len(index)))
            clock[0] += len(index) * (bf16 if backend.precision == "bf16" else 1.0)

        return step

    monkeypatch.setattr(time, "perf_counter", lambda: clock[0])
    rates = rates_in_turns(trainer, Recipe(batch_size=16), random_pairs(0, 40), CPU)
    of = {name: [rows for each, rows in taken if each == name] for name in rates}
    assert of["fp32"] == [2, *[16] * 8]  # the first step is a small one
    assert of["bf16"] == of["fp32"][:steps]
    assert rates == pytest.approx({"fp32": 1.0, "bf16": 1 / bf16})


def test_the_processor_has_a_name():
    assert device_name(CPU).strip()
