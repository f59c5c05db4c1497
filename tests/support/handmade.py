"""Ledgers with known predictions, written through the same records and doors that a run uses."""

from dataclasses import dataclass, field

import numpy as np

from trimtab.data.dataset import Counts
from trimtab.ledger import Ledger
from trimtab.ledger.evaluated import EvaluatedRows
from trimtab.ledger.records import ExclusionRecord, RuntimeRecord, StudyRecord, VariantRecord
from trimtab.ledger.trial_records import Scores, TrialConfig, TrialResult
from trimtab.machine import Signature
from trimtab.model.sizes import architecture
from trimtab.study.compare_section import Compare
from trimtab.study.grid import DeclaredContrast, are_paired
from trimtab.training.epoch import Epoch
from trimtab.training.recipe import Recipe
from trimtab.truncation.audit import Audit
from trimtab.truncation.profile import length_profile, length_summary

CLASSES = 3
SIZE, RECIPE = architecture("2x32/64/2"), Recipe(epochs=2, precision="fp32")
SIGNATURE = Signature(
    trimtab="0",
    commit="abc",
    python="3",
    torch="2",
    numpy="2",
    scipy="1",
    tokenizers="0",
    system="a system",
    cores="1",
)
RUNTIME = RuntimeRecord(threads=1, device="cpu", precision={})
_LENGTHS = np.array([3, 4, 5, 6, 7, 8, 9])  # of both texts of a row, without special tokens


def logits_for(labels, right):
    """Logits (examples, classes) whose largest is the label where ``right``, else the next class."""
    chosen = np.where(right, labels, (labels + 1) % CLASSES)
    return np.eye(CLASSES, dtype=np.float32)[chosen]


def epoch(number, **changed):
    """The record of an epoch."""
    known = {
        "epoch": number,
        "loss": 1.0 / number,
        "accuracy": 0.4,
        "validation_loss": 1.1,
        "validation_accuracy": 0.35,
        "examples_per_second": 100.0,
        "tokens_per_second": 2000.0,
        "peak_bytes": 5 << 20,
        "seconds": 1.0,
        "validation_seconds": 0.25,
    }
    return Epoch(**known | changed)


def audit(cut):
    """An audit of ten pairs, of which a share ``cut`` is cut in every way."""
    shares = dict.fromkeys(("cut", "cut_only_first", "cut_only_second", "cut_both", "lost_share"), cut)
    lost = {f"lost_{side}_{key}": 1.0 for side in ("first", "second") for key in ("mean", "median", "p90")}
    most = {f"lost_{side}_largest": 3 for side in ("first", "second")}
    return Audit(pairs=10, **shares, **lost, **most)


def variant(number, **changed):
    """The record of a variant: truncation tNUMBER at max_len 8, in a study with the test set 'test'."""
    known = {
        "number": number,
        "name": f"t{number}, max_len 8",
        "coordinates": {"truncation": f"t{number}", "max_len": 8},
        "truncation": f"t{number}",
        "max_len": 8,
        "size": SIZE,
        "recipe": RECIPE,
        "weights": None,
        "replica": 0,
        "tokenizer": "word",
        "vocabulary": 50,
        "inputs": f"inputs{number}",
        "test_inputs": {"test": f"test{number}"},
        "cross": {},
        "same_as": number,
        "ceilings": {},
        "audits": {},
        "label_audits": {},
        "hardly_cut": False,
        "tokens": {},
        "trials": {},
    }
    return VariantRecord(**known | changed)


@dataclass
class _Made:
    """What ``write`` is asked for, with everything that it leaves out filled in."""

    scores: dict
    same: list
    seeds: list
    labels: dict
    options: dict = field(default_factory=dict)

    @property
    def variants(self):
        return range(len(self.same))

    @property
    def splits(self):
        return ("train", "validation", *self.scores)

    def key(self, number, seed):
        return f"trial-{self.same[number]}-{seed}"

    def said(self, name, number, place):
        """Logits of a trial on a test set; ``place`` is that of its seed."""
        given = self.options["logits"]
        if given is not None:
            return given[name][number, place].astype(np.float32)
        return logits_for(self.labels[name], self.scores[name][number, place])


def write(
    folder,
    scores,
    *,
    missing=(),
    failed=(),
    same=None,
    clusters=None,
    ceilings=None,
    contrasts=None,
    seeds=None,
    exploratory=False,
    cross=None,
    uncrossed=(),
    rates=None,
    replicas=False,
    margin=0.01,
    score="accuracy",
    logits=None,
    cross_logits=None,
    epochs=None,
    evaluated=None,
    lengths=None,
    digests=None,
    max_lens=None,
    tokens=None,
    looks=(),
):
    """A ledger whose variants' predictions are right where ``scores`` says.

    scores: by test set, bool (variants, seeds, examples). Variants are truncation t0, t1, ... at max_len 8;
    each is contrasted with the first. missing, failed: (variant, seed number) without a result. same: which
    variant each shares its inputs and trials with. ceilings: by variant. clusters: by test set. cross: by
    test set, whether each model is right on each variant's inputs (variants, variants, seeds, examples);
    uncrossed: (variant, seed number) of models not evaluated so. rates: examples/s of training, by variant.
    replicas: whether variants are replicas of one truncation instead, and contrasts unpaired. score: what
    [compare] names. logits: by test set, (variants, seeds, examples, classes), what models say in place of
    what ``scores`` and ``cross`` make of them; cross_logits: likewise (variants, variants, ...). epochs:
    epochs(variant, seed number), the records of a trial's epochs, by default two made by ``epoch``.
    evaluated: the epoch whose weights met the test sets, by default the last. lengths: a LengthSummary by
    split. digests: of each variant's examples, (variants, examples), by default such that variants cut all
    examples but the first differently. max_lens: by variant, (truncation, max_len) in place of t0, t1, ... at
    8; tokens: by variant, of a row; looks: the planned ones.
    """
    options = {key: value for key, value in locals().items() if key not in ("folder", "scores")}
    scores = {name: np.asarray(value, bool) for name, value in scores.items()}
    numbers, n_seeds, _ = next(iter(scores.values())).shape
    made = _Made(
        scores=scores,
        same=list(range(numbers)) if same is None else same,
        seeds=list(range(n_seeds)) if seeds is None else list(seeds),
        labels={name: np.arange(value.shape[2]) % CLASSES for name, value in scores.items()},
        options=options,
    )
    ledger = Ledger(folder)
    ledger.begin("made")
    for number in made.variants:
        for place, seed in enumerate(made.seeds):
            if (number, place) not in missing and made.same[number] == number:
                _write_trial(ledger.trial(made.key(number, seed)), made, number, place)
    ledger.write_runtime(RUNTIME)
    ledger.write_study(_study(made), {name: _evaluated_rows(made, name) for name in scores})
    return ledger


def _write_trial(trial, made, number, place):
    options = made.options
    if (number, place) in options["failed"]:
        trial.fail("the loss became nan; lower learning_rate, or set clip")
        return
    inputs = dict.fromkeys(made.splits, f"inputs{number}")
    trial.begin(
        TrialConfig(
            size=SIZE,
            recipe=RECIPE,
            weights=None,
            vocabulary=50,
            classes=CLASSES,
            inputs=inputs,
            seed=made.seeds[place],
        )
    )
    epochs = [epoch(1), epoch(2)] if options["epochs"] is None else options["epochs"](number, place)
    trial.write_epochs(epochs)
    predictions = {name: made.said(name, number, place) for name in made.scores}
    trial.finish(_result(made, number, place, epochs), predictions)
    if options["cross"] is not None and (number, place) not in options["uncrossed"]:
        _write_cross(trial.crossed, made, number, place)


def _result(made, number, place, epochs):
    rates, evaluated = made.options["rates"], made.options["evaluated"]
    last = epochs[-1]
    return TrialResult(
        tests={
            name: Scores(loss=1.0, accuracy=float(value[number, place].mean()))
            for name, value in made.scores.items()
        },
        evaluated_epoch=last.epoch if evaluated is None else evaluated,
        validation=Scores(loss=last.validation_loss, accuracy=last.validation_accuracy),
        examples_per_second=100.0 if rates is None else rates[number],
        tokens_per_second=2000.0,
        peak_bytes=5 << 20,
        training_seconds=2.0,
        seconds=3.0,
        recipe=RECIPE,
        machine="a machine",
        threads=1,
        signature=SIGNATURE,
    )


def _write_cross(crossed, made, number, place):
    crossed.begin()
    for name, value in made.options["cross"].items():
        for other in {*made.same} - {number}:
            said = logits_for(made.labels[name], np.asarray(value, bool)[number, other, place])
            if made.options["cross_logits"] is not None:
                said = made.options["cross_logits"][name][number, other, place].astype(np.float32)
            crossed.add(f"{name}{other}", said)


def _evaluated_rows(made, name):
    examples, clusters = made.scores[name].shape[2], made.options["clusters"]
    digests = made.options["digests"]
    if digests is None:
        digests = np.array(made.same, np.uint64)[:, None] + np.zeros(examples, np.uint64)
        digests[:, 0] = 99
    return EvaluatedRows(
        made.labels[name],
        np.arange(examples) if clusters is None else np.asarray(clusters[name]),
        {f"inputs{same}": digests[same] for same in made.same},
    )


def _variant(made, number):
    same, options = made.same[number], made.options
    others = sorted({*made.same} - {same})
    truncation, max_len = options["max_lens"][number] if options["max_lens"] else (f"t{number}", 8)
    place = {"replica": number} if options["replicas"] else {"truncation": truncation, "max_len": max_len}
    return variant(
        number,
        name=f"{truncation}, max_len {max_len}",
        coordinates=place,
        truncation=truncation,
        max_len=max_len,
        replica=number if options["replicas"] else 0,
        inputs=f"inputs{same}",
        test_inputs={name: f"{name}{same}" for name in made.scores},
        cross={}
        if options["cross"] is None
        else {name: [f"{name}{other}" for other in others] for name in made.scores},
        same_as=same,
        ceilings={}
        if options["ceilings"] is None
        else dict.fromkeys(made.scores, options["ceilings"][number]),
        audits={name: audit(0.5) for name in made.splits},
        tokens=dict.fromkeys(made.splits, options["tokens"][number] if options["tokens"] else 7.5),
        trials={seed: made.key(number, seed) for seed in made.seeds},
    )


def _study(made):
    options = made.options
    variants = [_variant(made, number) for number in made.variants]
    declared = [(number, 0) for number in made.variants[1:]]
    if options["contrasts"] is not None:
        declared = options["contrasts"]
    lengths = {split: length_summary(_LENGTHS, _LENGTHS, 3) for split in made.splits}
    return StudyRecord(
        name="made",
        question="What is in a ledger?",
        text='question = "What is in a ledger?"',
        seeds=made.seeds,
        variants=variants,
        excluded=[ExclusionRecord(place={"max_len": 4}, because="nothing is left")],
        contrasts=[DeclaredContrast(v, b, are_paired(variants[v], variants[b])) for v, b in declared],
        compare=Compare(
            margin=options["margin"],
            score=options["score"],
            exploratory=options["exploratory"],
            cross=options["cross"] is not None,
            looks=options["looks"],
        ),
        tests=list(made.scores),
        labels=["a", "b", "c"],
        vocabularies={"word": 50},
        counts=[Counts(split="train", source="a file", rows=10, dropped=1, clusters=10, repeated=0)],
        profiles={
            split: length_profile(_LENGTHS, _LENGTHS, [], [8], 3)
            for split in made.splits
            if split != "validation"
        },
        lengths=options["lengths"] or lengths,
        signature=SIGNATURE,
        runtime=RUNTIME,
    )
