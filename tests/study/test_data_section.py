"""The [data] section: who reads which split, in which form, and what is said where that is wrong."""

import tomllib

import pytest

from trimtab.config import InputError
from trimtab.data.dataset import SplitSource
from trimtab.study.data_section import HELD_OUT, read_data_section


def read(text):
    return read_data_section(tomllib.loads(text))


def said(text):
    with pytest.raises(InputError) as caught:
        read(text)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_one_reader_for_all_splits():
    plan = read('reader = "probe"\ntrain = 30')
    options = {"train": 30, "text": "parse"}
    assert plan.train == SplitSource("probe", "train", options)
    assert plan.validation == SplitSource("probe", "validation", options)
    assert plan.tests == {"test": SplitSource("probe", "test", options)}
    assert (plan.tokenizer, plan.min_freq, plan.lowercase) == ("whitespace", 5, True)


def test_raw_sentences_have_punctuation_split_off():
    plan = read('reader = "snli"\ntext = "sentence"')
    assert plan.tokenizer == "words"
    assert plan.train.options == {"text": "sentence"}


def test_a_tokenizer_of_the_users_own():
    plan = read('reader = "snli"\ntokenizer = "bert/vocab.txt"\nlowercase = false')
    assert (plan.tokenizer, plan.lowercase) == ("bert/vocab.txt", False)


TABLE = 'reader = "table"\nfirst = "a"\nlabel = "l"\nfile = "train.csv"\n'


def test_a_table_has_no_validation_split_so_a_share_of_train_is_held_out():
    assert read(TABLE + '[test]\nfile = "test.csv"').validation == HELD_OUT
    assert read(TABLE + 'validation = 0.25\n[test]\nfile = "test.csv"').validation == 0.25


def test_a_share_may_be_drawn_by_a_seed():
    assert read(TABLE + '[test]\nfile = "test.csv"').validation_seed == 0
    plan = read(TABLE + 'validation_seed = 3\n[test]\nfile = "test.csv"')
    assert (plan.validation, plan.validation_seed) == (HELD_OUT, 3)


@pytest.mark.parametrize("reader", ["cola", "fnc1", "boolq", 'glue"\ntask = "rte'])
def test_what_is_evaluated_on_is_not_validated_on(reader):
    plan = read(f'reader = "{reader}"')
    assert plan.validation == HELD_OUT
    assert plan.tests["test"].split == "test"
    assert (plan.train.options.get("text", "sentence"), plan.tokenizer) == ("sentence", "words")


def test_both_development_sets_of_cola_by_name():
    plan = read(
        'reader = "cola"\nvalidation = 0.1\n[test.in_domain]\nsplit = "in_domain_dev"\n'
        '[test.out_of_domain]\nsplit = "out_of_domain_dev"'
    )
    assert {name: source.split for name, source in plan.tests.items()} == {
        "in_domain": "in_domain_dev",
        "out_of_domain": "out_of_domain_dev",
    }


def test_a_sample_is_an_option_of_every_reader():
    plan = read('reader = "fnc1"\n[train]\nsample = 10000\nsample_seed = 4')
    assert plan.train.options == {"sample": 10000, "sample_seed": 4}
    assert plan.tests["test"].options == {}
    assert read('reader = "snli"\nsample = 9').validation.options == {"sample": 9, "text": "parse"}


def test_a_split_with_its_own_file_keeps_the_common_options():
    plan = read(TABLE + '[validation]\nfile = "v.csv"\n[test]\nfile = "test.csv"\nfirst = "b"')
    assert plan.validation.options["file"] == "v.csv"
    assert plan.validation.options["first"] == "a"
    assert plan.tests["test"].options["first"] == "b"


def test_named_test_sets_of_several_readers_share_the_text_form():
    plan = read(
        'text = "sentence"\n[train]\nreader = "snli"\n[validation]\nreader = "snli"\n'
        '[test.plain]\nreader = "snli"\n[test.own]\nreader = "table"\nfile = "x.csv"\nfirst = "a"\nlabel'
        ' = "l"'
    )
    assert {name: source.reader for name, source in plan.tests.items()} == {"plain": "snli", "own": "table"}
    assert {source.options["text"] for source in plan.tests.values()} == {"sentence"}


def test_common_options_are_not_for_the_reader_that_a_split_names_instead():
    plan = read('reader = "probe"\ntrain = 30\n[test]\nreader = "snli"')
    assert plan.tests["test"].options == {"text": "parse"}


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "[data]: reader is missing; name one, such as reader = 'snli'"),
        ('reader = "porbe"', "[data]: no reader 'porbe', did you mean 'probe'?"),
        ("reader = 5", "[data]: reader = 5 is wrong; it should be a name such as 'snli'"),
        (
            'reader = "probe"\n[test]\nreader = 5',
            "[data.test]: reader = 5 is wrong; it should be a name such as 'snli'",
        ),
        (
            'reader = "probe"\n[test.one]\nreader = "tabel"',
            "[data.test.one]: no reader 'tabel', did you mean 'table'?",
        ),
        ('[train]\nreader = "probe"', "[data.test]: reader is missing; name one, such as reader = 'table'"),
        ('reader = "probe"\nmin_frq = 2', "[data]: unknown key 'min_frq'; did you mean 'min_freq'?"),
        ('reader = "probe"\ntrian = 2', "[data]: unknown key 'trian'; did you mean 'train'?"),
        (
            'reader = "snli"\n[validaton]\nfile = "x"',
            "[data]: unknown key 'validaton'; did you mean 'validation'?",
        ),
        (
            'min_frq = 2\n[train]\nreader = "probe"\n[test]\nreader = "probe"',
            "[data]: unknown key 'min_frq'; did you mean 'min_freq'?",
        ),
        (
            'reader = "probe"\n[test]\nfrist_length = [2, 3]',
            "[data.test]: reader 'probe': no option 'frist_length', did you mean 'first_length'?",
        ),
        ('reader = "probe"\nmin_freq = "5"', "[data]: min_freq = '5' is wrong; it should be a whole number"),
        (
            'reader = "probe"\nlowercase = "yes"',
            "[data]: lowercase = 'yes' is wrong; it should be true or false",
        ),
        ('reader = "snli"\ntrain = "x"', "[data]: train = 'x' is wrong; it should be a table [data.train]"),
        (
            'reader = "snli"\nvalidation = "x"',
            "[data]: validation = 'x' is wrong; it should be a table [data.validation]",
        ),
        (
            'reader = "probe"\nvalidation = 1.5',
            "[data]: validation = 1.5 is wrong; give the share of train to hold out, between 0 and 1, or a "
            "table [data.validation]",
        ),
        (
            'reader = "probe"\nvalidation = true',
            "[data]: validation = True is wrong; give the share of train to hold out, between 0 and 1, or a "
            "table [data.validation]",
        ),
        (
            'reader = "snli"\nvalidation_seed = 3',
            "[data]: validation_seed = 3 has no effect, because validation is a split of its own; leave it "
            "out, or give validation = 0.1, the share of train to hold out",
        ),
        (
            'reader = "snli"\nvalidation_seed = -1',
            "[data]: validation_seed = -1 is wrong; it should be greater than or equal to 0",
        ),
        (
            'reader = "boolq"\ntext = "parse"',
            "[data.train]: reader 'boolq' has no text form 'parse'; known: sentence",
        ),
        (
            'reader = "cola"\n[test.dev]\nsplit = "dev"',
            "[data.test.dev]: reader 'cola': no split 'dev', known: in_domain_dev, out_of_domain_dev, test, "
            "train, validation",
        ),
        (
            'reader = "fnc1"\n[train]\nsampel = 5',
            "[data.train]: reader 'fnc1': no option 'sampel', did you mean 'sample'?",
        ),
        (
            'reader = "probe"\ntext = "raw"',
            "[data.train]: reader 'probe' has no text form 'raw'; known: parse, sentence",
        ),
        (
            'reader = "probe"\n[test]\ntext = "sentence"',
            "[data.test]: text must be the same for every split; set it in [data]",
        ),
        (
            'reader = "probe"\n[test]\nsplit = "tset"',
            "[data.test]: reader 'probe': no split 'tset', did you mean 'test'?",
        ),
        (
            'reader = "probe"\n[test]\nsplit = 5',
            "[data.test]: split = 5 is wrong; it should be a name such as 'test'",
        ),
        (
            'reader = "probe"\n[test]\ntrain = 5\n[test.one]',
            "[data.test]: 'train' stands beside named test sets; put it into one of them",
        ),
        (
            'reader = "probe"\n[test."a b"]',
            "[data.test.a b]: not a name for a test set; use letters, digits, _ and -",
        ),
        (
            'reader = "probe"\n[test.train]',
            "[data.test.train]: that is the name of another split; rename the test set",
        ),
        (
            'reader = "table"\nfile = "x.csv"\nfirst = "a"',
            "[data.train]: reader 'table': option 'label' is missing: the column of the label",
        ),
        (
            'reader = "probe"\nfirst_length = [3]',
            "[data.train]: reader 'probe': option 'first_length' (fewest and most words of the first "
            "text) is [3], but should be a list of two whole numbers from 1, the smaller first",
        ),
    ],
)
def test_a_wrong_section_is_answered_in_a_sentence(text, sentence):
    assert said(text) == sentence
