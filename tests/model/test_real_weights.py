"""Published weights on real rows: hidden states are those of transformers."""

from itertools import islice

import numpy as np
import pytest
import torch

from trimtab.config import InputError
from trimtab.data import read
from trimtab.model import encode, load
from trimtab.model.packages import PACKAGES

transformers = pytest.importorskip("transformers", reason="needs pip install 'trimtab[peers]'")


@pytest.mark.slow
@pytest.mark.parametrize("name", PACKAGES)
def test_they_represent_real_pairs_as_transformers_does(name, shared_data):
    try:
        folder = PACKAGES[name](None)
    except InputError as error:
        pytest.skip(str(error))
    examples = read("snli", "test", shared_data)
    pairs = list(islice(zip(examples.first, examples.second, strict=True), 100))
    first, second = (list(side) for side in zip(*pairs, strict=True))
    model, tokenizer = load(name)
    found = encode(first, second, model=model, tokenizer=tokenizer)
    theirs = transformers.AutoModel.from_pretrained(folder).eval()
    spelt = transformers.AutoTokenizer.from_pretrained(folder)
    given = spelt(first, second, padding=True, return_tensors="pt")
    with torch.no_grad():
        expected = theirs(**given).last_hidden_state.numpy()
    for row, mask in enumerate(given["attention_mask"].numpy().astype(bool)):
        np.testing.assert_allclose(found[row], expected[row][mask], rtol=1e-4, atol=1e-4)
