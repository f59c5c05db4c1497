"""What a packed architecture is called in transformers' files: its classes, tensors and configuration."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict

from trimtab.model.architecture import Architecture, Count


class Configuration(BaseModel):
    """The keys of ``config.json`` that matter here, with transformers' defaults; others are ignored.

    SAME: fields of ``Architecture``, and the keys that hold the same; ``differences`` gives the others.
    """

    model_config: ClassVar[ConfigDict] = ConfigDict(extra="ignore", strict=True, allow_inf_nan=False)

    SAME: ClassVar[Mapping[str, str]] = {}

    vocab_size: Count = 30_522
    pad_token_id: int | None = None
    is_decoder: Literal[False] = False
    add_cross_attention: Literal[False] = False
    tie_word_embeddings: bool = True
    id2label: dict[str, Any] | None = None
    architectures: list[str] | None = None

    def size(self, model_type: str) -> Architecture:
        """The architecture that the configuration describes."""
        same = {ours: getattr(self, theirs) for ours, theirs in self.SAME.items()}
        return Architecture(**same, **self.differences(), kind=model_type)

    def differences(self) -> dict[str, Any]:
        """Fields of ``Architecture`` that are not under one key of the configuration."""
        return {}

    @classmethod
    def described(cls, size: Architecture) -> dict[str, Any]:
        """The configuration's keys for encoders of ``size``: what ``size()`` reads from."""
        return {theirs: getattr(size, ours) for ours, theirs in cls.SAME.items()}


@dataclass(frozen=True)
class Kind:
    """A packed architecture.

    model_type: transformers' name; name: what its classes begin with; meaning: for people; configuration: of
    its ``config.json``. prefix: of its tensors in models with a head; layers: of a layer's tensors, with {}
    for the layer's number; modules: their modules by ours, within a layer or whole. unused: beginnings of
    names of tensors that no packed model needs, such as a pooler that its classifier does not read.
    """

    model_type: str
    name: str
    meaning: str
    configuration: type[Configuration]
    prefix: str
    layers: str
    modules: Mapping[str, tuple[str, ...]]
    unused: tuple[str, ...] = ()

    @property
    def bare(self) -> tuple[str, ...]:
        """What names begin with in a model without a head, whose names lack ``prefix``."""
        own = [name for names in self.modules.values() for name in names]
        stems = (name.removeprefix(self.prefix) for name in own if name.startswith(self.prefix))
        layers = self.layers.removeprefix(self.prefix)
        return tuple(dict.fromkeys(f"{stem.split('.')[0]}." for stem in (*stems, layers, *self._rest())))

    def _rest(self) -> list[str]:
        return [name.removeprefix(self.prefix) for name in self.unused if name.startswith(self.prefix)]

    def class_name(self, *, classes: bool) -> str:
        """The transformers class of a model with, or without, a classification head."""
        return f"{self.name}ForSequenceClassification" if classes else f"{self.name}Model"

    def expresses(self, size: Architecture) -> bool:
        """Whether a configuration of this kind can describe ``size`` in full."""
        if size.kind != self.model_type or not size.embedding_norm:
            return False
        written = self.configuration.model_validate(self.configuration.described(size))
        return written.size(self.model_type).identity() == size.identity()


def dropouts(hidden: float, attention: float) -> dict[str, float | None]:
    """The dropout of an encoder, and that of attention weights where it is another one."""
    return {"dropout": hidden, "attention_dropout": None if attention == hidden else attention}


def attention_dropout(size: Architecture) -> float:
    """The dropout of attention weights."""
    return size.dropout if size.attention_dropout is None else size.attention_dropout


# Tasks whose classifier does not classify whole texts: the ends of their classes' names.
OTHER_TASKS = ("ForMultipleChoice", "ForTokenClassification")

# Keys that most configurations share, and the modules that most models share.
BERT_KEYS = {
    "hidden": "hidden_size",
    "layers": "num_hidden_layers",
    "heads": "num_attention_heads",
    "intermediate": "intermediate_size",
    "activation": "hidden_act",
    "initial_deviation": "initializer_range",
    "epsilon": "layer_norm_eps",
}
DENSE_HEAD = {"pooler": ("classifier.dense",), "output": ("classifier.out_proj",)}


def embeddings(prefix: str, **others: str) -> dict[str, tuple[str, ...]]:
    """Our modules of embeddings under ``prefix``, by BERT's names; ``others``: further ones of ours."""
    names = {
        "token": "word_embeddings",
        "position": "position_embeddings",
        "norm": "LayerNorm",
        **others,
    }
    return {f"encoder.embeddings.{ours}": (f"{prefix}{theirs}",) for ours, theirs in names.items()}


BERT_LAYER = {
    "qkv": ("attention.self.query", "attention.self.key", "attention.self.value"),
    "attention_out": ("attention.output.dense",),
    "attention_norm": ("attention.output.LayerNorm",),
    "ffn_in": ("intermediate.dense",),
    "ffn_out": ("output.dense",),
    "output_norm": ("output.LayerNorm",),
}
