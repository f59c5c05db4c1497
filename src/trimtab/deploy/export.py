"""Out of the ledger: one variant's best model as a folder that trimtab, transformers or d2l reads."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer

import trimtab
from trimtab.atomic import atomic_folder
from trimtab.config import InputError, nearest
from trimtab.data.target import Target
from trimtab.deploy.activation import CONFIG as MODEL_CONFIG
from trimtab.deploy.activation import Activation
from trimtab.deploy.exported import Use, describe
from trimtab.ledger.ledger import Ledger
from trimtab.ledger.records import StudyRecord, TokenizerRecord, VariantRecord
from trimtab.ledger.tokenizers import read_tokenizer
from trimtab.ledger.trial import CONFIG, WEIGHTS, Trial
from trimtab.ledger.trial_records import Scores, TrialResult
from trimtab.model.building import weights_of_trial
from trimtab.model.formats import FORMATS, choose_format
from trimtab.model.weights import Weights
from trimtab.model.weights_files import read_safetensors

# Of the logits of a model, by what the labels of its study were.
_ACTIVATIONS: dict[Target, Activation] = {"classes": "softmax", "score": "identity", "relevance": "sigmoid"}
# What transformers and sentence-transformers look for, which else take a single output for a logit.
_REGRESSION = {
    "problem_type": "regression",
    "sentence_transformers": {"activation_fn": "torch.nn.modules.linear.Identity"},
}
_KEEP = "set keep_weights = true at the top of the study file and run it again"


@dataclass(frozen=True)
class ChosenTrial:
    """The trial of a variant that is exported: the best on validation among ``seeds`` with weights."""

    variant: VariantRecord
    seed: int
    trial: Trial
    result: TrialResult
    seeds: int


def export(
    ledger: Ledger, variant: str, folder: Path, form: str | None = None, seed: int | None = None
) -> tuple[ChosenTrial, str]:
    """Write a trained model of ``variant`` into ``folder``; what was chosen, and the format in words.

    variant: its name in the report, with or without labels of [names], or its number there from 0; form: a
    key of ``FORMATS``, by default the first format that can hold the model; seed: of the study, by default
    the best on validation. The folder also gets the tokeniser, and in trimtab.json the truncation, max_len
    and labels. InputError where there is no such variant, no weights of it were kept, the folder holds
    something already, or the format cannot hold the model.
    """
    record = find_variant(ledger, variant)
    _check_empty(folder)
    chosen = choose(ledger, record, seed)
    study, kept = ledger.study, _kept_tokenizer(ledger, record)
    tokenizer, frequencies = read_tokenizer(ledger.folder, kept)
    weights = _weights(chosen.trial, study.labels)
    form = choose_format(weights.parts.size, form)
    use = _use(study, chosen, kept)
    try:
        with atomic_folder(folder) as temporary:
            _write(form, temporary, folder, weights, tokenizer)
            if study.target == "score":
                _call_regression(temporary)
            describe(temporary, use, frequencies, _about(study, chosen, tokenizer))
    except OSError as error:
        raise InputError(f"{folder}: cannot be written ({error.strerror}); name another folder") from error
    return chosen, f"{FORMATS[form].name}'s"


def find_variant(ledger: Ledger, variant: str) -> VariantRecord:
    """The variant that is called so, with or without labels of [names], or has that number.

    A name with labels comes first. InputError names the nearest.
    """
    variants = ledger.study.variants
    names = {each.plain_name: each for each in variants} | {each.name: each for each in variants}
    if variant in names:
        return names[variant]
    if variant.isdecimal() and int(variant) < len(variants):
        return variants[int(variant)]
    what = f"there is no variant {variant!r} ({nearest(variant, names)})"
    raise InputError(f"{ledger.folder}: {what}; give a name, or a number from 0 to {len(variants) - 1}")


def choose(ledger: Ledger, variant: VariantRecord, seed: int | None) -> ChosenTrial:
    """The trial of a variant with that seed, else the most accurate on validation of those with weights.

    Ties go to the lowest seed. InputError where there is none.
    """
    trials = {number: ledger.trial(key) for number, key in variant.trials.items()}
    if seed is not None and seed not in trials:
        known = nearest(str(seed), map(str, trials))
        raise InputError(f"--seed {seed}: {variant.name} was not trained with it, {known}")
    wanted = trials if seed is None else {seed: trials[seed]}
    finished = {number: result for number, trial in wanted.items() if (result := trial.result)}
    kept = {number: result for number, result in finished.items() if wanted[number].weights}
    if not kept:
        which = variant.name if seed is None else f"{variant.name}, seed {seed}"
        what = "no weights were kept" if finished else "no trial is finished"
        mend = _KEEP if finished else "run the study first"
        raise InputError(f"{ledger.folder}: {what} of {which}; {mend}")
    best = min(kept, key=lambda number: (_badness(kept[number].validation), number))
    return ChosenTrial(variant, best, wanted[best], kept[best], len(kept))


def _badness(validation: Scores) -> float:
    """What the best trial has least of: minus accuracy, the loss where labels are no classes."""
    return validation.loss if validation.accuracy is None else -validation.accuracy


def _check_empty(folder: Path) -> None:
    if folder.exists() and not folder.is_dir():
        raise InputError(f"{folder}: is a file; name a new folder")
    if folder.is_dir() and any(folder.iterdir()):
        raise InputError(f"{folder}: holds files already; name another folder, or empty it")


def _kept_tokenizer(ledger: Ledger, variant: VariantRecord) -> TokenizerRecord:
    if variant.kept_tokenizer is None:
        raise InputError(f"{ledger.folder}: keeps no tokeniser of {variant.name}; {_KEEP}")
    return variant.kept_tokenizer


def _weights(trial: Trial, labels: Sequence[str]) -> Weights:
    path = trial.weights
    assert path is not None
    trial.check(WEIGHTS)
    trial.check(CONFIG)
    return weights_of_trial(read_safetensors(path), trial.config.size, tuple(labels))


def _write(form: str, temporary: Path, folder: Path, weights: Weights, tokenizer: Tokenizer) -> None:
    try:
        FORMATS[form].write(temporary, weights, tokenizer)
    except InputError as error:  # it names a folder that is gone by now
        raise InputError(str(error).replace(str(temporary), str(folder))) from error


def _call_regression(folder: Path) -> None:
    """Tell who reads the folder that the single output is the score itself."""
    path = folder / MODEL_CONFIG
    if path.is_file():
        path.write_text(json.dumps(json.loads(path.read_text()) | _REGRESSION, indent=1))


def _use(study: StudyRecord, chosen: ChosenTrial, kept: TokenizerRecord) -> Use:
    precision = chosen.result.recipe.precision
    assert precision != "auto"
    return Use(
        truncation=chosen.variant.truncation,
        max_len=chosen.variant.max_len,
        texts=kept.texts,
        labels=list(study.labels) or None,
        precision=precision,
        activation=_ACTIVATIONS[study.target],
        windows=chosen.variant.windows,
    )


def _about(study: StudyRecord, chosen: ChosenTrial, tokenizer: Tokenizer) -> dict[str, Any]:
    """Where the model is from, for people."""
    normal, result = tokenizer.normalizer, chosen.result
    return {
        "lowercase": normal is not None and normal.normalize_str("A") == "a",
        "study": study.name,
        "variant": chosen.variant.name,
        "seed": chosen.seed,
        "trial": chosen.trial.folder.name,
        "validation": result.validation.model_dump(),
        "tests": {name: scores.model_dump() for name, scores in result.tests.items()},
        "trained_by": asdict(result.signature),
        "exported_by": trimtab.__version__,
    }
