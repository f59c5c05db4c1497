"""Seven tasks of GLUE (Wang et al., 2019) in the published files: one folder per task, tab-separated."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import Field

from trimtab.config import InputError, StrictModel
from trimtab.data import files
from trimtab.data.examples import Examples, Gathering, renamed
from trimtab.data.places import locate
from trimtab.data.reader import Facts, Reader
from trimtab.data.table import header_of
from trimtab.data.target import Target

_DATA = "https://dl.fbaipublicfiles.com/glue/data"
_SENTEVAL = "https://dl.fbaipublicfiles.com/senteval/senteval_data"
_ENTAILED = {"entailment": "entailment", "not_entailment": "not_entailment"}
_OWN = "each row its own"


@dataclass(frozen=True)
class Task:
    """One task: its folder, its columns, and the names of its labels by their form in the files.

    ``label`` names the columns that may hold it; the first that exists is used. ``clustered``: whether rows
    with the same first text were sampled together; ``broken``: whether the published files have lines with
    too few columns or without a text, which are left out. ``target``: what its labels are.
    """

    folder: str
    first: str
    second: str | None
    label: tuple[str, ...]
    labels: Mapping[str, str]
    clustered: bool
    facts: Facts
    broken: bool = False
    target: Target = "classes"

    @property
    def texts(self) -> list[str]:
        """The columns of the texts."""
        return [self.first] if self.second is None else [self.first, self.second]


TASKS = {
    "mrpc": Task(
        folder="MRPC",
        first="#1 String",
        second="#2 String",
        label=("Quality",),
        labels={"0": "not_equivalent", "1": "equivalent"},
        clustered=False,
        facts=Facts(
            what="Microsoft Research Paraphrase Corpus: do two sentences from the news say the same?",
            columns="first: #1 String, second: #2 String, label: Quality (0, 1); quotes are text",
            labels="not_equivalent, equivalent",
            metric="accuracy, F1",
            clusters=_OWN,
            rows="train 3,668, validation = test 408",
            licence="none stated with GLUE",
            origin=f"{_SENTEVAL}/msr_paraphrase_train.txt, split into train.tsv and dev.tsv by the ids of "
            f"{_DATA}/mrpc_dev_ids.tsv",
        ),
    ),
    "rte": Task(
        folder="RTE",
        first="sentence1",
        second="sentence2",
        label=("label",),
        labels=_ENTAILED,
        clustered=True,
        facts=Facts(
            what="Recognising Textual Entailment 1, 2, 3 and 5: does a sentence follow from a text?",
            columns="first: sentence1, second: sentence2, label: label",
            labels="entailment, not_entailment",
            metric="accuracy",
            clusters="the first text",
            rows="train 2,490, validation = test 277",
            licence="none stated with GLUE",
            origin=f"{_DATA}/RTE.zip",
        ),
    ),
    "qnli": Task(
        folder="QNLI",
        first="question",
        second="sentence",
        label=("label",),
        labels=_ENTAILED,
        clustered=True,
        facts=Facts(
            what="SQuAD as pairs: does the sentence hold the answer to the question?",
            columns="first: question, second: sentence, label: label",
            labels="entailment, not_entailment",
            metric="accuracy",
            clusters="the question",
            rows="train 104,743, validation = test 5,463",
            licence="CC BY-SA 4.0, as SQuAD",
            origin=f"{_DATA}/QNLIv2.zip",
        ),
    ),
    "qqp": Task(
        folder="QQP",
        first="question1",
        second="question2",
        label=("is_duplicate",),
        labels={"0": "not_duplicate", "1": "duplicate"},
        clustered=True,
        broken=True,
        facts=Facts(
            what="Quora Question Pairs: do two questions ask the same?",
            columns="first: question1, second: question2, label: is_duplicate (0, 1); broken lines are "
            "left out and counted",
            labels="not_duplicate, duplicate",
            metric="accuracy, F1",
            clusters="the first question",
            rows="train 363,846, validation = test 40,430",
            licence="Quora's terms of service, not for commercial use",
            origin=f"{_DATA}/QQP-clean.zip",
        ),
    ),
    "mnli": Task(
        folder="MNLI",
        first="sentence1",
        second="sentence2",
        label=("gold_label", "label"),
        labels={name: name for name in ("entailment", "neutral", "contradiction")},
        clustered=True,
        facts=Facts(
            what="Multi-Genre Natural Language Inference; dev of the same genres (matched) and of others",
            columns="first: sentence1, second: sentence2, label: gold_label, else label ('-' for none)",
            labels="entailment, neutral, contradiction",
            metric="accuracy",
            clusters="the premise",
            rows="train 392,702, validation_matched = validation = test 9,815, validation_mismatched 9,832",
            licence="MultiNLI's own, mostly OANC",
            origin=f"{_DATA}/MNLI.zip",
        ),
    ),
    "stsb": Task(
        folder="STS-B",
        first="sentence1",
        second="sentence2",
        label=("score",),
        labels={},
        clustered=False,
        target="score",
        facts=Facts(
            what="Semantic Textual Similarity Benchmark: how similar are two sentences, from 0 to 5?",
            columns="first: sentence1, second: sentence2, label: score (needs target = 'score')",
            labels="numbers from 0 to 5",
            metric="Pearson and Spearman correlation",
            clusters=_OWN,
            rows="train 5,749, validation = test 1,500",
            licence="none stated with GLUE",
            origin=f"{_DATA}/STS-B.zip",
        ),
    ),
    "sst2": Task(
        folder="SST-2",
        first="sentence",
        second=None,
        label=("label",),
        labels={"0": "negative", "1": "positive"},
        clustered=False,
        facts=Facts(
            what="Stanford Sentiment Treebank: is a phrase of a film review positive? A single text",
            columns="first: sentence, label: label (0, 1)",
            labels="negative, positive",
            metric="accuracy",
            clusters=_OWN,
            rows="train 67,349, validation = test 872",
            licence="none stated with GLUE",
            origin=f"{_DATA}/SST-2.zip",
        ),
    ),
}
# The published test splits have no labels, so the field evaluates on the development split.
_FILES = {"train": "train.tsv", "validation": "dev.tsv", "test": "dev.tsv"}
_MATCHED = {"validation_matched": "dev_matched.tsv", "validation_mismatched": "dev_mismatched.tsv"}
_MNLI = {"train": "train.tsv", "validation": "dev_matched.tsv", "test": "dev_matched.tsv", **_MATCHED}
SPLITS = tuple(_MNLI)
_ENDINGS = (".tsv", ".txt", ".csv")
_WITHOUT_GOLD = "-"  # in the files of MultiNLI itself, where the annotators reached no majority


class Options(StrictModel):
    """Options of reader ``glue``."""

    task: Literal["mrpc", "rte", "qnli", "qqp", "mnli", "stsb", "sst2"] = Field(description="which task")
    target: Literal["classes", "score"] = Field(
        "classes", description="what the labels are: a score for stsb"
    )
    file: str | None = Field(
        None, description="a file with the task's columns, .tsv or .csv, to read instead of the split's own"
    )


def read(split: str, root: Path | None, options: Options) -> Examples:
    """The rows of one task and split; those that have no gold label, or are broken, are counted as dropped.

    Looks below ``root``, else TRIMTAB_DATA, for the task's folder, such as RTE with train.tsv and dev.tsv.
    In .tsv quotes are ordinary characters, in .csv as in RFC 4180.
    Raises InputError, as FILE:LINE if a line is wrong.
    """
    task = TASKS[options.task]
    if task.target != options.target:
        raise InputError(
            f"reader 'glue': the labels of task {options.task!r} are a target = {task.target!r}, not "
            f"{options.target!r}; set it in [data]"
        )
    path = files.find(options.file, root) if options.file else _own_file(options.task, split, root)
    gathering = Gathering(str(path), tuple(task.labels.values()), target=task.target)
    broken: list[int] = []
    for number, (label, *texts) in _rows(path, task, broken):
        if task.broken and not all(text.strip() for text in texts):
            broken.append(number)
        elif label == _WITHOUT_GOLD:
            gathering.dropped += 1
        else:
            _add(gathering, number, label, texts, task)
    gathering.dropped += len(broken)
    return gathering.examples()


def _add(gathering: Gathering, number: int, label: str, texts: list[str], task: Task) -> None:
    where = f"{gathering.source}:{number}"
    for text, column in zip(texts, task.texts, strict=True):
        files.filled(text, where, column)
    second = texts[1] if task.second else None
    cluster = texts[0] if task.clustered else None
    label = renamed(label, task.labels, where) if task.target == "classes" else label
    gathering.add(number, label, texts[0], second, cluster)


def _own_file(name: str, split: str, root: Path | None) -> Path:
    known = _MNLI if name == "mnli" else _FILES
    if split not in known:
        raise InputError(f"reader 'glue': task {name!r} has no split {split!r}; take 'train' or 'validation'")
    task = TASKS[name]
    return locate(root, (f"{task.folder}/{known[split]}",), task.facts.origin)


def _rows(path: Path, task: Task, broken: list[int]) -> Iterator[files.Row]:
    """Line number, label and texts of each row."""
    if files.ending(path) not in _ENDINGS:
        raise InputError(
            f"{path}: GLUE files end in {', '.join(_ENDINGS)}; for another file use reader = 'table'"
        )
    header = header_of(path)
    wanted = [next((name for name in task.label if name in header), task.label[0]), *task.texts]
    with files.open_binary(path) as stream:
        if files.ending(path) == ".csv":
            yield from files.csv_rows(stream, str(path), wanted)
        else:
            yield from files.tab_rows(stream, str(path), wanted, broken=broken if task.broken else None)


READER = Reader(
    read=read,
    options=Options,
    text_forms=("sentence",),
    splits=SPLITS,
    own_validation=False,
    targets=("classes", "score"),
    facts={name: task.facts for name, task in TASKS.items()},
)
