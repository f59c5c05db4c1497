"""A size of ours as transformers has it."""

from transformers import BertConfig

from trimtab.model.sizes import Architecture
from trimtab.model.weights_hf import described_size


def configuration(size: Architecture, vocabulary: int, pad: int, classes: int) -> BertConfig:
    """The same encoder with a head for ``classes``. Its embeddings are normalised, which d2l's are not."""
    settings = described_size(size) | {"vocab_size": vocabulary, "pad_token_id": pad, "num_labels": classes}
    return BertConfig(**settings)
