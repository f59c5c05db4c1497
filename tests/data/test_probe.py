import hashlib
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trimtab.data import probe
from trimtab.data.readers import read

GROUPS = (probe.SUPPORTING, probe.UNSUPPORTING, probe.VETOING, probe.PLAIN)
DECISIVE = {word for group in GROUPS for word in group}


def bytes_of(examples):
    rows = [examples.first, examples.second, examples.labels.tolist(), examples.evidence.tolist()]
    return hashlib.sha256(repr(rows).encode()).hexdigest()[:16]


def label_by_rule(first, second):
    """The label that the two decisive words give, in probe.md's words."""
    if second in probe.VETOING:
        return "contradiction"
    return "entailment" if first in probe.SUPPORTING else "neutral"


def check(examples, first_length, second_length):
    """Everything that must hold of any probe."""
    for row in range(len(examples)):
        texts = (examples.first[row].split(" "), examples.second[row].split(" "))
        words = [text[place] for text, place in zip(texts, examples.evidence[row], strict=True)]
        for text, word, span in zip(texts, words, (first_length, second_length), strict=True):
            assert span[0] <= len(text) <= span[1]
            assert [each for each in text if each in DECISIVE] == [word]
        assert words[0] in probe.SUPPORTING + probe.UNSUPPORTING
        assert words[1] in probe.VETOING + probe.PLAIN
        assert examples.label_names[examples.labels[row]] == label_by_rule(*words)
    counts = np.bincount(examples.labels, minlength=3)
    assert counts.max() - counts.min() <= 1
    assert examples.clusters.tolist() == list(range(len(examples)))


lengths = st.tuples(st.integers(1, 40), st.integers(0, 30)).map(lambda span: [span[0], sum(span)])
places = st.sampled_from(["uniform", "head", "tail"])


@settings(max_examples=60, deadline=None)
@given(lengths, lengths, places | st.lists(places, min_size=2, max_size=2), st.integers(0, 2**64), st.data())
def test_it_is_what_it_says_for_any_options(first, second, evidence, seed, data):
    split = data.draw(st.sampled_from(probe.SPLITS))
    options = {"first_length": first, "second_length": second, "evidence": evidence, "seed": seed}
    examples = read("probe", split, train=31, test=17, **options)
    assert len(examples) == (31 if split == "train" else 17)
    check(examples, first, second)
    pair = (evidence, evidence) if isinstance(evidence, str) else evidence
    for place, texts, at in zip(pair, (examples.first, examples.second), examples.evidence.T, strict=True):
        count = np.array([len(text.split(" ")) for text in texts])
        third = np.maximum(1, count // 3)
        assert place != "head" or np.all(at < third)
        assert place != "tail" or np.all(at >= count - third)


@pytest.mark.parametrize("split", probe.SPLITS)
def test_the_default_is_what_it_says(split):
    examples = read("probe", split)
    assert len(examples) == (12_000 if split == "train" else 2_000)
    assert examples.label_names == ("entailment", "contradiction", "neutral")
    check(examples, (25, 60), (6, 14))


def test_draws_are_even():
    examples = read("probe", "train")
    words = [[text.split(" ") for text in side] for side in (examples.first, examples.second)]
    places = examples.evidence.T
    picked = [[text[i] for text, i in zip(words[k], places[k], strict=True)] for k in (0, 1)]
    vetoed = examples.labels == probe.CONTRADICTION
    supports = np.array([word in probe.SUPPORTING for word in picked[0]])
    assert abs(supports[vetoed].mean() - 0.5) < 4 * 0.5 / np.sqrt(vetoed.sum())
    for side, groups in ((0, GROUPS[:2]), (1, GROUPS[2:])):
        counts = Counter(picked[side])
        assert all(counts[word] > 0.7 * 12_000 / 60 for group in groups for word in group)
        relative = (places[side] + 0.5) / np.array([len(text) for text in words[side]])
        assert 0.49 < relative.mean() < 0.51
    assert set(Counter(map(len, words[0]))) == set(range(25, 61))
    assert set(Counter(map(len, words[1]))) == set(range(6, 15))


def test_filler_is_zipf_like():
    nouns = Counter(word for text in read("probe", "train").first for word in text.split(" "))
    counts = [nouns[word] for word in probe.FILLER["N"]]
    assert 1.8 < counts[0] / counts[1] < 2.2
    assert 8 < counts[0] / counts[9] < 12


def test_decisive_words_are_disjoint_and_never_filler():
    assert [len(group) for group in GROUPS] == [20] * 4
    assert len(DECISIVE) == 80
    filler = {word for words in probe.FILLER.values() for word in words}
    assert not filler & DECISIVE
    assert all(word.isalpha() and word.islower() for word in filler | DECISIVE)


def test_clauses_have_the_length_of_their_place():
    assert [len(clause) for clause in probe._CLAUSES] == list(range(len(probe._CLAUSES)))
    assert all(len(probe._pattern(words, 3)) == words for words in (*range(200), 20_000))


def test_bytes_are_the_same_on_every_machine():
    assert bytes_of(read("probe", "train", train=300)) == "d2beb2ab3d2cc26c"
    assert bytes_of(read("probe", "train", train=300, seed=1, evidence="tail")) == "6361c388cc25fb04"
    assert bytes_of(read("probe", "test", train=300)) == bytes_of(read("probe", "test", seed=0))


def test_splits_and_seeds_are_streams_of_their_own():
    same = {"train": 500, "test": 500}
    seen = [bytes_of(read("probe", split, seed=seed, **same)) for split in probe.SPLITS for seed in (0, 1, 2)]
    assert len(set(seen)) == 9
    texts = [set(read("probe", split).first) for split in probe.SPLITS]
    assert not texts[0] & texts[2]
    assert not texts[0] & texts[1]
    assert not texts[1] & texts[2]


def test_a_dial_of_one_text_leaves_the_other_alone():
    default = read("probe", "test")
    changed = read("probe", "test", first_length=[30, 90], evidence=["head", "uniform"])
    assert default.second == changed.second
    assert np.array_equal(default.labels, changed.labels)
