"""``trimtab strategies``, ``sizes`` and ``datasets``: what there is."""

import pytest


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("strategies", ["longest_first", "ratio", "only_first", "only_second", "head_tail", "tie=bert|"]),
        ("sizes", ["tiny", "small", "medium", "base", "large", "parameters"]),
        ("datasets", ["probe", "snli", "rte", "fnc1", "table", "hub", "licence", "train 8,551", "Matthews"]),
        ("datasets probe", ["what: generated", "options of reader probe", "seed = 0"]),
        ("datasets table", ["first (required)", "where from: yours", "sample:"]),
        ("datasets glue", ["mrpc", "#1 String", "sst2", "task (required): which task"]),
        ("datasets fnc1", ["clusters: the body", "columns: first: Headline", "sample_seed = 0"]),
    ],
)
def test_what_there_is(trimtab, command, words):
    code, said, complained = trimtab(*command.split())
    assert (code, complained) == (0, [])
    for word in words:
        assert word in "\n".join(said)


def test_the_tensors_of_a_size(trimtab):
    code, said, complained = trimtab("sizes", "base")
    assert (code, complained) == (0, [])
    assert len(said) == 2 + 201 + 2
    assert said[2].split() == ["bert.embeddings.word_embeddings.weight", "30522", "x", "768", "23,440,896"]
    assert said[202].split() == ["classifier.bias", "2", "2"]
    assert said[-1] == "base: 201 named tensors, 109,483,778 parameters"
    _, said, _ = trimtab("sizes", "1x8/16/2", "--vocabulary", "50", "--classes", "3")
    assert said[2].split()[1:] == ["50", "x", "8", "400"]
    assert said[-1].startswith("1x8/16/2: 25 named tensors, ")


def test_a_size_that_there_is_not(wrong):
    assert "did you mean 'base'" in wrong("sizes", "bose")
    assert "must be 1 or more" in wrong("sizes", "0x8")
    assert "apply to one size; name it, as in: trimtab sizes base" in wrong("sizes", "--classes", "3")


def test_one_data_set(trimtab):
    code, said, complained = trimtab("datasets", "cola")
    assert (code, complained) == (0, [])
    unless = "unless a study gives a share or [data.validation]"
    assert f"  validation: a tenth of train, whole clusters, {unless}" in said
    assert f"  validation: its own split, {unless}" in trimtab("datasets", "snli")[1]
    assert "  read by: trimtab pretrain" in trimtab("datasets", "wikitext")[1]


def test_a_data_set_that_there_is_not(wrong):
    assert wrong("datasets", "wikitext2") == "no data set is called 'wikitext2'; did you mean 'wikitext'?"
