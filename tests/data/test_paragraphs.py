"""Readers of paragraphs, against d2l's own words for what a paragraph is, and the counts it comes to."""

from collections import Counter

import numpy as np
import pytest

from trimtab.config import InputError
from trimtab.data.paragraphs import CORPORA, check, describe, read
from trimtab.data.tokenizer import SPECIAL_TOKENS, build

WIKI = """\
 = A heading =

 First one here . Second ONE , <unk> too . Third
 Only one .+
 no stop at all
 Two . of them .+
""".replace("+", " ")  # as in the files, a blank ends a line


@pytest.fixture
def wiki(own_environment):
    folder = own_environment / "wikitext-2"
    folder.mkdir()
    for name in ("train", "valid", "test"):
        (folder / f"wiki.{name}.tokens").write_text(WIKI)
    return own_environment


def as_d2l_reads(text):
    """The comprehension of d2l's chapter, on lines."""
    return [
        line.strip().lower().split(" . ") for line in text.splitlines(True) if len(line.split(" . ")) >= 2
    ]


def paragraphs_of(found):
    return [found.sentences[a:b] for a, b in zip(found.offsets, found.offsets[1:], strict=False)]


def test_wikitext_is_split_as_d2l_splits_it(wiki):
    found = read("wikitext", "validation", wiki)
    assert paragraphs_of(found) == as_d2l_reads(WIKI)
    assert len(found) == 3
    assert found.source.endswith("wiki.valid.tokens")
    kept = read("wikitext", "train", wiki, lowercase=False)
    assert [sentence.lower() for sentence in kept.sentences] == found.sentences != kept.sentences


def test_each_sentence_is_an_example_of_its_paragraph(wiki):
    found = read("wikitext", "test", wiki)
    examples = found.examples()
    assert examples.first == found.sentences
    assert Counter(examples.clusters.tolist()) == Counter(dict(enumerate(np.diff(found.offsets).tolist())))


def test_a_plain_text_has_blank_lines_between_paragraphs(own_environment):
    (own_environment / "a.txt").write_text(
        'It rains. "Does it?" she asks!\nYes.\n\n\nAlone\n  \nv. 1 is out (at last.) Now'
    )
    found = read("text", "train", own_environment, file="a.txt", lowercase=False)
    assert paragraphs_of(found) == [
        ["It rains.", '"Does it?"', "she asks!", "Yes."],
        ["Alone"],
        ["v.", "1 is out (at last.)", "Now"],
    ]


@pytest.mark.integration
def test_the_real_files_have_the_counts_of_d2l(shared_data):
    found = read("wikitext", "train", shared_data)
    text = (shared_data / "wikitext-2" / "wiki.train.tokens").read_text(encoding="utf-8")
    assert paragraphs_of(found) == as_d2l_reads(text)
    tokenizer = build("whitespace", found.sentences, min_freq=5)
    assert tokenizer.get_vocab_size() == 20_256
    counts = Counter(word for sentence in found.sentences for word in sentence.split())
    assert set(tokenizer.get_vocab()) == {w for w, n in counts.items() if n >= 5} | set(SPECIAL_TOKENS)
    assert sorted(tokenizer.get_vocab().values()) == list(range(20_256))


@pytest.mark.parametrize(
    ("reader", "options", "message"),
    [
        ("wikitex", {}, "no reader 'wikitex' of paragraphs, did you mean 'wikitext'?"),
        ("text", {}, "reader 'text': file is missing"),
        ("wikitext", {"foldr": "x"}, "unknown key 'foldr'; did you mean 'folder'?"),
        ("wikitext", {"folder": "elsewhere"}, "there is no file .*elsewhere/wiki.train.tokens"),
        ("text", {"file": "short.txt"}, "short.txt: no paragraph of two sentences; name a text"),
        ("text", {"file": "latin.txt"}, r"latin.txt:1: byte 4 of the line is not valid UTF-8"),
    ],
)
def test_what_is_wrong_is_one_sentence(own_environment, reader, options, message):
    (own_environment / "short.txt").write_text("One sentence.\n\nAnother.")
    (own_environment / "latin.txt").write_bytes(b"caf\xe9 one. Two.")
    with pytest.raises(InputError, match=message):
        read(reader, "train", own_environment, **options)


def test_every_reader_is_described():
    assert [row["name"] for row in describe()] == list(CORPORA)
    assert check("wikitext").folder == "wikitext-2"
