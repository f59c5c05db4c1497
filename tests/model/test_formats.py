"""Which weight formats hold which models; what their modules read and write is tested beside them."""

import pytest

from trimtab.config import InputError
from trimtab.model.formats import FORMATS, choose_format
from trimtab.model.sizes import D2L, architecture

ORIGINAL, TUTORIAL = architecture("1x8/8/2"), architecture("1x8/8/2", **D2L)
NEITHER = architecture("1x8/8/2", embedding_norm=False)


def test_a_model_goes_into_the_first_format_that_holds_it():
    assert choose_format(ORIGINAL) == choose_format(ORIGINAL, "hf") == "hf"
    assert choose_format(TUTORIAL) == choose_format(TUTORIAL, "d2l") == "d2l"
    both = architecture("1x8/8/2", **D2L | {"embedding_norm": True})
    assert [form.expresses(both) for form in FORMATS.values()] == [True, False]


@pytest.mark.parametrize(
    ("size", "asked", "message"),
    [
        (ORIGINAL, "hff", "format 'hff' is unknown; did you mean 'hf'?"),
        (TUTORIAL, "hf", "format 'hf' needs embedding_norm = true; train with that, or take format 'd2l'"),
        (architecture("1x8/8/2", activation="relu", epsilon=1e-5), "d2l", "'d2l' needs embedding_norm = fal"),
        (
            NEITHER,
            None,
            "holds models with embedding_norm = false, activation = 'gelu', epsilon = 1e-12, kind = 'bert'; "
            "train with embedding_norm = true or activation = 'relu', epsilon = 1e-05",
        ),
        (NEITHER, "d2l", "no weight format holds models with embedding_norm = false"),
    ],
)
def test_a_format_that_cannot_hold_a_model_says_what_it_needs(size, asked, message):
    with pytest.raises(InputError) as caught:
        choose_format(size, asked)
    assert message in str(caught.value)
