"""The table of ``trimtab init --example``: letters to a shop, in which the place of one sentence matters.

Made from a seed, without any real data. A letter is about delivery, an invoice or a return, which one of its
sentences says: the last one in three letters of four, else the first. Other sentences tell nothing. So what
cuts the end of the letter loses most, and what keeps both ends loses least.
"""

import csv
import io

import numpy as np

from trimtab.draft.model import Training

FILE, STUDY = "letters.csv", "letters.toml"
QUESTION = "Which part of a letter should be kept, if its team is to be found from it?"
TRAINING = Training(
    "2x64/128/2",
    4,
    "1e-3",
    3,
    "Small enough that each trial takes a second or two.",
    others="dropout = 0.0",
)

_ROWS = 1_500
_LAST = 0.75  # the share of letters whose decisive sentence is the last one
_SENTENCES = (1, 4)  # the fewest and the most that tell nothing

_DECISIVE = {
    "delivery": (
        "the parcel has not come yet",
        "when will the driver bring my order",
        "the package was left at a wrong door",
        "tracking shows no news for days",
    ),
    "invoice": (
        "the bill shows a wrong amount",
        "please correct the tax on my invoice",
        "my card was charged two times",
        "the discount is missing from the total",
    ),
    "return": (
        "i want to send the lamp back",
        "please refund the broken chair",
        "the colour is wrong so take it back",
        "how can i exchange these shoes",
    ),
}
_SUBJECTS = (
    "a question",
    "my order",
    "please help",
    "hello",
    "urgent request",
    "second letter",
    "for your team",
)
_WHO = ("my sister", "our neighbour", "the whole family", "a friend", "my old teacher", "the man next door")
_DOES = ("likes", "knows", "remembers", "talks about", "praises", "often visits", "has always enjoyed")
_WHAT = (
    "your shop in town",
    "the new catalogue",
    "the summer garden",
    "the window display",
    "your kind staff",
)
_WHEN = (
    "these days",
    "every spring",
    "since last year",
    "on rainy mornings",
    "as you may know",
    "in any case",
)


def table() -> str:
    """The table as CSV: subject, letter and team, the same on any machine."""
    rng = np.random.default_rng(0)
    teams = list(_DECISIVE)
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["number", "subject", "letter", "team"])
    written: set[str] = set()
    while len(written) < _ROWS:
        team = teams[int(rng.integers(len(teams)))]
        sentences = [_idle(rng) for _ in range(rng.integers(_SENTENCES[0], _SENTENCES[1] + 1))]
        place = len(sentences) if rng.random() < _LAST else 0
        sentences.insert(place, _one(rng, _DECISIVE[team]))
        letter = " ".join(f"{sentence.capitalize()}." for sentence in sentences)
        if letter not in written:
            written.add(letter)
            number = len(written)
            writer.writerow([number, f"{_one(rng, _SUBJECTS).capitalize()} {1000 + number}", letter, team])
    return out.getvalue()


def _idle(rng: np.random.Generator) -> str:
    return " ".join(_one(rng, words) for words in (_WHO, _DOES, _WHAT, _WHEN))


def _one(rng: np.random.Generator, of: tuple[str, ...]) -> str:
    return of[int(rng.integers(len(of)))]
