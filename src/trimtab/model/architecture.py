"""The architecture of an encoder: sizes, and in what it differs from BERT. Free of torch."""

import json
from dataclasses import asdict, fields, replace
from dataclasses import field as of_dataclass
from typing import Annotated, Any, Final, Literal

from pydantic import Field
from pydantic.dataclasses import dataclass

from trimtab.config import STRICT, InputError

_MOST = 10_000_000  # a larger number is a slip, and would overflow
Count = Annotated[int, Field(ge=1, le=_MOST)]
Number = Annotated[int, Field(ge=0, le=_MOST)]
Probability = Annotated[float, Field(ge=0, lt=1)]
Activation = Literal["gelu", "gelu_new", "gelu_pytorch_tanh", "relu", "silu", "tanh"]

# The two implementations of an encoder; AUTO: packed where there is a packed form, else transformers.
PACKED: Final = "packed"
TRANSFORMERS: Final = "transformers"
AUTO: Final = "auto"


@dataclass(frozen=True, config=STRICT)
class Head:
    """What stands between a row's representation and its output layer: a dense layer and an activation.

    pooling: of the first token, or the mean of all tokens. dropout: before the output layer; dropout_first:
    before the dense layer too. bias: of the dense layer; norm: whether a layer norm follows its activation.
    """

    activation: Activation = "tanh"
    dropout: Probability = 0.0
    dropout_first: bool = False
    bias: bool = True
    norm: bool = False
    pooling: Literal["first", "mean"] = "first"


@dataclass(frozen=True, config=STRICT)
class Architecture:
    """The size of an encoder, and its differences from BERT, whose values are the defaults.

    layers, hidden, intermediate (width of the feed-forward layer), heads; positions: the longest input in
    tokens; activation: of the feed-forward layer; embedding_norm: whether a layer norm and dropout follow the
    summed embeddings, as in the original BERT and not in d2l; epsilon: of every layer norm; dropout:
    probability, everywhere but where another one is given; initial_deviation: standard deviation of initial
    weights.

    kind: transformers' model_type, whose names the weights have in files. implementation: packed, or padded
    batches through transformers; configuration: transformers' own, as JSON, of a kind that has no packed
    form. segments: rows of the segment table, 0 where there is none. first_position: row of the position
    table for a row's first token. embedding: width of the embeddings, where a dense layer brings it to
    ``hidden``. distinct_layers: how many layers have weights of their own; each is applied
    layers / distinct_layers times in a row. norm_first: layer norms before attention and feed-forward, none
    before the first attention, and one at the end. gated: the feed-forward layer's activation is multiplied
    by a second projection. attention_bias, ffn_bias, norm_bias: whether these have biases.
    relative_buckets: rows of the table of attention biases by distance, one for all layers; 0 for none.
    rotary_base: of rotary positions, which replace the position table; None for no rotary positions.
    window: in windowed layers, how many tokens on either side a token attends to; 0 where there are none;
    global_every: every layer whose number is divisible by it is not windowed; window_rotary_base: of windowed
    layers. attention_dropout: of attention weights; None for ``dropout``. head: of the classes.
    """

    layers: Count
    hidden: Count
    intermediate: Count
    heads: Count
    positions: Count = 512
    activation: Activation = "gelu"
    embedding_norm: bool = True
    epsilon: Annotated[float, Field(gt=0)] = 1e-12
    dropout: Probability = 0.1
    initial_deviation: Annotated[float, Field(gt=0)] = 0.02
    kind: str = "bert"
    implementation: Literal["packed", "transformers"] = PACKED
    configuration: str | None = None
    segments: Number = 2
    first_position: Number = 0
    embedding: Count | None = None
    distinct_layers: Count | None = None
    norm_first: bool = False
    gated: bool = False
    attention_bias: bool = True
    ffn_bias: bool = True
    norm_bias: bool = True
    relative_buckets: Number = 0
    rotary_base: float | None = None
    window: Number = 0
    global_every: Count = 1
    window_rotary_base: float | None = None
    attention_dropout: Probability | None = None
    head: Head = of_dataclass(default_factory=Head)

    def __post_init__(self) -> None:
        if self.hidden % self.heads and self.configuration is None:
            raise InputError(f"size {self}: hidden must be divisible by heads ({self.heads})")
        if self.layers % self.layers_with_weights:
            raise InputError(f"size {self}: layers must be divisible by {self.layers_with_weights}")

    def __str__(self) -> str:
        return f"{self.layers}x{self.hidden}/{self.intermediate}/{self.heads}"

    @property
    def layers_with_weights(self) -> int:
        """How many layers have weights of their own."""
        return self.distinct_layers or self.layers

    @property
    def has_position_table(self) -> bool:
        """Whether embeddings of positions are looked up and added."""
        return self.rotary_base is None

    @property
    def is_packed(self) -> bool:
        """Whether batches are packed, rather than padded and given to transformers."""
        return self.implementation == PACKED

    @property
    def begins_as(self) -> "Architecture":
        """What the initial weights depend on: either implementation begins with the same numbers."""
        return replace(self, implementation=PACKED)

    def with_dropout(self, probability: float) -> "Architecture":
        """The same with this dropout wherever there is any."""
        head, own = self.head, self.configuration
        if head.dropout:
            head = replace(head, dropout=probability)
        if own is not None:
            table: dict[str, Any] = json.loads(own)
            drops = {key: value for key, value in table.items() if "drop" in key and _is_number(value)}
            follow = [key for key, value in drops.items() if value or value == self.dropout]
            own = json.dumps(table | dict.fromkeys(follow, probability), sort_keys=True)
        rest: dict[str, Any] = {"attention_dropout": None, "head": head, "configuration": own}
        return replace(self, dropout=probability, **rest)

    def is_windowed(self, layer: int) -> bool:
        """Whether tokens attend only to those near them in the layer of this number, from 0."""
        return bool(self.window and layer % self.global_every)

    def identity(self) -> dict[str, Any]:
        """Every field as JSON has it, without those that are as in BERT and that no size states.

        A field that is added here later changes no trial's identity.
        """
        table = asdict(self)
        table["head"] = {key: value for key, value in table["head"].items() if value != getattr(Head(), key)}
        usual = {each.name: each for each in fields(self)}
        return {
            key: value
            for key, value in table.items()
            if key in _STATED or getattr(self, key) != _default(usual[key])
        }

    def products(self) -> int:
        """Multiplications of a token with weights, attention's scores aside: a measure of cost."""
        h, f = self.hidden, self.intermediate
        return self.layers * (4 * h * h + (3 if self.gated else 2) * h * f)

    def parameters(self, vocabulary: int, classes: int) -> int:
        """Number of parameters of an encoder with a classification head."""
        h, f = self.hidden, self.intermediate
        norm = h * (1 + self.norm_bias)
        layer = 4 * h * (h + self.attention_bias) + 2 * norm
        inner = f * (2 if self.gated else 1)
        layer += h * inner + f * h + self.ffn_bias * (inner + h)
        stack = self.layers_with_weights * layer + self.relative_buckets * self.heads
        head = h * (h + self.head.bias) + self.head.norm * norm + classes * (h + 1)
        # With norms first, one at the end takes the place of the one that the first attention lacks.
        return self._embeddings(vocabulary) + stack + head

    def _embeddings(self, vocabulary: int) -> int:
        width = self.embedding or self.hidden
        rows = vocabulary + self.segments + (self.positions + self.first_position) * self.has_position_table
        norm = width * (1 + self.norm_bias) * self.embedding_norm
        return rows * width + norm + (self.hidden * (width + 1) if self.embedding else 0)


# Fields that every size has had from the first, and that identities always hold.
_STATED = (
    "layers",
    "hidden",
    "intermediate",
    "heads",
    "positions",
    "activation",
    "embedding_norm",
    "epsilon",
    "dropout",
    "initial_deviation",
)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _default(field: Any) -> Any:
    return Head() if field.name == "head" else field.default
