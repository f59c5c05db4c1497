import pytest
from pydantic import ValidationError

from trimtab.config import InputError
from trimtab.model.classifier import Classifier
from trimtab.model.sizes import MEANINGS, SIZES, architecture, describe


@pytest.mark.parametrize("size", ["tiny", "small", "1x8", "2x32/48/4"])
@pytest.mark.parametrize("embedding_norm", [True, False])
def test_parameters_are_those_of_the_model(size, embedding_norm):
    shape = architecture(size, embedding_norm=embedding_norm, positions=40)
    model = Classifier(shape, 123, 3)
    assert shape.parameters(123, 3) == sum(parameter.numel() for parameter in model.parameters())


def test_named_sizes_are_the_published_ones():
    numbers = {name: str(size) for name, size in SIZES.items()}
    assert numbers == {
        "tiny": "2x128/512/2",
        "small": "2x256/512/4",
        "medium": "8x512/2048/8",
        "base": "12x768/3072/12",
        "large": "24x1024/4096/16",
        "minilm": "6x384/1536/12",
        "mpnet": "12x768/3072/12",
    }
    small = SIZES["small"]
    assert (small.activation, small.embedding_norm, small.epsilon) == ("relu", False, 1e-5)
    others = {(s.activation, s.embedding_norm, s.epsilon) for s in SIZES.values() if s is not small}
    assert others == {("gelu", True, 1e-12), ("gelu", True, 1e-05)}  # the latter is MPNet's
    # BERT base uncased has 109,482,240 with its pooler; a classifier for 3 classes adds 3 * 769.
    assert SIZES["base"].parameters(30_522, 3) == 109_482_240 + 3 * 769


def test_numbers_have_defaults_and_round_trip():
    assert str(architecture("3x128")) == "3x128/512/2"
    assert str(architecture("3x128/100")) == "3x128/100/2"
    assert str(architecture("1x8")) == "1x8/32/1"
    assert architecture("2x256").initial_deviation == pytest.approx(1 / 16, abs=1e-3)
    assert str(architecture(str(architecture("2x32/64/2")))) == "2x32/64/2"


def test_settings_are_put_over_a_size():
    changed = architecture("tiny", dropout=0.0, activation="relu")
    assert (changed.dropout, changed.activation, changed.hidden) == (0.0, "relu", 128)
    assert SIZES["tiny"].dropout == 0.1


@pytest.mark.parametrize("size", ["smal", "", "2x", "x128", "2x128/", "2 x 128", "2x128/512/2/1"])
def test_an_unknown_size_is_refused_with_what_there_is(size):
    with pytest.raises(InputError, match="small"):
        architecture(size)


@pytest.mark.parametrize(
    ("size", "settings", "what"),
    [
        ("2x30/60/4", {}, "hidden must be divisible by heads"),
        ("0x128", {}, "greater than or equal to 1"),
        ("tiny", {"dropout": 1.0}, "less than 1"),
        ("tiny", {"activation": "swish"}, "gelu"),
        ("tiny", {"epsilon": 0.0}, "greater than 0"),
    ],
)
def test_wrong_numbers_are_refused(size, settings, what):
    with pytest.raises(ValidationError, match=what):
        architecture(size, **settings)


def test_every_size_is_described():
    assert set(MEANINGS) == set(SIZES)
    rows = describe()
    assert [row["size"] for row in rows] == list(SIZES)
    assert rows[3]["parameters (30,522 words, 2 classes)"] == "109,483,778"  # as transformers counts
