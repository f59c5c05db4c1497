import shutil
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest

from trimtab.config import InputError
from trimtab.data import tokens as tokens_module
from trimtab.data.examples import Examples
from trimtab.data.tokenizer import build
from trimtab.data.tokens import CacheLostError, load, restore, tokenise

pytestmark = pytest.mark.usefixtures("own_environment")

FIRST = ["a b c", "", "c c d zebra", "b"]
SECOND = ["d", "a a", "", "zebra c"]
FILES = [
    *("clusters", "evidence", "first_offsets", "first_values"),
    *("labels", "second_offsets", "second_values"),
]


@pytest.fixture
def tokenizer():
    return build("whitespace", ["a b c d"], min_freq=1)


def examples(first=FIRST, second=SECOND, **changes):
    rows = len(first)
    made = Examples(first, second, np.arange(rows) % 3, ("x", "y", "z"), np.arange(rows) // 2, source="here")
    return replace(made, **changes)


def with_evidence(**changes):
    return examples(evidence=np.array([[1, 0], [0, 1], [3, 0], [0, 1]]), **changes)


def rows_of(ragged):
    return [row.tolist() for row in ragged]


def assert_holds(tokens, expected, tokenizer):
    """Every array of ``tokens`` is what plain Python makes of ``expected``."""
    vocabulary = tokenizer.get_vocab()
    for ragged, texts in ((tokens.first, expected.first), (tokens.second, expected.second)):
        if texts is None:
            assert ragged is None
            continue
        assert rows_of(ragged) == [
            [vocabulary.get(word, vocabulary["<unk>"]) for word in text.split()] for text in texts
        ]
        assert (ragged.values.dtype, ragged.offsets.dtype) == (np.int16, np.int64)
    assert np.array_equal(tokens.labels, expected.labels)
    assert np.array_equal(tokens.clusters, expected.clusters)
    assert (tokens.evidence is None) == (expected.evidence is None)
    assert tokens.evidence is None or np.array_equal(tokens.evidence, expected.evidence)
    assert len(tokens) == len(expected)


@pytest.mark.parametrize(
    "given",
    [
        examples(),
        with_evidence(),
        examples(second=None),
        examples([""] * 3, ["", "", ""]),
        examples(["a\nb", "a b"], ["c d", "d\tc"]),
    ],
)
def test_tokens_are_what_plain_python_makes(given, tokenizer):
    assert_holds(tokenise(given, tokenizer), given, tokenizer)


def test_the_second_call_maps_the_same_files(tokenizer, monkeypatch):
    made = tokenise(with_evidence(), tokenizer)
    before = {path.name: path.stat().st_mtime_ns for path in made.folder.iterdir()}
    assert sorted(before) == sorted([*(f"{name}.npy" for name in FILES), "sums.json"])
    monkeypatch.setattr(tokens_module, "encode", None)
    again = tokenise(with_evidence(source="elsewhere"), tokenizer)
    assert again.folder == made.folder
    assert {path.name: path.stat().st_mtime_ns for path in again.folder.iterdir()} == before
    assert isinstance(again.first.values, np.memmap)
    again.first.values[:] = 0  # in our memory alone
    assert_holds(load(made.folder), with_evidence(), tokenizer)
    assert whole_folders(made.folder) == [made.folder.name]


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("fault", ["altered", "missing", "truncated"])
def test_a_faulty_file_is_noticed_and_rebuilt(name, fault, tokenizer):
    path = tokenise(with_evidence(), tokenizer).folder / f"{name}.npy"
    whole = path.read_bytes()
    if fault == "altered":
        path.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    elif fault == "truncated":
        path.write_bytes(whole[:-1])
    else:
        path.unlink()
    assert_holds(tokenise(with_evidence(), tokenizer), with_evidence(), tokenizer)
    assert path.read_bytes() == whole


@pytest.mark.parametrize(
    "content", [None, "", "{}", "[]", "[1]", '{"labels.npy": "0"}', '{"labels.npy": 1}', "{"]
)
def test_faulty_sums_are_noticed(content, tokenizer):
    sums = tokenise(examples(), tokenizer).folder / "sums.json"
    if content is None:
        sums.unlink()
    else:
        sums.write_text(content)
    (sums.parent / "first_values.npy").write_bytes(b"nonsense")
    assert_holds(tokenise(examples(), tokenizer), examples(), tokenizer)


def test_a_folder_that_cannot_be_replaced_is_an_error_not_a_wrong_answer(tokenizer, monkeypatch):
    folder = tokenise(examples(), tokenizer).folder
    (folder / "labels.npy").write_bytes(b"nonsense")
    delete = shutil.rmtree
    monkeypatch.setattr(
        tokens_module.shutil, "rmtree", lambda path, **kw: None if path == folder else delete(path, **kw)
    )
    with pytest.raises(InputError, match=r"cannot be written .*; name another folder .* TRIMTAB_CACHE"):
        tokenise(examples(), tokenizer)
    assert whole_folders(folder) == [folder.name]


def test_who_comes_at_the_same_time_waits_and_finds_it_made(tokenizer, monkeypatch):
    calls = []
    encode = tokens_module.encode
    monkeypatch.setattr(tokens_module, "encode", lambda *given: calls.append(1) or encode(*given))
    with ThreadPoolExecutor(4) as threads:
        made = list(threads.map(lambda _: tokenise(examples(), tokenizer), range(4)))
    assert len(calls) == 2  # the two sides, once
    for tokens in made:
        assert_holds(tokens, examples(), tokenizer)


def whole_folders(folder):
    return [path.name for path in folder.parent.iterdir() if not path.name.startswith(".")]


def test_whatever_differs_lies_in_a_folder_of_its_own(tokenizer):
    one, two = np.array([0, 0, 0, 1]), np.array([0, 0, 1, 1])
    given = [
        examples(),
        examples(second=None),
        examples(second=[""] * 4),
        examples([*FIRST[:3], "bb"]),
        examples(SECOND, FIRST),
        examples(labels=one),
        examples(labels=two),
        examples(clusters=one),
        with_evidence(),
        examples(["a\nb", "c", "d", ""]),
        examples(["a", "b\nc", "d", ""]),
        examples(["a", "b", "c\nd", ""]),
        examples(["a", "b", "c", "\nd"]),
        examples(["\na", "b", "c", "d"]),
    ]
    folders = {tokenise(each, tokenizer).folder for each in given}
    folders.add(tokenise(examples(), build("words", ["a b c d"], min_freq=1)).folder)
    folders.add(tokenise(examples(), build("whitespace", ["a b c d e"], min_freq=1)).folder)
    assert len(folders) == len(given) + 2
    for each in given:
        assert_holds(tokenise(each, tokenizer), each, tokenizer)


def test_a_cache_that_is_removed_while_it_is_mapped_is_restored(tokenizer):
    tokens = tokenise(with_evidence(), tokenizer)
    for path in tokens.folder.iterdir():
        path.unlink()
    with pytest.raises(CacheLostError, match="the cached tokens were damaged or removed"):
        load(tokens.folder)
    restore(tokens)
    assert_holds(load(tokens.folder), with_evidence(), tokenizer)
    assert not list(tokens.folder.parent.glob("*-again"))
