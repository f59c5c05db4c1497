"""SICK (Marelli et al., 2014): how related two sentences are, and whether one follows from the other."""

from pathlib import Path
from typing import Literal

from pydantic import Field

from trimtab.config import StrictModel
from trimtab.data import files
from trimtab.data.examples import Examples, Gathering
from trimtab.data.places import locate
from trimtab.data.reader import Facts, Reader

ORIGIN = "https://alt.qcri.org/semeval2014/task1/"
LABELS = ("ENTAILMENT", "CONTRADICTION", "NEUTRAL")
_FILES = {"train": "SICK_train.txt", "validation": "SICK_trial.txt", "test": "SICK_test_annotated.txt"}
_FOLDERS = ("sick", "SICK")
_LABEL = {"classes": "entailment_judgment", "score": "relatedness_score"}


class Options(StrictModel):
    """Options of reader ``sick``."""

    target: Literal["classes", "score"] = Field(
        "classes", description="what to learn: the entailment judgment, or the relatedness from 1 to 5"
    )
    file: str | None = Field(
        None, description="a file with the same columns to read instead of the split's own"
    )


def read(split: str, root: Path | None, options: Options) -> Examples:
    """Sentences A (first) and B (second) with their relatedness or judgment; each row is its own cluster.

    Looks below ``root``, else TRIMTAB_DATA, for a folder sick or SICK with the files of SemEval 2014.
    Raises InputError, as FILE:LINE if a line is wrong.
    """
    names = [f"{folder}/{_FILES[split]}" for folder in _FOLDERS]
    path = files.find(options.file, root) if options.file else locate(root, names, ORIGIN)
    column = _LABEL[options.target]
    gathering = Gathering(str(path), LABELS, target=options.target)
    with files.open_binary(path) as stream:
        for number, values in files.tab_rows(stream, str(path), ("sentence_A", "sentence_B", column)):
            where = f"{path}:{number}"
            first = files.filled(values[0], where, "sentence_A")
            second = files.filled(values[1], where, "sentence_B")
            gathering.add(number, files.filled(values[2], where, column), first, second)
    return gathering.examples()


READER = Reader(
    read=read,
    options=Options,
    text_forms=("sentence",),
    targets=("classes", "score"),
    facts={
        "sick": Facts(
            what="SICK: how related are two sentences (1 to 5), and does one follow from the other?",
            columns="first: sentence_A, second: sentence_B, label: relatedness_score or entailment_judgment",
            labels=", ".join(LABELS),
            metric="Pearson correlation, or accuracy",
            clusters="each row its own",
            rows="train 4,500, validation 500, test 4,927",
            licence="CC BY-NC-SA 3.0",
            origin=ORIGIN,
        )
    },
)
