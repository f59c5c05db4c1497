"""Names that columns of public data sets have, by what they are; compared in small letters and digits."""

import re

FIRST_TEXTS = [
    "premise",
    "sentence1",
    "sentencea",
    "text1",
    "texta",
    "question1",
    "query",
    "question",
    "headline",
    "claim",
    "title",
    "subject",
    "first",
    "left",
    "source",
    "anchor",
]
SECOND_TEXTS = [
    "hypothesis",
    "sentence2",
    "sentenceb",
    "text2",
    "textb",
    "question2",
    "passage",
    "document",
    "answer",
    "article",
    "articlebody",
    "body",
    "evidence",
    "abstract",
    "message",
    "response",
    "reply",
    "second",
    "right",
    "candidate",
    "paragraph",
    "sentence",
    "context",
    "content",
    "description",
    "text",
    "review",
    "comment",
]
LABELS = [
    "label",
    "goldlabel",
    "labels",
    "target",
    "class",
    "category",
    "stance",
    "sentiment",
    "judgment",
    "judgement",
    "entailmentjudgment",
    "entailmentlabel",
    "isduplicate",
    "duplicate",
    "relevance",
    "relevant",
    "rating",
    "stars",
    "score",
    "relatednessscore",
    "similarity",
    "acceptability",
    "intent",
    "topic",
    "grade",
    "toxic",
    "spam",
    "answer",
    "y",
]
QUERIES = ["queryid", "qid", "questionid", "topicid", "searchid", "query", "question"]
QUERY_TEXTS = ("query", "question", "search", "searchquery")
CLUSTERS = [
    "cluster",
    "clusterid",
    "group",
    "groupid",
    "documentid",
    "docid",
    "articleid",
    "bodyid",
    "passageid",
    "captionid",
    "promptid",
    "userid",
    "author",
    "patient",
    "patientid",
    "thread",
    "threadid",
    "conversation",
    "conversationid",
    "dialogueid",
    "session",
    "sessionid",
    "customer",
    "customerid",
    "speaker",
    "speakerid",
]
SPLIT_COLUMNS = ("split", "set", "subset", "fold", "partition")
# What columns of splits hold.
SPLITS = {
    "train": ("train", "training"),
    "validation": ("validation", "valid", "val", "dev", "development", "trial"),
    "test": ("test", "testing", "eval", "evaluation", "heldout"),
}
_NEVER_TEXTS = ("id", "url", "path", "date", "time", "created", "updated", "parse", "tree")  # words in names
_IDS = ("id", "qid", "docid", "uid", "guid", "index", "idx", "row", "no", "nr", "0")
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")


def plain(name: str) -> str:
    """A column's name as the lists above have it: ``Sentence_A`` is ``sentencea``."""
    return "".join(each for each in name.casefold() if each.isalnum())


def _words(name: str) -> list[str]:
    """The words of a name: ``QuestionID`` has question and id, as ``question_id`` has."""
    return [word.lower() for word in _WORD.findall(name)]


def is_identifier(name: str) -> bool:
    """Whether a column's name says that its cells are numbers or names of rows."""
    words = _words(name)
    return not plain(name) or (bool(words) and words[-1] in _IDS)


def is_no_text(name: str) -> bool:
    """Whether a column's name says that it is no text to read, whatever it holds."""
    return any(word in _NEVER_TEXTS for word in _words(name))


def rank(name: str, names: list[str]) -> int:
    """The place of a column's name in a list; its length where it is not there."""
    words = plain(name)
    return names.index(words) if words in names else len(names)


def split_of(cell: str) -> str | None:
    """The split that a cell of a split column names; None where it names none."""
    words = plain(cell)
    return next((split for split, known in SPLITS.items() if words in known), None)
