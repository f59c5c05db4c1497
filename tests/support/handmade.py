"""Ledgers with known predictions, written through the same doors that a run uses."""

import numpy as np

from trimtab.ledger import Ledger

CLASSES = 3


def logits_for(labels, right):
    """Logits (examples, classes) whose largest is the label where ``right``, else the next class."""
    chosen = np.where(right, labels, (labels + 1) % CLASSES)
    return np.eye(CLASSES, dtype=np.float32)[chosen]


def result(tests, rate=100.0):
    return {
        "tests": {name: {"loss": 1.0, "accuracy": accuracy} for name, accuracy in tests.items()},
        "validation": {"loss": 1.0, "accuracy": 0.5},
        "examples_per_second": rate,
        "tokens_per_second": 2000.0,
        "peak_bytes": 5 << 20,
        "training_seconds": 2.0,
        "seconds": 3.0,
        "recipe": {"precision": "fp32", "micro_batch": None},
        "machine": "a machine",
        "threads": 1,
        "torch": "2",
    }


def epoch(number):
    return {
        "epoch": number,
        "loss": 1.0 / number,
        "accuracy": 0.4,
        "validation_loss": 1.1,
        "validation_accuracy": 0.35,
        "examples_per_second": 100.0,
        "tokens_per_second": 2000.0,
        "peak_bytes": 5 << 20,
        "seconds": 1.0,
    }


def audit(cut):
    names = ("cut", "cut_only_first", "cut_only_second", "cut_both", "lost_share")
    lost = {f"lost_{side}_{key}": 1.0 for side in ("first", "second") for key in ("mean", "median", "p90")}
    whole = {f"lost_{side}_largest": 3 for side in ("first", "second")}
    return {"pairs": 10, **dict.fromkeys(names, cut), **lost, **whole}


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
    score=None,
    logits=None,
    cross_logits=None,
    epochs=None,
    evaluated=None,
    lengths=None,
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
    evaluated: the epoch whose weights met the test sets, by default not said, as by earlier versions.
    lengths: how long the rows are, likewise.
    """
    scores = {name: np.asarray(value, bool) for name, value in scores.items()}
    variants, n_seeds, _ = next(iter(scores.values())).shape
    same = list(range(variants)) if same is None else same
    seeds = list(range(n_seeds)) if seeds is None else list(seeds)
    ledger = Ledger(folder)
    ledger.claim("made")
    labels = {name: np.arange(value.shape[2]) % CLASSES for name, value in scores.items()}
    arrays = {}
    for name, value in scores.items():
        arrays[f"labels/{name}"] = labels[name]
        arrays[f"clusters/{name}"] = (
            np.arange(value.shape[2]) if clusters is None else np.asarray(clusters[name])
        )
        for variant in range(variants):
            digests = np.full(value.shape[2], same[variant], np.uint64)
            digests[0] = 99  # the first example is cut by none
            arrays[f"digests/{name}/inputs{same[variant]}"] = digests
    rows = []
    for variant in range(variants):
        trials = {}
        for number, seed in enumerate(seeds):
            key = f"trial-{same[variant]}-{seed}"
            trials[str(seed)] = key
            trial = ledger.trial(key)
            if (variant, number) in missing or same[variant] != variant:
                continue
            if (variant, number) in failed:
                trial.fail("the loss became nan; lower learning_rate, or set clip")
                continue
            trial.begin({"seed": seed})
            for record in [epoch(1), epoch(2)] if epochs is None else epochs(variant, number):
                trial.add_metrics(record)
            predictions = {name: logits_for(labels[name], scores[name][variant, number]) for name in scores}
            if logits is not None:
                predictions = {name: logits[name][variant, number].astype(np.float32) for name in scores}
            means = {name: float(scores[name][variant, number].mean()) for name in scores}
            came_out = result(means, 100.0 if rates is None else rates[variant])
            came_out |= {} if evaluated is None else {"evaluated_epoch": evaluated}
            trial.finish(came_out, predictions)
            if cross is not None and (variant, number) not in uncrossed:
                trial.crossed.begin()
                for name, value in cross.items():
                    for other in {*same} - {variant}:
                        right = np.asarray(value, bool)[variant, other, number]
                        said = logits_for(labels[name], right)
                        if cross_logits is not None:
                            said = cross_logits[name][variant, other, number].astype(np.float32)
                        trial.crossed.add(f"{name}{other}", said)
        rows.append(
            {
                "name": f"t{variant}, max_len 8",
                "coordinates": {"replica": variant}
                if replicas
                else {"truncation": f"t{variant}", "max_len": 8},
                "truncation": f"t{variant}",
                "max_len": 8,
                "inputs": f"inputs{same[variant]}",
                "test_inputs": {name: f"{name}{same[variant]}" for name in scores},
                "cross": {}
                if cross is None
                else {name: [f"{name}{o}" for o in sorted({*same} - {same[variant]})] for name in scores},
                "same_as": same[variant],
                "ceilings": {} if ceilings is None else dict.fromkeys(scores, ceilings[variant]),
                "audits": {name: audit(0.5) for name in ("train", "validation", *scores)},
                "hardly_cut": False,
                "label_audits": {},
                "tokens": dict.fromkeys(("train", "validation", *scores), 7.5),
                "trials": trials,
            }
        )
    declared = [(variant, 0) for variant in range(1, variants)] if contrasts is None else contrasts
    study = {
        "name": "made",
        "question": "What is in a ledger?",
        "text": 'question = "What is in a ledger?"',
        "seeds": seeds,
        "axes": {},
        "variants": rows,
        "excluded": [{"place": {"max_len": 4}, "because": "nothing is left"}],
        "contrasts": [{"variant": v, "baseline": b, "paired": not replicas} for v, b in declared],
        "compare": {"baseline": {}, "margin": margin, "alpha": 0.05, "exploratory": exploratory}
        | {"cross": cross is not None}
        | ({} if score is None else {"score": score}),
        "tests": list(scores),
        "labels": ["a", "b", "c"],
        "vocabulary": 50,
        "counts": [{"split": "train", "source": "a file", "rows": 10, "dropped": 1, "clusters": 10}],
        "signature": {"trimtab": "0", "commit": "abc"},
        "runtime": {"threads": 1, "device": "cpu", "precision": {}},
    } | ({} if lengths is None else {"lengths": lengths})
    ledger.write_runtime(study["runtime"])
    ledger.write_study(study, arrays)
    return ledger
