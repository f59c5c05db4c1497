"""The JSON schema of study files: it accepts what the loader accepts, and rejects common mistakes."""

import tomllib
from dataclasses import fields
from pathlib import Path

import jsonschema
import pytest

from trimtab.config import InputError
from trimtab.data.readers import options_of
from trimtab.study import load
from trimtab.study.compare_section import Compare
from trimtab.study.schema import study_schema
from trimtab.study.settings import known_keys
from trimtab.training.recipe import Recipe

STUDIES = sorted((Path(__file__).parents[2] / "studies").glob("*.toml"))

TABLE = """\
question = "Does it matter?"
[data]
reader = "table"
first = "a"
label = "l"
[data.train]
file = "train.csv"
[data.test.one]
file = "one.csv"
[data.test.two]
reader = "sick"
[grid]
seeds = 2
"""


@pytest.fixture(scope="module")
def schema():
    return study_schema()


@pytest.fixture(scope="module")
def validator(schema):
    jsonschema.Draft7Validator.check_schema(schema)
    return jsonschema.Draft7Validator(schema)


@pytest.fixture
def loads(tmp_path):
    """Whether the loader takes a study."""

    def is_loaded(text):
        (tmp_path / "study.toml").write_text(text)
        try:
            load(tmp_path / "study.toml")
        except InputError:
            return False
        return True

    return is_loaded


@pytest.mark.parametrize("path", STUDIES, ids=lambda path: path.stem)
def test_our_studies_are_valid(validator, path):
    validator.validate(tomllib.loads(path.read_text()))


GOOD = {
    "seeds by their numbers": ("seeds = 2", "seeds = [0, 5]"),
    "looks in place of seeds": ("seeds = 2\n", "[compare]\nlooks = [2, 3]\n"),
    "a margin in points": ("seeds = 2", 'seeds = 2\n[compare]\nmargin = "0.5 points"'),
    "one baseline": ("seeds = 2", "seeds = 2\n[compare]\nbaseline = { max_len = 40 }"),
    "one place for both texts": ("min_freq = 1", 'evidence = "head"'),
    "a share for validation": ("min_freq = 1", "validation = 0.2"),
    "a validation split": ("min_freq = 1", "[data.validation]\ntest = 40"),
    "a whole number for a real one": ("epochs = 2", "clip = 1"),
    "frozen layers": ("epochs = 2", "frozen = 1"),
    "an exclusion": ("seeds = 2", 'seeds = 2\n[[exclude]]\nmax_len = 12\nbecause = "so"'),
    "a name": ("seeds = 2", 'seeds = 2\n[names]\n"max_len 12" = "short"'),
}


@pytest.mark.parametrize("case", GOOD)
def test_what_the_loader_takes_is_valid(validator, loads, tiny, case):
    text = tiny(*GOOD[case])
    assert loads(text)
    validator.validate(tomllib.loads(text))


BAD = {
    "typo at the top": ("question", "qestion"),
    "typo in data": ("min_freq", "min_frequency"),
    "typo of an option": ("first_length", "firstlength"),
    "typo in base": ("epochs", "epoch"),
    "typo in grid": ("max_len", "maxlen"),
    "typo in compare": ("seeds = 2", "seeds = 2\n[compare]\nmargins = 0.1"),
    "text for a number": ("epochs = 2", 'epochs = "2"'),
    "truth for a number": ("epochs = 2", "epochs = true"),
    "a value that should be a list": ('["longest_first", "ratio"]', '"ratio"'),
    "another word": ('precision = "fp32"', 'precision = "fp64"'),
    "a negative rate": ("learning_rate = 1e-3", "learning_rate = -1e-3"),
    "no seed": ("seeds = 2", "seeds = 0"),
    "no question": ('question = "Does it matter?"\n', ""),
    "no grid": ("[grid]", "[compare]"),
    "no seeds": ("seeds = 2\n", ""),
    "an unknown reader": ('"probe"', '"prob"'),
    "no reason for an exclusion": ("seeds = 2", "seeds = 2\n[[exclude]]\nmax_len = 12"),
}


@pytest.mark.parametrize("case", BAD)
def test_common_mistakes_are_not_valid(validator, loads, tiny, case):
    text = tiny(*BAD[case])
    assert not loads(text)
    assert not validator.is_valid(tomllib.loads(text))


@pytest.mark.parametrize("table", ["data", "grid"])
def test_a_missing_table_is_not_valid(validator, tiny, table):
    study = tomllib.loads(tiny())
    del study[table]
    assert not validator.is_valid(study)


def test_splits_have_the_options_of_their_reader(validator, loads):
    assert loads(TABLE)
    validator.validate(tomllib.loads(TABLE))
    for old, new in (
        ('reader = "sick"', 'reader = "sick"\nrows = 3'),
        ('file = "one.csv"', 'fle = "one.csv"'),
        ('label = "l"', "label = 3"),
    ):
        wrong = TABLE.replace(old, new)
        assert not loads(wrong)
        assert not validator.is_valid(tomllib.loads(wrong)), new


def test_keys_are_those_of_the_loader_and_nearly_all_are_described(schema):
    study = schema["else"]["properties"]
    assert set(study["base"]["properties"]) == set(known_keys())
    assert set(study["grid"]["properties"]) == {*known_keys(), "seeds"}
    assert set(study["compare"]["properties"]) == set(Compare.model_fields)
    table = schema["definitions"]["split of table"]["else"]["properties"]
    assert set(table) == {*options_of("table"), "reader", "split"} - {"text", "target"}
    for section in ("base", "compare", "data"):
        keys = study[section]["properties"]
        assert [key for key in keys if not keys[key].get("description")] == []


def test_defaults_are_those_of_the_recipe(schema):
    keys = schema["else"]["properties"]["base"]["properties"]
    defaults = {each.name: each.default for each in fields(Recipe) if each.default is not None}
    assert {key: keys[key]["default"] for key in defaults} == defaults
