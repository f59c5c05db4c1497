"""Predictions as other programs write them."""

import json

import numpy as np
import pytest

from predicted import write_csv
from trimtab.config import InputError
from trimtab.predictions.reading import read_predictions


def lm_eval_file(folder, model, right, **more):
    """A sample file of lm-evaluation-harness, as its EvaluationTracker writes it."""
    path = folder / model / "samples_boolq_2026-01-02T03-04-05.678901.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = [
        {
            "doc_id": number,
            "doc": {"question": "?"},
            "target": "1",
            "arguments": {"gen_args_0": {"arg_0": "?"}},
            "resps": [[["-1.0", "False"]]],
            "filtered_resps": [["-1.0", "False"]],
            "filter": "none",
            "metrics": ["acc", "acc_norm"],
            "doc_hash": f"d{number}",
            "prompt_hash": "p",
            "target_hash": "t",
            "acc": float(value),
            "acc_norm": 1.0 - value,
        }
        | more
        for number, value in enumerate(right)
    ]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return str(path)


def test_samples_of_lm_evaluation_harness(tmp_path):
    right = np.random.default_rng(0).integers(0, 2, (2, 9))
    files = [lm_eval_file(tmp_path, f"org__model{n}", right[n]) for n in range(2)]
    found = read_predictions(files, score="acc")
    assert (found.variants, found.kind) == (("org__model0", "org__model1"), "score")
    [test] = found.sets
    assert test.name == "boolq"
    assert [test.outputs[n][0][:, 0].tolist() for n in range(2)] == right.tolist()
    normed = read_predictions(files, score="acc_norm").sets[0]
    assert normed.outputs[1][0][:, 0].tolist() == (1 - right[1]).tolist()
    with pytest.raises(InputError, match="has the metrics acc, acc_norm; name one"):
        read_predictions(files)
    with pytest.raises(InputError, match=r":1: no metric 'f1'; it has acc, acc_norm"):
        read_predictions(files, score="f1")


def test_samples_of_another_data_set_do_not_fit(tmp_path):
    files = [lm_eval_file(tmp_path, "a", [1, 0]), lm_eval_file(tmp_path, "b", [1, 0], doc_hash="other")]
    with pytest.raises(InputError, match="example '0' has question 'other', and 'd0'"):
        read_predictions(files, score="acc")


def test_samples_with_several_filters_need_a_choice(tmp_path):
    files = [lm_eval_file(tmp_path, model, [1, 0]) for model in "ab"]
    for name in files:
        with open(name, "r+") as file:
            lines = [json.loads(line) | {"filter": "strict", "acc": 0.0} for line in file]
            file.write("".join(json.dumps(line) + "\n" for line in lines))
    with pytest.raises(
        InputError, match=r"filters 'none' and 'strict'; choose one, as in --score acc,strict"
    ):
        read_predictions(files, score="acc")
    [test] = read_predictions(files, score="acc,none").sets
    assert test.outputs[0][0][:, 0].tolist() == [1, 0]
    with pytest.raises(InputError, match="no answer went through the filter 'x'"):
        read_predictions(files, score="acc,x")


def test_folders_of_a_trainer_with_labels_beside(tmp_path):
    """As run_classification.py and run_glue.py of transformers write them."""
    said = {"a": ["yes", "no", "yes"], "b": ["no", "no", "yes"]}
    for variant, answers in said.items():
        folder = tmp_path / f"{variant}_seed4"
        folder.mkdir()
        lines = [f"{number}\t{answer}\n" for number, answer in enumerate(answers)]
        (folder / "predict_results_mrpc.txt").write_text("index\tprediction\n" + "".join(lines))
    rows = [{"example": n, "label": label, "cluster": n % 2} for n, label in enumerate(["yes", "no", "no"])]
    labels = write_csv(tmp_path / "labels.csv", rows)
    folders = [str(tmp_path / f"{variant}_seed4") for variant in said]
    found = read_predictions(folders, labels=labels)
    [test] = found.sets
    assert (test.name, found.variants, found.classes) == ("mrpc", ("a", "b"), ("no", "yes"))
    assert list(test.outputs[0]) == [4]
    assert test.outputs[1][4].argmax(axis=1).tolist() == [0, 0, 1]
    assert (test.labels.tolist(), test.clusters.tolist()) == ([1, 0, 0], [0, 1, 0])
    with pytest.raises(InputError, match=r"no column 'label' beside 'prediction'.*--labels FILE"):
        read_predictions(folders)
    with pytest.raises(InputError, match="example '2' has no label in the table of --labels"):
        read_predictions(folders, labels=write_csv(tmp_path / "fewer.csv", rows[:2]))
    with pytest.raises(InputError, match="example '0' stands there twice"):
        read_predictions(folders, labels=write_csv(tmp_path / "twice.csv", [*rows, rows[0]]))
    with pytest.raises(InputError, match=r"holds no predict_results\*\.txt"):
        read_predictions([str(tmp_path)])


def test_logs_of_inspect(tmp_path):
    """Two models, two epochs, which are seeds; C is 1 and I is 0, as Inspect itself has it."""
    log = pytest.importorskip(
        "inspect_ai.log", reason="reads logs with Inspect's own package; install inspect-ai"
    )
    from inspect_ai.scorer import Score

    files = []
    for model in "ab":
        samples = [
            log.EvalSample(
                id=f"s{number}",
                epoch=epoch,
                input="?",
                target="x",
                scores={"match": Score(value="C" if (number + epoch) % 2 else "I")},
            )
            for number in range(3)
            for epoch in (1, 2)
        ]
        spec = log.EvalSpec(
            created="2026-01-01T00:00:00+00:00",
            task="sums",
            dataset=log.EvalDataset(),
            model=f"mock/{model}",
            config=log.EvalConfig(),
        )
        files.append(str(tmp_path / f"{model}.eval"))
        log.write_eval_log(log.EvalLog(status="success", eval=spec, samples=samples), files[-1])
    found = read_predictions(files)
    assert found.variants == ("mock/a", "mock/b")
    [test] = found.sets
    assert (test.name, test.examples) == ("sums", ("s0", "s1", "s2"))
    assert test.outputs[0][1][:, 0].tolist() == [1, 0, 1]
    assert test.outputs[0][2][:, 0].tolist() == [0, 1, 0]
    with pytest.raises(InputError, match=r"has no score 'x' \(it has: match\)"):
        read_predictions(files, score="x")


def test_logs_of_inspect_need_its_package(tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "inspect_ai.log", None)
    (tmp_path / "a.eval").touch()
    with pytest.raises(InputError, match="need its package; pip install inspect-ai"):
        read_predictions([str(tmp_path / "a.eval")])
