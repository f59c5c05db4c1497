"""Trackers: what a ledger holds comes back equal from each, and nothing is written twice."""

import json
import struct
import sys
from pathlib import Path

import numpy as np
import pytest

from trimtab.config import InputError
from trimtab.ledger import Ledger
from trimtab.trackers import TrackerLog, trial_runs
from trimtab.trackers.registry import TRACKERS

# Where a package is not installed its tests are skipped; those that start servers or databases are slow.
ALL = [
    "jsonl",
    "tensorboard",
    pytest.param("mlflow", marks=pytest.mark.slow),
    pytest.param("wandb", marks=pytest.mark.slow),
]


@pytest.fixture(autouse=True)
def no_settings_of_the_users(monkeypatch):
    for name in ("MLFLOW_TRACKING_URI", "WANDB_MODE"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def folder(tmp_path, handmade, scores):
    """Three variants of two seeds, the third sharing the first's trials; one trial failed, one is missing."""
    handmade.write(
        tmp_path,
        {"test": scores[:, :2]},
        same=[0, 1, 0],
        failed=[(1, 0)],
        missing=[(1, 1)],
        score="macro_f1",
    )
    return tmp_path


def logged(folder, *names):
    complaints = []
    lines = TrackerLog(Ledger(folder), "made", names, complaints.append).everything()
    assert not complaints
    return lines


def test_each_trial_that_ended_is_one_run(folder, handmade):
    runs = list(trial_runs(Ledger(folder)))
    assert [(run.key, run.status) for run in runs] == [
        ("trial-0-0", "done"),
        ("trial-0-1", "done"),
        ("trial-1-0", "failed"),
    ]
    first, _, failed = runs
    assert (first.group, first.variants, first.seed) == (
        "t0, max_len 8",
        ("t0, max_len 8", "t2, max_len 8"),
        0,
    )
    assert first.parameters["learning_rate"] == handmade.RECIPE.learning_rate
    assert (first.parameters["truncation"], first.parameters["machine"]) == ("t0", "a machine")
    assert (first.parameters["commit"], first.parameters["tokenizer"]) == ("abc", "word")
    assert first.epochs[2]["train/loss"] == 0.5
    assert first.metrics["peak_bytes"] == 5 << 20
    assert 0 < first.metrics["test/macro_f1"] < 1
    assert "nan" in failed.failure
    assert not failed.metrics


# How each is read: by group and seed, the metrics of epochs, the final ones, the parameters as text.


def read_jsonl(folder):
    found = {}
    for line in (folder / "log" / "trials.jsonl").read_text().splitlines():
        event = json.loads(line)
        epochs, metrics, parameters = found.setdefault((event["group"], event["seed"]), ({}, {}, {}))
        if event["event"] == "epoch":
            epochs[event["epoch"]] = {name: value for name, value in event.items() if "/" in name}
        else:
            metrics |= event["metrics"]
            parameters |= as_text(event["parameters"])
    return found


def read_tensorboard(folder):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
    from tensorboard.plugins.hparams import plugin_data_pb2

    found = {}
    for path in (folder / "log" / "tensorboard").glob("*/*"):
        events = EventAccumulator(str(path)).Reload()
        scalars = {tag: events.Scalars(tag) for tag in events.Tags()["scalars"]}
        content = events.SummaryMetadata("_hparams_/session_start_info").plugin_data.content
        start = plugin_data_pb2.HParamsPluginData.FromString(content).session_start_info
        parameters = {name: getattr(v, v.WhichOneof("kind")) for name, v in start.hparams.items()}
        values = {tag: {one.step: one.value for one in each} for tag, each in scalars.items()}
        found[path.parent.name, int(path.name.split()[1])] = (*split(values), as_text(parameters))
    return found


def read_mlflow(folder):
    from mlflow.tracking import MlflowClient

    client = MlflowClient(f"sqlite:///{folder}/log/mlflow/mlflow.db")
    experiment = client.get_experiment_by_name("made").experiment_id
    found = {}
    for run in client.search_runs([experiment]):
        history = {tag: client.get_metric_history(run.info.run_id, tag) for tag in run.data.metrics}
        values = {tag: {one.step: one.value for one in each} for tag, each in history.items()}
        tags = run.data.tags
        assert run.info.status == ("FAILED" if "failure" in tags else "FINISHED")
        found[tags["group"], int(tags["seed"])] = (*split(values), run.data.params)
    return found


def read_wandb(folder):
    from wandb.proto import wandb_internal_pb2 as protocol

    found = {}
    for path in (folder / "log" / "wandb").glob("offline-run-*/*.wandb"):
        records = [protocol.Record.FromString(data) for data in leveldb_records(path.read_bytes())]
        values, begun = {}, None
        for record in records:
            if record.WhichOneof("record_type") == "run" and begun is None:
                begun = record.run
            if record.WhichOneof("record_type") == "history":
                for item in record.history.item:
                    tag = item.key or "/".join(item.nested_key)
                    values.setdefault(tag, {})[record.history.step.num] = json.loads(item.value_json)
            if record.WhichOneof("record_type") == "summary":
                for item in record.summary.update:
                    tag = item.key or "/".join(item.nested_key)
                    values.setdefault(tag, {}).setdefault(0, json.loads(item.value_json))
        config = {item.key: json.loads(item.value_json) for item in begun.config.update}
        epochs, metrics = split({k: v for k, v in values.items() if k[0] != "_"})
        metrics.pop("failure", None)
        key = begun.run_group, config["seed"]
        found[key] = ({n: e for n, e in epochs.items() if n}, metrics, as_text(config))
        assert begun.project == "made"
    return found


def leveldb_records(data, block=1 << 15):
    """The records of a log as LevelDB writes them: pieces with a checksum, a length and a kind in blocks."""
    place, piece = 7, b""  # after the head
    while place + 7 <= len(data):
        if block - place % block < 7:
            place += block - place % block
            continue
        _, length, kind = struct.unpack("<IHB", data[place : place + 7])
        piece += data[place + 7 : place + 7 + length]
        place += 7 + length
        if kind in (1, 4):  # whole, or the last piece
            yield piece
            piece = b""


def split(values):
    """Values by tag and step, as those by epoch and the final ones."""
    epochs, metrics = {}, {}
    for tag, by_step in values.items():
        if tag.startswith(("train/", "validation/")):
            for step, value in by_step.items():
                epochs.setdefault(step, {})[tag] = value
        else:
            [metrics[tag]] = by_step.values()
    return epochs, metrics


def as_text(parameters):
    return {name: str(value) for name, value in parameters.items()}


READERS = {
    "jsonl": read_jsonl,
    "tensorboard": read_tensorboard,
    "mlflow": read_mlflow,
    "wandb": read_wandb,
}


@pytest.mark.parametrize("name", ALL)
def test_the_numbers_come_back_and_nothing_is_written_twice(folder, handmade, name):
    if name != "jsonl":
        pytest.importorskip(name, reason=f"needs pip install 'trimtab[{name}]'")
    [line] = logged(folder, name)
    assert line.startswith(f"--log {name}: 3 runs written, 3 in all, in ")
    assert logged(folder, name)[0].startswith(f"--log {name}: 0 runs written, 3 in all, in ")
    found, runs = READERS[name](folder), list(trial_runs(Ledger(folder)))
    assert found.keys() == {(run.group, run.seed) for run in runs}
    for run in runs:
        epochs, metrics, parameters = found[run.group, run.seed]
        assert epochs.keys() == run.epochs.keys()
        for number, expected in run.epochs.items():
            assert epochs[number] == pytest.approx(expected, rel=1e-6)  # TensorBoard has float32
        assert metrics == pytest.approx(run.metrics, rel=1e-6)
        for key, value in run.parameters.items():
            number = isinstance(value, int | float) and not isinstance(value, bool)
            same = (
                float(parameters[key]) == value if number else parameters[key].lower() == str(value).lower()
            )
            assert same, key
    # The failed trial is done after all, and one came out otherwise: these two are written again.
    handmade.write(folder / "again", {"test": np.ones((3, 2, 60), bool)}, same=[0, 1, 0])
    for key in ("trial-1-0", "trial-0-1"):
        again, kept = Ledger(folder / "again").trial(key), Ledger(folder).trial(key)
        kept.begin(again.config)
        kept.write_epochs(again.epochs())
        kept.finish(again.result, {"test": again.predictions("test")})
    assert "2 runs written, 3 in all" in logged(folder, name)[0]
    found = READERS[name](folder)
    assert len(found) == 3
    assert found["t1, max_len 8", 0][1]["test/accuracy"] == 1.0


def test_trials_are_written_as_they_end(folder):
    log = TrackerLog(Ledger(folder), "made", ["jsonl"], pytest.fail)
    log.trial("trial-0-1")
    assert read_jsonl(folder).keys() == {("t0, max_len 8", 1)}
    log.trial("trial-1-1")  # did not end
    log.everything()
    assert len(read_jsonl(folder)) == 3


def test_a_tracker_that_fails_is_one_warning(folder, monkeypatch):
    class Broken:
        place = "nowhere"

        def __init__(self, folder, study):
            self.tries = 0

        def write(self, run):
            raise ConnectionError("no server\nat all")

    monkeypatch.setitem(TRACKERS, "mlflow", Broken)
    complaints = []
    lines = TrackerLog(Ledger(folder), "made", ["mlflow", "jsonl"], complaints.append).everything()
    assert complaints == [
        "--log mlflow: failed (ConnectionError: no server); trials are kept, so write them later with "
        f"trimtab report {folder} --log mlflow"
    ]
    assert len(lines) == 1
    assert len(read_jsonl(folder)) == 3


def test_a_file_of_others_is_left_alone(folder):
    (folder / "log").mkdir()
    (folder / "log" / "trials.jsonl").write_text("mine\n")
    complaints = []
    TrackerLog(Ledger(folder), "made", ["jsonl"], complaints.append).everything()
    assert "holds a line that is not a trial's; move the file away" in complaints[0]
    assert (folder / "log" / "trials.jsonl").read_text() == "mine\n"


@pytest.mark.parametrize("name", ["tensorboard", "wandb", "mlflow"])
def test_a_missing_package_is_named(tmp_path, monkeypatch, name):
    parts = {
        "tensorboard": "tensorboard.summary.writer.event_file_writer",
        "wandb": "wandb",
        "mlflow": "mlflow.tracking",
    }
    monkeypatch.setitem(sys.modules, parts[name], None)
    with pytest.raises(InputError, match=rf"--log {name}: .*pip install 'trimtab\[{name}\]'"):
        TrackerLog(Ledger(tmp_path), "made", [name], pytest.fail)


def test_an_unknown_tracker_is_named(tmp_path):
    with pytest.raises(InputError, match=r"--log tensorbord: .*did you mean 'tensorboard'"):
        TrackerLog(Ledger(tmp_path), "made", ["tensorbord"], pytest.fail)
    assert not list(Path(tmp_path).iterdir())
