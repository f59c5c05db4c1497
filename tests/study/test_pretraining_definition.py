"""Study files of pretraining: what they resolve to, and a sentence for each mistake."""

from dataclasses import replace
from pathlib import Path

import pytest

from trimtab.config import InputError
from trimtab.study.pretraining_definition import load

STUDIES = Path(__file__).resolve().parents[2] / "studies"
MINIMAL = 'question = "How?"\n[data]\nreader = "wikitext"\n'


@pytest.fixture
def loaded(tmp_path):
    def load_text(text):
        path = tmp_path / "mine.toml"
        path.write_text(text)
        return load(path)

    return load_text


def test_the_tutorial_is_the_tutorial():
    study = load(STUDIES / "wikitext2.toml")
    assert str(study.size) == "2x128/256/2"
    assert (study.size.dropout, study.size.activation, study.size.embedding_norm) == (0.2, "relu", False)
    recipe = study.recipe
    assert (recipe.batch_size, recipe.optimizer, recipe.learning_rate) == (512, "adam", 0.01)
    assert (recipe.schedule, recipe.warmup, recipe.clip) == ("constant", 0.0, 0.0)
    assert (study.steps, study.max_len, study.min_freq, study.format) == (50, 64, 5, "d2l")
    assert (study.tied, study.average, study.validation.split) == (False, "real", "validation")
    assert study.name == "pretrain-wikitext2"


def test_its_twin_differs_in_the_average_alone():
    ours, padded = (load(STUDIES / f"wikitext2{name}.toml") for name in ("", "-padded"))
    other = replace(padded, path=ours.path, question=ours.question)
    assert other != ours
    assert replace(other, average="real") == ours


@pytest.mark.parametrize("path", sorted(STUDIES.glob("wikitext2*.toml")), ids=lambda path: path.stem)
def test_every_committed_study_loads(path):
    assert load(path).question


def test_defaults(loaded):
    study = loaded(MINIMAL)
    assert (study.format, study.tied, study.steps, study.seed, study.max_len) == ("d2l", False, None, 0, 128)
    assert study.recipe.epochs == 3
    whole = loaded(MINIMAL + '[base]\nsize = "tiny"\n')
    assert (whole.format, whole.tied) == ("hf", True)
    text = loaded('question = "?"\n[data]\nreader = "text"\nfile = "a.txt"\n')
    assert text.validation is None
    judged = loaded(
        'question = "?"\n[data]\nreader = "text"\nfile = "a.txt"\n[data.validation]\nfile = "b.txt"\n'
    )
    assert judged.validation.options == {"file": "b.txt"}
    assert judged.training.options == {"file": "a.txt"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            MINIMAL + "[grid]\nseeds = 2\n",
            r"has a \[grid\], so it is not a pretraining file; run it with",
        ),
        (MINIMAL + "[bas]\n", "top level: unknown key 'bas'; did you mean 'base'?"),
        ('quest = "?"\n', "top level: unknown key 'quest'; did you mean 'question'?"),
        ('question = "?"\n[data]\n', r"\[data\]: reader is missing"),
        ('question = "?"\n[data]\nreader = "wikitex"\n', r"\[data\]: no reader 'wikitex' of paragraphs, did"),
        (MINIMAL + "min_frq = 2\n", r"\[data\]: unknown key 'min_frq'; did you mean 'min_freq'?"),
        (MINIMAL + "min_freq = 0\n", r"\[data\]: min_freq = 0 is wrong; it should be greater than or equal"),
        (MINIMAL + "folder = 3\n", r"\[data\]: reader 'wikitext': folder = 3 is wrong"),
        (MINIMAL + "[data.validation]\nfile = 'x'\n", r"\[data.validation\]: unknown key 'file'"),
        (MINIMAL + "[base]\nlerning_rate = 1.0\n", r"\[base\]: unknown key 'lerning_rate'; did you mean"),
        (MINIMAL + "[base]\ntruncation = 'ratio'\n", r"\[base\]: unknown key 'truncation'"),
        (MINIMAL + "[base]\nimplementation = 'packed'\n", r"\[base\]: implementation is for studies"),
        (MINIMAL + "[base]\nsteps = 0\n", r"\[base\]: steps = 0 is wrong"),
        (MINIMAL + "[base]\nsteps = 5\nepochs = 2\n", r"\[base\]: has steps and epochs; keep one of them"),
        (MINIMAL + "[base]\nmax_len = 600\n", "max_len 600 is over the 512 rows of the position table"),
        (MINIMAL + "[base]\naverage = 'mean'\n", r"\[base\]: average = 'mean' is wrong"),
        (MINIMAL + "[base]\nsize = 'smal'\n", "size 'smal' is unknown"),
        (MINIMAL + "[base]\ntied = true\n", "format 'd2l' has no tied matrices; leave tied out, or set"),
        (
            'format = "hf"\n' + MINIMAL,
            "format 'hf' needs embedding_norm = true; train with that, or take format 'd2l'",
        ),
        (
            'format = "d2l"\n' + MINIMAL + "[base]\nsize = 'tiny'\n",
            "format 'd2l' needs activation = 'relu', embedding_norm = false, epsilon = 1e-05; train",
        ),
        ("question = ", "not valid TOML"),
    ],
)
def test_what_is_wrong_is_one_sentence(loaded, text, message):
    with pytest.raises(InputError, match=message) as caught:
        loaded(text)
    assert "mine.toml: " in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_missing_file_is_one_sentence(tmp_path):
    with pytest.raises(InputError, match=r"there is no such study file; name one, such as studies/wikitext2"):
        load(tmp_path / "none.toml")
