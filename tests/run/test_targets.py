"""Studies whose labels are scores or relevance, from the file to the report, against plain loops."""

import numpy as np
import pytest
from scipy import stats

from trimtab.analysis.analysis import analyse
from trimtab.config import InputError
from trimtab.data import read
from trimtab.deploy import exported
from trimtab.deploy.export import export
from trimtab.deploy.prediction import predict
from trimtab.ledger.ledger import Ledger
from trimtab.notebook import Ledger as NotebookLedger
from trimtab.plan.plan import plan_study
from trimtab.plan.show import show_row
from trimtab.report.page import write
from trimtab.run.runner import run
from trimtab.statistics import SCORES, Truth
from trimtab.study.definition import load

pytestmark = pytest.mark.integration

RANKINGS = """
question = "What does a cut cost a ranking?"
[data]
reader = "probe"
target = "relevance"
train = 160
test = 64
candidates = 8
first_length = [3, 5]
second_length = [6, 12]
min_freq = 1
[base]
size = "1x16/16/2"
epochs = 1
batch_size = 32
precision = "fp32"
[grid]
max_len = [10, 24]
seeds = 2
[compare]
score = "map"
margin = "1 points"
cross = true
"""
SCORED = """
question = "What does a cut cost a correlation?"
[data]
reader = "table"
target = "score"
first = "a"
second = "b"
label = "y"
min_freq = 1
[data.train]
file = "train.csv"
[data.test]
file = "test.csv"
[base]
size = "1x16/16/2"
epochs = 1
precision = "fp32"
[grid]
max_len = [8, 16]
seeds = 2
[compare]
margin = 0.05
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("targets")
    rng = np.random.default_rng(0)
    for name, rows in (("train", 60), ("test", 40)):
        lines = [
            f"{' '.join(rng.choice(list('pqrs'), 6))},{' '.join(rng.choice(list('tuvw'), 5))},{value:.2f}"
            for value in rng.normal(3, 1, rows)
        ]
        (folder / f"{name}.csv").write_text("a,b,y\n" + "\n".join(lines) + "\n")
    return folder


@pytest.fixture(scope="module")
def ran(folder):
    """ran(name, text): the ledger of a study that has run."""
    made = {}

    def ledger(name, text):
        if name not in made:
            (folder / f"{name}.toml").write_text(text)
            outcome = run(load(folder / f"{name}.toml"), folder, folder / name, jobs=1, device="cpu")
            assert not outcome.failures
            made[name] = Ledger(folder / name)
        return made[name]

    return ledger


def naive_precision(outputs, labels):
    """Of one query; equal outputs in the reverse of their order."""
    order = sorted(range(len(outputs)), key=lambda i: (-outputs[i], -i))
    hits, total = 0, 0.0
    for rank, place in enumerate(order, 1):
        if labels[place]:
            hits += 1
            total += hits / rank
    return total / hits


def test_a_ranking_is_judged_query_by_query(ran):
    ledger = ran("rankings", RANKINGS)
    study, rows = ledger.study, ledger.evaluated("test")
    assert study.target == "relevance"
    assert study.labels == ()
    assert len(rows.truth) == 8
    [test] = analyse(ledger).tests
    assert (test.queries, test.examples, test.clusters) == (8, 64, 8)
    for row in test.means:
        for seed, mean in zip(row.seeds, row.by_seed, strict=True):
            outputs = ledger.trial(row.variant.trials[seed]).predictions("test")[:, 0]
            by_query = [
                naive_precision(outputs[rows.queries == q], rows.labels[rows.queries == q]) for q in range(8)
            ]
            assert mean == pytest.approx(np.mean(by_query))
    uncut = {row.variant.max_len: row.ceiling for row in test.means}
    assert uncut[24] == 1.0
    assert test.prior_baseline < uncut[10] < 1.0
    assert test.cross is not None
    assert 0 < test.contrasts[0].affected_share <= 1
    assert NotebookLedger(ledger.folder).scores().shape == (2, 2, 8)


def test_rows_are_shown_by_how_far_their_outputs_are_apart(ran, folder):
    ledger = ran("rankings", RANKINGS)
    [test] = analyse(ledger).tests
    spreads = [row.disagreement for row in test.rows]
    assert spreads == sorted(spreads, reverse=True)
    assert spreads[0] > 0
    outputs = [one.output for cut in test.rows[0].cuts for one in cut.said]
    assert max(outputs) - min(outputs) == pytest.approx(spreads[0])
    [shown] = show_row(load(folder / "rankings.toml"), 5)
    assert (shown.target, shown.label) == ("relevance", f"{ledger.evaluated('test').labels[5]:g}")


def test_scores_are_judged_by_their_correlation(ran):
    ledger = ran("scored", SCORED)
    assert ledger.study.compare.score == "spearman"
    [test] = analyse(ledger).tests
    labels = ledger.evaluated("test").labels
    for row in test.means:
        for seed, mean in zip(row.seeds, row.by_seed, strict=True):
            outputs = ledger.trial(row.variant.trials[seed]).predictions("test")
            assert mean == pytest.approx(SCORES["spearman"].of(outputs[None], Truth(labels))[0].mean())
            assert mean == pytest.approx(stats.spearmanr(outputs[:, 0], labels)[0], abs=0.15)
    result = ledger.trial(test.means[0].variant.trials[0]).result
    outputs = ledger.trial(test.means[0].variant.trials[0]).predictions("test")[:, 0]
    assert result.tests["test"].loss == pytest.approx(np.square(outputs - labels).mean(), rel=1e-5)
    assert result.tests["test"].accuracy is None


def test_an_exported_model_predicts_relevance(ran, tmp_path):
    ledger = ran("rankings", RANKINGS)
    chosen, _ = export(ledger, "max_len 10", tmp_path / "model")
    texts = read("probe", "test", target="relevance", test=64, first_length=[3, 5], second_length=[6, 12])
    found = predict(exported.read(tmp_path / "model"), texts.first, texts.second)
    logits = chosen.trial.predictions("test")[:, 0]
    np.testing.assert_allclose(found.scores, 1 / (1 + np.exp(-logits)), atol=1e-5)


@pytest.mark.parametrize(("name", "text"), [("rankings", RANKINGS), ("scored", SCORED)])
def test_a_report_is_written(ran, name, text):
    ledger = ran(name, text)
    write(ledger.folder)
    words = (ledger.folder / "report.md").read_text()
    assert SCORES[ledger.study.compare.score].name in words
    assert "accuracy" not in words


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('score = "map"', 'score = "accuracy"', "is for target = 'classes'"),
        ('score = "map"', "", "score 'ndcg@10' has none by default"),
        ("precision", 'class_weights = "balanced"\nprecision', "class_weights = 'balanced' is for classes"),
        ("precision", 'evaluate = "best_accuracy"\nprecision', "take 'best_loss'"),
        ('target = "relevance"', 'target = "rank"', "target"),
        ("candidates = 8", "candidates = 100", "raise train and test"),
    ],
)
def test_what_does_not_fit_is_told(tmp_path, old, new, message):
    text = RANKINGS.replace(old, new)
    if not new:
        text = text.replace('margin = "1 points"', "")
    (tmp_path / "study.toml").write_text(text)
    with pytest.raises(InputError, match=message):
        plan_study(load(tmp_path / "study.toml"))


def test_a_reader_of_classes_alone_is_told(tmp_path):
    own = RANKINGS[RANKINGS.index("train") : RANKINGS.index("min_freq")]
    (tmp_path / "study.toml").write_text(RANKINGS.replace(own, "").replace("probe", "snli"))
    with pytest.raises(InputError, match="reader 'snli' reads no relevance; take target = 'classes'"):
        load(tmp_path / "study.toml")


@pytest.mark.parametrize(
    ("target", "rows", "message"),
    [
        ("relevance", ["q,p,0", "q,r,high"], "'high' is not a grade"),
        ("relevance", ["q,p,0", "q,r,-1"], "'-1' is not a grade"),
        ("relevance", ["q,p,0", "s,r,0.5"], "'0.5' is not a grade"),
        ("score", ["q,p,1.5", "s,r,good"], "'good' is not a number"),
        ("score", ["q,p,1.5", "s,r,nan"], "'nan' is not a number"),
        ("relevance", ["q,p,0", "s,r,0"], "every row has the label '0'"),
        ("relevance", ["q,p,0", "q,r,1"], "belong to one query"),
        ("relevance", ["q,p,1", "s,r,1", "t,u,0"], "any ranking is right"),
        ("relevance", ["q,p,1", "q,r,0", "t,u,0"], "has one query with a relevant row"),
    ],
)
def test_wrong_labels_are_told(tmp_path, target, rows, message):
    (tmp_path / "t.csv").write_text("a,b,y\n" + "\n".join(rows * 20) + "\n")
    (tmp_path / "v.csv").write_text("a,b,y\n" + "\n".join(rows * 20) + "\n")
    text = SCORED.replace('"score"', f'"{target}"').replace("train.csv", "t.csv").replace("test.csv", "v.csv")
    (tmp_path / "study.toml").write_text(text + ('score = "map"\n' if target == "relevance" else ""))
    with pytest.raises(InputError, match=message):
        plan_study(load(tmp_path / "study.toml"), tmp_path)


def test_a_test_set_without_a_relevant_row_is_told(tmp_path):
    (tmp_path / "t.csv").write_text("a,b,y\n" + "q,p,1\ns,r,0\n" * 20)
    (tmp_path / "v.csv").write_text("a,b,y\n" + "q,p,0\ns,r,0\n" * 20)
    text = SCORED.replace('"score"', '"relevance"').replace("train.csv", "t.csv").replace("test.csv", "v.csv")
    (tmp_path / "study.toml").write_text(text + 'score = "map"\n')
    with pytest.raises(InputError, match="no row of test is relevant to its query"):
        plan_study(load(tmp_path / "study.toml"), tmp_path)


def test_a_test_set_whose_scores_do_not_vary_is_told(tmp_path, folder):
    (tmp_path / "train.csv").write_text((folder / "train.csv").read_text())
    (tmp_path / "test.csv").write_text("a,b,y\nq,p,2\ns,r,2\n")
    (tmp_path / "study.toml").write_text(SCORED)
    with pytest.raises(InputError, match="every score of test is 2, with which nothing correlates"):
        plan_study(load(tmp_path / "study.toml"), tmp_path)


def test_a_query_lies_in_one_cluster(tmp_path):
    (tmp_path / "t.csv").write_text("a,b,y,c\nq,p,1,one\nq,r,0,two\n")
    text = SCORED.replace('"score"', '"relevance"').replace("train.csv", "t.csv").replace("test.csv", "t.csv")
    text = text.replace('label = "y"', 'label = "y"\ncluster = "c"') + 'score = "map"\n'
    (tmp_path / "study.toml").write_text(text)
    with pytest.raises(InputError, match="query 'q' has the clusters 'one' and 'two'"):
        plan_study(load(tmp_path / "study.toml"), tmp_path)
