"""Weight formats: what each is called, which models it can hold, and the module that reads and writes it.

Free of torch, so that a study file is checked quickly: a format's module is imported when it is used.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from trimtab.config import InputError, nearest
from trimtab.model.architecture import Architecture
from trimtab.model.sizes import D2L

if TYPE_CHECKING:
    from tokenizers import Tokenizer

    from trimtab.model.weights import Weights


class Adapter(Protocol):
    """The module of one format. ``MARK``: the name of the file that a folder of this format holds."""

    MARK: str

    def recognise(self, path: Path, /) -> bool:
        """Whether the file or folder ``path`` looks like this format."""

    def read(self, path: Path, heads: int | None = None, /) -> "tuple[Weights, Tokenizer]":
        """The weights and tokeniser; ``heads`` where the format does not say how many there are."""

    def write(self, folder: Path, weights: "Weights", tokenizer: "Tokenizer", /) -> None:
        """Write both; InputError where the format cannot hold the heads or the vocabulary."""


@dataclass(frozen=True)
class Format:
    """A weight format.

    name: in words. requires: settings of ``Architecture`` that every model in this format has. ties: whether
    the masked words' output matrix can be the token table. adapter: imports the module.
    """

    name: str
    requires: Mapping[str, Any]
    ties: bool
    adapter: Callable[[], Adapter]

    def expresses(self, size: Architecture) -> bool:
        """Whether the format can hold encoders of ``size``."""
        return not self.unmet(size)

    def unmet(self, size: Architecture) -> dict[str, Any]:
        """The settings that ``size`` would need to have, and has not."""
        return {key: value for key, value in self.requires.items() if getattr(size, key) != value}

    def write(self, folder: Path, weights: "Weights", tokenizer: "Tokenizer") -> None:
        """Write a model and its tokeniser into ``folder``; InputError where the format cannot hold them."""
        if unmet := self.unmet(weights.parts.size):
            what = f"{self.name}'s format needs {_spelt(unmet)}"
            raise InputError(f"{folder}: {what}, which this model does not have; use another format")
        self.adapter().write(folder, weights, tokenizer)


def _hugging_face() -> Adapter:
    from trimtab.model import weights_hf

    return weights_hf


def _d2l() -> Adapter:
    from trimtab.model import weights_d2l

    return weights_d2l


FORMATS = {
    "hf": Format("Hugging Face", {"embedding_norm": True}, ties=True, adapter=_hugging_face),
    "d2l": Format("d2l", {**D2L, "kind": "bert"}, ties=False, adapter=_d2l),
}


def choose_format(size: Architecture, asked: str | None = None) -> str:
    """The key of ``asked``, else of the first format that can hold ``size``; InputError where that fails."""
    if asked is not None and asked not in FORMATS:
        raise InputError(f"format {asked!r} is unknown; {nearest(asked, FORMATS)}")
    able = [key for key, each in FORMATS.items() if each.expresses(size)]
    if asked in able or (asked is None and able):
        return asked or able[0]
    if not able:
        keys = dict.fromkeys(key for each in FORMATS.values() for key in each.requires)
        found = _spelt({key: getattr(size, key) for key in keys})
        mend = " or ".join(_spelt(each.unmet(size)) for each in FORMATS.values())
        raise InputError(f"no weight format holds models with {found}; train with {mend}")
    assert asked is not None
    needed = _spelt(FORMATS[asked].unmet(size))
    raise InputError(f"format {asked!r} needs {needed}; train with that, or take format {able[0]!r}")


def _spelt(settings: Mapping[str, Any]) -> str:
    """Settings as a study file has them."""
    return ", ".join(
        f"{key} = {str(value).lower() if isinstance(value, bool) else repr(value)}"
        for key, value in settings.items()
    )
