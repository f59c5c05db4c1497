"""The named tensors of a size, against the model of transformers that has them."""

import pytest

from trimtab.model.parameters import parameter_rows
from trimtab.model.sizes import SIZES, architecture


@pytest.mark.parametrize(("name", "vocabulary", "classes"), [("base", 30_522, 2), ("2x32/48/4", 123, 5)])
def test_they_are_those_of_transformers_in_its_order(name, vocabulary, classes):
    torch = pytest.importorskip("torch", reason="no torch; `make .venv/run` installs it")
    transformers = pytest.importorskip(
        "transformers", reason="no transformers; `make .venv/peers` installs it"
    )
    size = architecture(name)
    configuration = transformers.BertConfig(
        vocab_size=vocabulary,
        hidden_size=size.hidden,
        num_hidden_layers=size.layers,
        num_attention_heads=size.heads,
        intermediate_size=size.intermediate,
        num_labels=classes,
    )
    with torch.device("meta"):
        theirs = transformers.BertForSequenceClassification(configuration).named_parameters()
        expected = [(key, tuple(tensor.shape), tensor.numel()) for key, tensor in theirs]
    rows = parameter_rows(size, vocabulary, classes)
    assert [tuple(row) for row in rows] == expected
    assert sum(row.numbers for row in rows) == size.parameters(vocabulary, classes)


def test_the_tutorials_number_of_tensors():
    rows = parameter_rows(SIZES["base"], 30_522, 2)
    assert len(rows) == 201  # 199 of the encoder and its pooler, and 2 of the classification head
    assert [row.shape_words for row in rows[-2:]] == ["2 x 768", "2"]
    assert sum(row.name.startswith("bert.") for row in rows) == 199


def test_a_size_without_a_norm_on_its_embeddings():
    rows = parameter_rows(SIZES["small"], 60_005, 3)
    assert not any("embeddings.LayerNorm" in row.name for row in rows)
    assert sum(row.numbers for row in rows) == SIZES["small"].parameters(60_005, 3)
