import numpy as np
import pytest
import torch
from torch._dynamo.backends.debugging import aot_eager

from trimtab.data.batches import make_batch
from trimtab.model.classifier import Classifier
from trimtab.model.initialise import initialise
from trimtab.model.sizes import architecture
from trimtab.training.compiling import compile_layers, restore_layers

pytestmark = pytest.mark.integration

CPU = torch.device("cpu")


def gradients(model, batch):
    model.zero_grad()
    torch.nn.functional.cross_entropy(model(batch), batch.labels).backward()
    return {name: parameter.grad.clone() for name, parameter in model.named_parameters()}


# Dynamo looks at the gradients of what a layer is given, and expects the warning.
@pytest.mark.filterwarnings("ignore:The .grad attribute of a Tensor")
def test_compiled_layers_compute_the_same_and_can_be_undone(random_pairs):
    model = Classifier(architecture("3x32/64/2", dropout=0.0), 40, 3)
    initialise(model, 0, 0.1)
    batches = [make_batch(random_pairs(0, 40), np.arange(rows), CPU) for rows in (7, 20, 33)]
    expected = [(model(batch).detach(), gradients(model, batch)) for batch in batches]
    names = list(model.state_dict())
    torch._dynamo.reset()
    traced = []

    def backend(graph, inputs):
        traced.append(graph)
        return graph.forward

    compile_layers(model, backend)
    for batch, (logits, gradient) in zip(batches, expected, strict=True):
        torch.testing.assert_close(model(batch), logits)
        torch.testing.assert_close(gradients(model, batch), gradient)
    assert len(traced) == 1  # for all layers and all sizes of batch
    assert list(model.state_dict()) == names
    restore_layers(model)
    torch.testing.assert_close(model(batches[0]), expected[0][0])
    assert len(traced) == 1


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:The .grad attribute of a Tensor")
def test_sizes_one_after_another_are_all_compiled(random_pairs, monkeypatch):
    """More of them than torch keeps variants of a function: each is forgotten when its training ends."""
    monkeypatch.setattr(torch._dynamo.config, "recompile_limit", 3)
    monkeypatch.setattr(torch._dynamo.config, "fail_on_recompile_limit_hit", True)
    torch._dynamo.reset()
    batch = make_batch(random_pairs(0, 9), np.arange(9), CPU)
    for hidden in (8, 16):
        traced = []

        def backend(graph, inputs, traced=traced):
            traced.append(graph)
            return aot_eager(graph, inputs)

        model = Classifier(architecture(f"2x{hidden}/16/2", dropout=0.0), 40, 3)
        initialise(model, 0, 0.1)
        compile_layers(model, backend)
        for mode in (True, False):
            model.train(mode)
            with torch.set_grad_enabled(mode):
                model(batch)
        assert 1 <= len(traced) <= 3
        restore_layers(model)
