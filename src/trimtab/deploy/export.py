"""Out of the ledger: one variant's best model as a folder that trimtab, transformers or d2l reads."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from tokenizers import Tokenizer

import trimtab
from trimtab.analysis.scores import score_name
from trimtab.atomic import atomic_folder
from trimtab.config import InputError, nearest
from trimtab.deploy.exported import Use, describe
from trimtab.ledger.ledger import Ledger
from trimtab.ledger.tokenizers import Reading, read_reading
from trimtab.ledger.trial import Trial
from trimtab.model import weights_d2l, weights_hf
from trimtab.model.sizes import D2L, Architecture
from trimtab.model.weights import Weights, weights_from
from trimtab.model.weights_files import read_safetensors

Format = Literal["hf", "d2l"]
_FORMATS: dict[Format, str] = {"hf": "Hugging Face's", "d2l": "d2l's"}
_WRITE: dict[Format, Callable[[Path, Weights, Tokenizer], None]] = {
    "hf": weights_hf.write,
    "d2l": weights_d2l.write,
}
_KEEP = "set keep_weights = true at the top of the study file and run it again"


@dataclass(frozen=True)
class Chosen:
    """The trial of a variant that is exported, and why it was it.

    score, value: what it is the best by on validation, among ``seeds`` of which the weights were kept.
    """

    variant: str
    seed: int
    trial: Trial
    score: str
    value: float
    seeds: int


def export(
    ledger: Ledger, variant: str, folder: Path, form: Format | None = None, seed: int | None = None
) -> tuple[Chosen, str]:
    """Write a trained model of ``variant`` into ``folder``; what was chosen, and the format in words.

    variant: its name in the report, or its number there from 0; form: "hf" (Hugging Face) or "d2l", by
    default the one that can express the model; seed: of the study, by default the best on validation.
    The folder also gets the tokeniser, and in trimtab.json the truncation, max_len and labels. InputError
    where there is no such variant, no weights of it were kept, the folder holds something already, or the
    format cannot express the model.
    """
    number = find_variant(ledger, variant)
    row = ledger.study["variants"][number]
    _check_empty(folder)
    chosen = choose(ledger, row, seed)
    reading = _reading(ledger, row)
    tokenizer, frequencies = read_reading(ledger.folder, reading)
    weights = _weights(chosen.trial, ledger.study["labels"])
    form = _expressible(weights.parts.size, form)
    use = _use(ledger, row, reading, chosen)
    try:
        with atomic_folder(folder) as temporary:
            _write(form, temporary, folder, weights, tokenizer)
            describe(temporary, use, frequencies, _about(ledger, chosen, tokenizer))
    except OSError as error:
        raise InputError(f"{folder}: cannot be written ({error.strerror}); name another folder") from error
    return chosen, _FORMATS[form]


def find_variant(ledger: Ledger, variant: str) -> int:
    """The number of the variant that is called so, or has that number; InputError names the nearest."""
    names = [row["name"] for row in ledger.study["variants"]]
    if variant in names:
        return names.index(variant)
    if variant.isdecimal() and int(variant) < len(names):
        return int(variant)
    what = f"there is no variant {variant!r} ({nearest(variant, names)})"
    raise InputError(f"{ledger.folder}: {what}; give a name, or a number from 0 to {len(names) - 1}")


def choose(ledger: Ledger, row: dict[str, Any], seed: int | None) -> Chosen:
    """The trial of a variant's row with that seed, else the best on validation of those with weights.

    The best by the study's score where the ledger holds it of the validation split, else by accuracy; of
    equal ones the lowest seed. InputError where there is none.
    """
    trials = {int(number): ledger.trial(key) for number, key in row["trials"].items()}
    if seed is not None and seed not in trials:
        known = nearest(str(seed), map(str, trials))
        raise InputError(f"--seed {seed}: {row['name']} was not trained with it, {known}")
    wanted = trials if seed is None else {seed: trials[seed]}
    kept = {number: trial for number, trial in wanted.items() if trial.weights}
    if not kept:
        which = row["name"] if seed is None else f"{row['name']}, seed {seed}"
        done = any(trial.result for trial in wanted.values())
        what = "no weights were kept" if done else "no trial is finished"
        raise InputError(f"{ledger.folder}: {what} of {which}; {_KEEP if done else 'run the study first'}")
    found = {number: (trial.result or {})["validation"] for number, trial in kept.items()}
    score = score_name(ledger.study["compare"])
    score = score if all(score in values for values in found.values()) else "accuracy"
    best = min(kept, key=lambda number: (-found[number][score], number))
    return Chosen(row["name"], best, kept[best], score, found[best][score], len(kept))


def _check_empty(folder: Path) -> None:
    if folder.exists() and not folder.is_dir():
        raise InputError(f"{folder}: is a file; name a folder, which is made")
    if folder.is_dir() and any(folder.iterdir()):
        raise InputError(f"{folder}: holds files already; name another folder, or empty it")


def _reading(ledger: Ledger, row: dict[str, Any]) -> Reading:
    if "reading" not in row:
        raise InputError(f"{ledger.folder}: keeps no tokeniser of {row['name']}; {_KEEP}")
    return Reading(**row["reading"])


def _weights(trial: Trial, labels: list[str]) -> Weights:
    path = trial.weights
    assert path is not None
    return weights_from(read_safetensors(path), Architecture(**trial.config["size"]), labels)


def _expressible(size: Architecture, form: Format | None) -> Format:
    """The format that was asked for, else one that can express the size; InputError where none can."""
    able = {
        "hf": size.embedding_norm,
        "d2l": all(getattr(size, key) == value for key, value in D2L.items()),
    }
    known: list[Format] = [each for each in _FORMATS if able[each]]
    if form in known or (form is None and known):
        return form or known[0]
    flavour = ", ".join(f"{key} = {getattr(size, key)}" for key in D2L)
    if known:
        mend = f"take --format {known[0]}"
        raise InputError(f"--format {form}: its models have no {flavour}; {mend}")
    mend = "train with embedding_norm = true to export it"
    raise InputError(f"neither Hugging Face's nor d2l's format has models with {flavour}; {mend}")


def _write(form: Format, temporary: Path, folder: Path, weights: Weights, tokenizer: Tokenizer) -> None:
    try:
        _WRITE[form](temporary, weights, tokenizer)
    except InputError as error:  # which must not speak of a folder that is gone
        raise InputError(str(error).replace(str(temporary), str(folder))) from error


def _use(ledger: Ledger, row: dict[str, Any], reading: Reading, chosen: Chosen) -> Use:
    recipe = (chosen.trial.result or {})["recipe"]
    return Use(
        truncation=row["truncation"],
        max_len=row["max_len"],
        texts=reading.texts,
        labels=ledger.study["labels"],
        precision=recipe["precision"],
    )


def _about(ledger: Ledger, chosen: Chosen, tokenizer: Tokenizer) -> dict[str, Any]:
    """Where the model is from, for people."""
    result = chosen.trial.result or {}
    normal = tokenizer.normalizer
    return {
        "lowercase": normal is not None and normal.normalize_str("A") == "a",
        "study": ledger.study["name"],
        "variant": chosen.variant,
        "seed": chosen.seed,
        "trial": chosen.trial.folder.name,
        "validation": result["validation"],
        "tests": result["tests"],
        "trained_by": result.get("signature"),
        "exported_by": trimtab.__version__,
    }
