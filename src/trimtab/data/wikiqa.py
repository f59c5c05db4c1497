"""WikiQA (Yang, Yih and Meek, 2015): questions, each with the sentences of one article; which answer it?"""

from pathlib import Path
from typing import Literal

from pydantic import Field

from trimtab.config import StrictModel
from trimtab.data import files
from trimtab.data.examples import Examples, Gathering
from trimtab.data.places import locate
from trimtab.data.reader import Facts, Reader

ORIGIN = "https://www.microsoft.com/en-us/download/details.aspx?id=52419"
LABELS = ("0", "1")
_COLUMNS = ("QuestionID", "Question", "DocumentID", "Sentence", "Label")
_PARTS = {"train": "train", "validation": "dev", "test": "test"}
_FOLDERS = ("wikiqa", "WikiQA", "WikiQACorpus")


class Options(StrictModel):
    """Options of reader ``wikiqa``."""

    target: Literal["classes", "relevance"] = Field(
        "classes", description="what the labels are: two classes, or how relevant a sentence is to its query"
    )
    file: str | None = Field(
        None, description="a file with the same columns to read instead of the split's own"
    )
    questions: Literal["all", "answered"] = Field(
        "all", description="all questions, or those alone that some sentence answers"
    )


def read(split: str, root: Path | None, options: Options) -> Examples:
    """Questions (first), sentences (second), and whether a sentence answers its question: 0 or 1.

    A row's query is its question, and its cluster the article. Looks below ``root``, else TRIMTAB_DATA, for a
    folder wikiqa, WikiQA or WikiQACorpus with WikiQA-train.tsv and so on, plain or with .gz.
    Raises InputError, as FILE:LINE if a line is wrong.
    """
    names = [f"{folder}/WikiQA-{_PARTS[split]}.tsv{end}" for folder in _FOLDERS for end in ("", ".gz")]
    path = files.find(options.file, root) if options.file else locate(root, names, ORIGIN)
    gathering = Gathering(str(path), LABELS, target=options.target)
    with files.open_binary(path) as stream:
        rows = list(files.tab_rows(stream, str(path), _COLUMNS))
    answered = {values[0] for _, values in rows if values[4] not in ("0", "")}
    for number, (question, first, document, second, label) in rows:
        where = f"{path}:{number}"
        if options.questions == "answered" and question not in answered:
            gathering.dropped += 1
            continue
        files.filled(question, where, "QuestionID")
        files.filled(first, where, "Question")
        files.filled(second, where, "Sentence")
        gathering.add(number, label, first, second, document, query=question)
    return gathering.examples()


READER = Reader(
    read=read,
    options=Options,
    text_forms=("sentence",),
    targets=("classes", "relevance"),
    facts={
        "wikiqa": Facts(
            what="WikiQA: which sentences of an article answer a question? A ranking, or two classes",
            columns="first: Question, second: Sentence, label: Label (0, 1), query: QuestionID",
            labels="0, 1",
            metric="MAP, MRR",
            clusters="the article (DocumentID)",
            rows="train 20,360, validation 2,733, test 6,165; questions 2,118, 296, 633, of which 873, 126, "
            "243 have an answer",
            licence="Microsoft Research data licence, for research",
            origin=ORIGIN,
        )
    },
)
