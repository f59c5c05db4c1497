"""Readers whose labels are relevance or scores: small files, and the counts of the published ones."""

import gzip

import numpy as np
import pytest

from trimtab.config import InputError
from trimtab.data import read

HEADER = "QuestionID\tQuestion\tDocumentID\tDocumentTitle\tSentenceID\tSentence\tLabel"
WIKIQA = "\n".join(
    [
        HEADER,
        "Q1\thow deep is it?\tD1\tLake\tD1-0\tIt is deep .\t0",
        "Q1\thow deep is it?\tD1\tLake\tD1-1\tIt is 9 m deep .\t1",
        "Q2\twho owns it?\tD1\tLake\tD1-0\tIt is deep .\t0",
    ]
)
SICK = (
    "pair_ID\tsentence_A\tsentence_B\trelatedness_score\tentailment_judgment\n"
    "1\tA dog runs\tA dog is running\t4.5\tENTAILMENT\n2\tA dog runs\tA cat sleeps\t1.2\tNEUTRAL\n"
)
STSB = (
    "index\tgenre\tfilename\tyear\told_index\tsource1\tsource2\tsentence1\tsentence2\tscore\n"
    "0\tnews\tf\t2012\t1\tnone\tnone\tA plane.\tAn air plane.\t5.000\n"
    "1\tnews\tf\t2012\t2\tnone\tnone\tA man.\tA dog.\t0.250\n"
)


@pytest.fixture
def write(tmp_path):
    def made(name, content):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(gzip.compress(content.encode()) if name.endswith(".gz") else content.encode())
        return tmp_path

    return made


@pytest.mark.parametrize("name", ["wikiqa/WikiQA-train.tsv", "WikiQACorpus/WikiQA-train.tsv.gz"])
def test_wikiqa_is_a_ranking_or_two_classes(write, name):
    root = write(name, WIKIQA)
    found = read("wikiqa", "train", root, target="relevance")
    assert found.labels.tolist() == [0.0, 1.0, 0.0]
    assert found.queries.tolist() == [0, 0, 1]
    assert found.clusters.tolist() == [0, 0, 0]  # one article
    assert found.label_names == ()
    classes = read("wikiqa", "train", root)
    assert (classes.labels.tolist(), classes.label_names, classes.queries) == ([0, 1, 0], ("0", "1"), None)


def test_wikiqa_without_questions_that_nothing_answers(write):
    found = read("wikiqa", "train", write("wikiqa/WikiQA-train.tsv", WIKIQA), questions="answered")
    assert (len(found), found.dropped) == (2, 1)


def test_a_truncated_archive_is_told(write, tmp_path):
    path = write("wikiqa/WikiQA-train.tsv.gz", WIKIQA) / "wikiqa" / "WikiQA-train.tsv.gz"
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(InputError, match="is truncated or corrupt"):
        read("wikiqa", "train", tmp_path)


def test_sick_has_scores_and_classes(write):
    root = write("SICK/SICK_train.txt", SICK)
    assert read("sick", "train", root, target="score").labels.tolist() == [4.5, 1.2]
    assert read("sick", "train", root).labels.tolist() == [0, 2]


def test_stsb_has_scores(write):
    root = write("STS-B/train.tsv", STSB)
    found = read("glue", "train", root, task="stsb", target="score")
    assert (found.labels.tolist(), found.second) == ([5.0, 0.25], ["An air plane.", "A dog."])
    with pytest.raises(InputError, match="the labels of task 'stsb' are a target = 'score'"):
        read("glue", "train", root, task="stsb")
    with pytest.raises(InputError, match="the labels of task 'mrpc' are a target = 'classes'"):
        read("glue", "train", root, task="mrpc", target="score")


def test_a_table_of_rankings(write):
    root = write("t.csv", "q,p,y,topic\nwho,he,1,a\nwho,she,0,a\nwhat,it,2,b\n")
    options = {"file": "t.csv", "first": "q", "second": "p", "label": "y", "target": "relevance"}
    found = read("table", "train", root, **options)
    assert found.queries.tolist() == found.clusters.tolist() == [0, 0, 1]  # the first text
    by_topic = read("table", "train", root, **options, query="topic")
    assert by_topic.queries.tolist() == [0, 0, 1]
    part = found.take([2, 1])
    assert part.queries.tolist() == [1, 0]
    with pytest.raises(InputError, match="option 'query' is for target = 'relevance'"):
        read("table", "train", root, **(options | {"target": "classes"}), query="topic")
    with pytest.raises(InputError, match="option 'labels' names classes"):
        read("table", "train", root, **options, labels=["0", "1"])


def test_a_sample_of_rankings_has_whole_queries():
    found = read("probe", "train", target="relevance", train=400, sample=80, candidates=8)
    assert np.bincount(found.queries).tolist() == [8] * 10
    assert np.bincount(found.queries, found.labels).tolist() == [2.0] * 10


@pytest.mark.parametrize(
    ("split", "rows", "questions", "answered"),
    [("train", 20_360, 2_118, 873), ("validation", 2_733, 296, 126), ("test", 6_165, 633, 243)],
)
def test_the_published_wikiqa(shared_data, split, rows, questions, answered):
    found = read("wikiqa", split, shared_data, target="relevance")
    assert (len(found), found.queries.max() + 1) == (rows, questions)
    assert len(np.unique(found.queries[found.labels > 0])) == answered


@pytest.mark.parametrize(("split", "rows"), [("train", 4_500), ("validation", 500), ("test", 4_927)])
def test_the_published_sick(shared_data, split, rows):
    found = read("sick", split, shared_data, target="score")
    assert (len(found), found.labels.min(), found.labels.max()) == (rows, 1.0, 5.0)
