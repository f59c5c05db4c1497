"""How a worker finds the inputs of a trial: where its tokens lie, and how they are truncated."""

from dataclasses import dataclass
from pathlib import Path

from trimtab.data.input_template import InputTemplate
from trimtab.data.pairs import Pairs, make_pairs
from trimtab.data.tokens import CacheLostError, load
from trimtab.plan.prepare import PreparedVariant
from trimtab.truncation import parse
from trimtab.truncation.windows import NO_WINDOWS, parse_windows


@dataclass(frozen=True)
class InputSpec:
    """What a trial is trained on: the cached tokens of each split, and how they are truncated.

    folders: of the tokens of train, validation and each test set; truncation, windows: spec strings.
    """

    folders: dict[str, Path]
    truncation: str
    max_len: int
    template: InputTemplate
    vocabulary: int
    classes: int
    windows: str = NO_WINDOWS

    def pairs(self, *names: str) -> dict[str, Pairs]:
        """The inputs of the splits named."""
        tokens = {name: load(self.folders[name]) for name in {*names, "train"}}
        truncation = parse(self.truncation).fit(tokens["train"].first, tokens["train"].second)
        windows = parse_windows(self.windows)
        return {
            name: make_pairs(tokens[name], truncation, self.max_len, self.template, windows) for name in names
        }


def input_spec(variant: PreparedVariant) -> InputSpec:
    """What the trials of a variant are trained on."""
    settings, dataset = variant.settings, variant.dataset
    return InputSpec(
        folders={name: tokens.folder for name, tokens in dataset.splits.items()},
        truncation=settings.truncation.resolved,
        max_len=settings.max_len,
        template=dataset.template,
        vocabulary=dataset.vocabulary,
        classes=dataset.outputs,
        windows=str(settings.windows or NO_WINDOWS),
    )


def check_inputs(pairs: dict[str, Pairs], fingerprints: dict[str, str], folders: dict[str, Path]) -> None:
    """CacheLostError where the inputs of a split are not those that were planned."""
    for name, inputs in pairs.items():
        if inputs.fingerprint != fingerprints[name]:
            raise CacheLostError(folders[name])
