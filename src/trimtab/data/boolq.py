"""BoolQ (Clark et al., 2019): yes/no questions, each with a passage that holds the answer."""

from pathlib import Path

from pydantic import Field

from trimtab.config import InputError, StrictModel
from trimtab.data import files
from trimtab.data.examples import Examples, Gathering
from trimtab.data.places import locate
from trimtab.data.reader import Facts, Reader
from trimtab.data.table import column_names, label_text

LABELS = ("false", "true")
ORIGIN = "https://github.com/google-research-datasets/boolean-questions"
# The published test split has no answers, so the field evaluates on the development split, SuperGLUE's val.
_DEV = ("dev.jsonl", "val.jsonl")
_FILES = {"train": ("train.jsonl",), "validation": _DEV, "test": _DEV}
SPLITS = tuple(_FILES)
_FOLDERS = ("boolq", "BoolQ")


class Options(StrictModel):
    """Options of reader ``boolq``."""

    file: str | None = Field(None, description="a file with the same keys to read instead of the split's own")


def read(split: str, root: Path | None, options: Options) -> Examples:
    """Questions (first), passages (second) and answers; the cluster of a row is its passage.

    Looks below ``root``, else TRIMTAB_DATA, for a folder boolq or BoolQ. The key of the answer is ``answer``,
    as published, or ``label``, as in SuperGLUE.
    Raises InputError, as FILE:LINE if a line is wrong.
    """
    names = [f"{folder}/{file}" for file in _FILES[split] for folder in _FOLDERS]
    path = files.find(options.file, root) if options.file else locate(root, names, ORIGIN)
    if files.ending(path) not in (".jsonl", ".ndjson", ".json"):
        raise InputError(f"{path}: BoolQ is a JSON Lines file; name one that ends in .jsonl")
    label = _label_key(path)
    gathering = Gathering(str(path), LABELS)
    with files.open_binary(path) as stream:
        for number, values in files.json_rows(stream, str(path), ("question", "passage", label)):
            where = f"{path}:{number}"
            question = files.filled(values[0], where, "question")
            passage = files.filled(values[1], where, "passage")
            answer = files.filled(label_text(values[2]), where, label)
            gathering.add(number, answer, question, passage, passage)
    return gathering.examples()


def _label_key(path: Path) -> str:
    known = column_names(str(path), None)
    return "label" if "label" in known and "answer" not in known else "answer"


READER = Reader(
    read=read,
    options=Options,
    text_forms=("sentence",),
    own_validation=False,
    facts={
        "boolq": Facts(
            what="BoolQ: does a passage answer a yes/no question with yes?",
            columns="first: question, second: passage, label: answer, else label (true, false)",
            labels=", ".join(LABELS),
            metric="accuracy",
            clusters="the passage",
            rows="train 9,427, validation = test 3,270",
            licence="CC BY-SA 3.0",
            origin=ORIGIN,
        )
    },
)
