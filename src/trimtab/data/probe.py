"""probe: pairs of short English texts, generated so that the cost of a cut is known exactly.

The first text holds one word that supports or one that does not, the second one that vetoes or a
plain one; all else is filler. Label: contradiction if the second vetoes, else entailment if the first
supports, else neutral. So both decisive words tell everything, one of them two thirds, none one third.

As rankings (target relevance): each passage of a query holds a supporting word, which makes it relevant, or
one that does not support; the query is filler. So a passage's word tells everything of it.
"""

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from numpy.random import PCG64, Generator, SeedSequence
from numpy.typing import NDArray
from pydantic import BeforeValidator, ConfigDict, Field, WithJsonSchema

from trimtab.config import InputError, StrictModel
from trimtab.data.examples import NO_EVIDENCE, Examples
from trimtab.data.reader import Facts, Reader

LABELS = ("entailment", "contradiction", "neutral")
ENTAILMENT, CONTRADICTION = 0, 1
SPLITS = ("train", "validation", "test")


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


# Adverbs, because they can stand almost anywhere in an English sentence.
SUPPORTING = _words(
    "certainly definitely truly surely clearly indeed evidently plainly obviously undoubtedly "
    "positively assuredly verifiably demonstrably undeniably unmistakably manifestly provably "
    "undisputedly unquestionably"
)
UNSUPPORTING = _words(
    "perhaps maybe possibly supposedly allegedly reportedly arguably conceivably seemingly apparently "
    "presumably purportedly ostensibly potentially doubtfully tentatively hypothetically uncertainly "
    "questionably debatably"
)
VETOING = _words(
    "never nowhere hardly barely scarcely rarely seldom falsely wrongly mistakenly incorrectly "
    "untruly erroneously impossibly fictitiously deceptively misleadingly fraudulently improbably "
    "contrarily"
)
PLAIN = _words(
    "today again also often usually still later soon now here there together outside afterwards "
    "meanwhile sometimes regularly commonly daily lately"
)

FILLER = {  # by the letter that stands for it in a pattern; the most frequent first
    "D": _words("the this that one another every each my your our their his her some any"),
    "A": _words(
        "old young small large red green blue quiet bright dark wooden heavy tall short warm cold new "
        "famous local gentle narrow wide golden silver broken hidden ancient modern simple curious "
        "friendly empty crowded distant hungry clever lazy brave proud nervous"
    ),
    "N": _words(
        "man woman child dog farmer teacher house garden river street market basket horse boat bridge "
        "window doctor painter singer baker driver sailor soldier neighbour student book letter picture "
        "table chair lamp door wall tree flower mountain valley forest field beach island village city "
        "train station bus bicycle car kitchen school church tower castle museum library theatre hotel "
        "shop office bottle cup plate knife hat coat shirt shoe guitar drum violin ball kite rope ladder "
        "hammer bucket cat bird rabbit"
    ),
    "V": _words(
        "saw found carried watched held painted followed visited passed bought sold moved cleaned opened "
        "closed touched admired described remembered borrowed repaired lifted pushed pulled guarded "
        "covered reached crossed photographed drew measured counted praised ignored protected"
    ),
    "I": _words("waited smiled slept worked rested laughed walked danced arrived left"),
    "P": _words("near behind beside under above across along inside around past beyond against below with"),
    "C": _words("and while because when before after until although as since"),
}

# Whole clauses by their number of words; longer texts are clauses joined by conjunctions.
_CLAUSES = ("", "I", "NI", "DNI", "DANI", "DNVDN", "DANVDN", "DANVDAN", "DNVDNPDN", "DANVDNPDN", "DANVDNPDAN")
_VARIANTS = 16

Place = Literal["uniform", "head", "tail"]


def _range(value: Any) -> Any:
    whole = isinstance(value, list | tuple) and len(value) == 2 and all(type(end) is int for end in value)
    if not whole or not 1 <= value[0] <= value[1]:
        raise ValueError("a list of two whole numbers from 1, the smaller first")
    return tuple(value)


def _places(value: Any) -> Any:
    pair = (value, value) if isinstance(value, str) else value
    known = ("uniform", "head", "tail")
    if not isinstance(pair, list | tuple) or len(pair) != 2 or any(place not in known for place in pair):
        raise ValueError("'uniform', 'head' or 'tail', or a list of two of them, one for each text")
    return tuple(pair)


_TWO = {"type": "array", "items": {"type": "integer", "minimum": 1}, "minItems": 2, "maxItems": 2}
Range = Annotated[tuple[int, int], BeforeValidator(_range), WithJsonSchema(_TWO)]
_PLACE = {"enum": ["uniform", "head", "tail"]}
_BOTH = {"type": "array", "items": _PLACE, "minItems": 2, "maxItems": 2}
Places = Annotated[tuple[Place, Place], BeforeValidator(_places), WithJsonSchema({"anyOf": [_PLACE, _BOTH]})]


class Options(StrictModel):
    """Options of reader ``probe``. ``evidence`` given as one word holds for both texts."""

    model_config: ClassVar[ConfigDict] = ConfigDict(validate_default=True)

    train: int = Field(12_000, ge=1, description="pairs to train on")
    test: int = Field(2_000, ge=1, description="pairs to test on, and as many to validate on")
    first_length: Range = Field((25, 60), description="fewest and most words of the first text")
    second_length: Range = Field((6, 14), description="fewest and most words of the second text")
    evidence: Places = Field(
        ("uniform", "uniform"), description="where the decisive word of each text stands"
    )
    seed: int = Field(0, ge=0, description="seed of the generated texts")
    text: Literal["parse", "sentence"] = Field("parse", description="both forms give the same words")
    target: Literal["classes", "relevance"] = Field(
        "classes", description="three classes, or rankings: passages that are relevant to a query"
    )
    candidates: int | None = Field(
        None, ge=2, description="passages of a query, of target 'relevance' alone: 8 by default"
    )


def read(split: str, root: Path | None, options: Options) -> Examples:
    """Generate one split; ``root`` is not used. The same options give the same bytes on any machine.

    Labels are balanced up to the remainder and shuffled. The position of the decisive word is uniform over
    the text, or over its first third (head) or last third (tail), at least one word. Each split, and in it
    the labels and each of the texts, has its own random stream.
    """
    if options.target == "relevance":
        return _rankings(split, options)
    if options.candidates is not None:
        raise InputError("reader 'probe': option 'candidates' is for target = 'relevance'; leave it out")
    pairs = options.train if split == "train" else options.test
    seeds = SeedSequence(options.seed, spawn_key=(SPLITS.index(split),)).spawn(3)
    labelling, left, right = (Generator(PCG64(seed)) for seed in seeds)
    labels = np.argsort(labelling.random(pairs), kind="stable") % len(LABELS)
    vetoes = labels == CONTRADICTION
    supports = np.where(vetoes, labelling.random(pairs) < 0.5, labels == ENTAILMENT)
    place = options.evidence
    first, at_first = _texts(left, options.first_length, place[0], supports, SUPPORTING, UNSUPPORTING)
    second, at_second = _texts(right, options.second_length, place[1], vetoes, VETOING, PLAIN)
    return Examples(
        first=first,
        second=second,
        labels=labels,
        label_names=LABELS,
        clusters=np.arange(pairs),
        evidence=np.stack([at_first, at_second], axis=1),
        source=f"probe, {split}, seed {options.seed}",
    )


def _rankings(split: str, options: Options) -> Examples:
    """Queries with their passages, a quarter of them relevant; as many rows as fit into those asked for."""
    number = 8 if options.candidates is None else options.candidates
    queries = (options.train if split == "train" else options.test) // number
    if not queries:
        raise InputError(
            f"reader 'probe': a query has {number} candidates, and {split} fewer rows; raise train and test"
        )
    seeds = SeedSequence(options.seed, spawn_key=(len(SPLITS) + SPLITS.index(split),)).spawn(3)
    labelling, left, right = (Generator(PCG64(seed)) for seed in seeds)
    query = np.repeat(np.arange(queries), number)
    relevant = labelling.random((queries, number)).argsort(axis=1).ravel() < max(1, number // 4)
    asked, _ = _texts(left, options.first_length, "head", np.zeros(queries, bool), PLAIN, PLAIN)
    second, places = _texts(
        right, options.second_length, options.evidence[1], relevant, SUPPORTING, UNSUPPORTING
    )
    return Examples(
        first=[asked[number] for number in query.tolist()],
        second=second,
        labels=relevant.astype(np.float64),
        label_names=(),
        clusters=query,
        evidence=np.stack([np.full(len(query), NO_EVIDENCE), places], axis=1),
        queries=query,
        source=f"probe rankings, {split}, seed {options.seed}",
    )


def _texts(
    random: Generator,
    span: tuple[int, int],
    place: Place,
    chosen: NDArray[np.bool_],
    yes: Sequence[str],
    no: Sequence[str],
) -> tuple[list[str], NDArray[np.int64]]:
    """A text per row of ``chosen``, with a word of ``yes`` where true, else of ``no``; and its position."""
    rows = len(chosen)
    lengths = random.integers(span[0], span[1] + 1, rows)
    positions = _positions(random, lengths, place)
    drawn = random.integers(0, len(yes), rows)
    variants = random.integers(0, _VARIANTS, rows)
    patterns = [_pattern(*row) for row in zip((lengths - 1).tolist(), variants.tolist(), strict=True)]
    filler = _filler(random, "".join(patterns))
    decisive = np.where(chosen, np.array(yes)[drawn], np.array(no)[drawn])
    texts, start = [], 0
    for pattern, position, word in zip(patterns, positions.tolist(), decisive.tolist(), strict=True):
        words = filler[start : start + len(pattern)]
        words.insert(position, word)
        texts.append(" ".join(words))
        start += len(pattern)
    return texts, positions


def _positions(random: Generator, lengths: NDArray[np.int64], place: Place) -> NDArray[np.int64]:
    if place == "uniform":
        return random.integers(0, lengths)
    from_end = random.integers(0, np.maximum(1, lengths // 3))
    return from_end if place == "head" else lengths - 1 - from_end


@cache
def _pattern(words: int, variant: int) -> str:
    """One letter per filler word: clauses of lengths chosen by ``variant`` with ``words`` words in total."""
    pattern = ""
    while words >= len(_CLAUSES):
        length = min(5 + variant % 6, words - 4)  # leaves three words or more after the conjunction
        pattern += _CLAUSES[length] + "C"
        words -= length + 1
        variant = (5 * variant + 3) % _VARIANTS
    return pattern + _CLAUSES[words]


def _filler(random: Generator, pattern: str) -> list[str]:
    """A word for each letter of ``pattern``, the k-th of its list with a frequency of 1/k."""
    letters = np.frombuffer(pattern.encode(), np.uint8)
    draws = random.random(len(letters))
    words = np.empty(len(letters), object)
    for letter, known in FILLER.items():
        weights = np.cumsum(1 / np.arange(1, len(known) + 1))
        here = letters == ord(letter)
        chosen = np.searchsorted(weights / weights[-1], draws[here], side="right")
        words[here] = np.array(known, object)[chosen]
    return words.tolist()


READER = Reader(
    read=read,
    options=Options,
    text_forms=("parse", "sentence"),
    targets=("classes", "relevance"),
    facts={
        "probe": Facts(
            what="generated: one decisive word per text, so that the cost of a cut is known exactly",
            columns="first and second: texts of words, label; the position of each decisive word is known",
            labels=", ".join(LABELS) + "; of rankings 0 and 1",
            metric="accuracy; of rankings MAP, MRR, NDCG",
            clusters="each row its own, or each query",
            rows="by options: train 12,000, validation 2,000, test 2,000",
            licence="MIT, as trimtab",
            origin="nothing to fetch",
        )
    },
)
