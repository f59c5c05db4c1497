import numpy as np
import pytest
import torch

from trimtab.data.batches import make_batch
from trimtab.model.classifier import Classifier
from trimtab.model.initialise import initialise
from trimtab.model.sizes import architecture
from trimtab.training.compiling import compile_layers, restore_layers

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
