"""A size of ours as transformers has it."""

from transformers import BertConfig

from trimtab.model.sizes import Architecture


def configuration(size: Architecture, vocabulary: int, pad: int, classes: int) -> BertConfig:
    """The same encoder with a head for ``classes``. Its embeddings are normalised, which d2l's are not."""
    made = BertConfig(
        vocab_size=vocabulary,
        hidden_size=size.hidden,
        num_hidden_layers=size.layers,
        num_attention_heads=size.heads,
        intermediate_size=size.intermediate,
        hidden_act=size.activation,
        hidden_dropout_prob=size.dropout,
        attention_probs_dropout_prob=size.dropout,
        max_position_embeddings=size.positions,
        layer_norm_eps=size.epsilon,
        pad_token_id=pad,
    )
    made.num_labels = classes  # an argument only by way of **kwargs, where no type checker finds it
    return made
