"""ModernBERT: norms first, rotary positions, windowed layers, a gated feed-forward layer, few biases."""

from typing import Any, ClassVar, Literal

from trimtab.model.architecture import Activation, Architecture, Count, Head
from trimtab.model.kinds.kind import Configuration, Kind, attention_dropout, dropouts

_GLOBAL, _LOCAL = "full_attention", "sliding_attention"
_BASES = {_GLOBAL: 160_000.0, _LOCAL: 10_000.0}


class ModernBertConfiguration(Configuration):
    """transformers' ModernBertConfig, with the keys of version 4 and of version 5."""

    SAME: ClassVar = {
        "hidden": "hidden_size",
        "layers": "num_hidden_layers",
        "heads": "num_attention_heads",
        "intermediate": "intermediate_size",
        "activation": "hidden_activation",
        "positions": "max_position_embeddings",
        "initial_deviation": "initializer_range",
        "epsilon": "norm_eps",
        "attention_bias": "attention_bias",
        "ffn_bias": "mlp_bias",
        "norm_bias": "norm_bias",
    }

    vocab_size: Count = 50_368
    hidden_size: Count = 768
    intermediate_size: Count = 1_152
    num_hidden_layers: Count = 22
    num_attention_heads: Count = 12
    hidden_activation: Activation = "gelu"
    max_position_embeddings: Count = 8_192
    initializer_range: float = 0.02
    norm_eps: float = 1e-5
    norm_bias: bool = False
    attention_bias: bool = False
    mlp_bias: bool = False
    attention_dropout: float = 0.0
    embedding_dropout: float = 0.0
    mlp_dropout: float = 0.0
    local_attention: Count = 128
    global_attn_every_n_layers: Count = 3
    layer_types: list[Literal["full_attention", "sliding_attention"]] | None = None
    global_rope_theta: float | None = None
    local_rope_theta: float | None = None
    rope_parameters: dict[str, dict[str, Any]] | None = None
    classifier_pooling: Literal["cls", "mean"] = "cls"
    classifier_dropout: float = 0.0
    classifier_bias: bool = False
    classifier_activation: Activation = "gelu"

    def differences(self) -> dict[str, Any]:
        """Norms, rotary positions, the window, dropouts, and the head."""
        return {
            **dropouts(self._dropout(), self.attention_dropout),
            "segments": 0,
            "norm_first": True,
            "gated": True,
            "rotary_base": self._base(_GLOBAL, self.global_rope_theta),
            "window": self.local_attention // 2,
            "window_rotary_base": self._base(_LOCAL, self.local_rope_theta),
            "global_every": self._global_every(),
            "head": Head(
                activation=self.classifier_activation,
                dropout=self.classifier_dropout,
                bias=self.classifier_bias,
                norm=True,
                pooling="mean" if self.classifier_pooling == "mean" else "first",
            ),
        }

    def _dropout(self) -> float:
        """The one dropout of the packed form, where the configuration has several alike."""
        several = {self.embedding_dropout, self.mlp_dropout}
        if len(several) > 1:
            raise ValueError("embedding_dropout and mlp_dropout differ, which has no packed form")
        return several.pop()

    def _base(self, layers: str, stated: float | None) -> float:
        """The base of rotary positions in layers of one type."""
        said = (self.rope_parameters or {}).get(layers) or {}
        if said.get("rope_type", "default") != "default":
            raise ValueError(f"rope_type {said['rope_type']!r} has no packed form")
        return float(said.get("rope_theta", stated or _BASES[layers]))

    def _global_every(self) -> int:
        if self.layer_types is None:
            return self.global_attn_every_n_layers
        found = [number for number, kind in enumerate(self.layer_types) if kind == _GLOBAL]
        every = found[1] if len(found) > 1 else max(1, self.num_hidden_layers)
        if self.layer_types != _types(self.num_hidden_layers, every):
            raise ValueError("layer_types is not regular, which has no packed form")
        return every

    @classmethod
    def described(cls, size: Architecture) -> dict[str, Any]:
        """As in ``Configuration``; both versions' keys, so that either reads it."""
        bases = {_GLOBAL: size.rotary_base, _LOCAL: size.window_rotary_base}
        return super().described(size) | {
            "attention_dropout": attention_dropout(size),
            "embedding_dropout": size.dropout,
            "mlp_dropout": size.dropout,
            "cls_token_id": None,
            "sep_token_id": None,
            "local_attention": 2 * size.window,
            "global_attn_every_n_layers": size.global_every,
            "layer_types": _types(size.layers, size.global_every),
            "global_rope_theta": size.rotary_base,
            "local_rope_theta": size.window_rotary_base,
            "rope_parameters": {
                layers: {"rope_type": "default", "rope_theta": base} for layers, base in bases.items()
            },
            "classifier_pooling": "mean" if size.head.pooling == "mean" else "cls",
            "classifier_dropout": size.head.dropout,
            "classifier_bias": size.head.bias,
            "classifier_activation": size.head.activation,
        }


def _types(layers: int, every: int) -> list[str]:
    return [_LOCAL if number % every else _GLOBAL for number in range(layers)]


MODERNBERT = Kind(
    model_type="modernbert",
    name="ModernBert",
    meaning="ModernBERT (Warner et al. 2024): up to 8,192 tokens",
    configuration=ModernBertConfiguration,
    prefix="model.",
    layers="model.layers.{}.",
    modules={
        "encoder.embeddings.token": ("model.embeddings.tok_embeddings",),
        "encoder.embeddings.norm": ("model.embeddings.norm",),
        "qkv": ("attn.Wqkv",),
        "attention_out": ("attn.Wo",),
        "attention_norm": ("attn_norm",),
        "ffn_in": ("mlp.Wi",),
        "ffn_out": ("mlp.Wo",),
        "output_norm": ("mlp_norm",),
        "encoder.norm": ("model.final_norm",),
        "pooler": ("head.dense",),
        "head_norm": ("head.norm",),
        "output": ("classifier",),
    },
)
