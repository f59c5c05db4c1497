"""A study file: what a good one resolves to, and the one sentence that a bad one is answered with."""

import re
from pathlib import Path

import pytest

from trimtab.config import InputError
from trimtab.study import load
from trimtab.study.grid import DeclaredContrast

STUDIES = Path(__file__).parents[2] / "studies"


@pytest.fixture
def study(tmp_path, tiny, study_at):
    """study(old, new, ...): the tiny study with replacements, loaded."""
    return lambda *replacements: study_at(tmp_path, tiny(*replacements))


@pytest.fixture
def sentence(study, tmp_path):
    """sentence(old, new, ...): what is said about the tiny study with replacements, after its path."""

    def said(*replacements):
        with pytest.raises(InputError) as caught:
            study(*replacements)
        text = str(caught.value)
        assert "\n" not in text
        assert text.startswith(f"{tmp_path / 'study.toml'}: ")
        return text.removeprefix(f"{tmp_path / 'study.toml'}: ")

    return said


GRIDS = [path for path in sorted(STUDIES.glob("*.toml")) if "[grid]" in path.read_text()]  # others pretrain


@pytest.mark.parametrize("path", GRIDS, ids=lambda path: path.stem)
def test_our_studies_load(path):
    study = load(path)
    assert study.name == path.stem
    assert study.question
    compares = study.contrasts and not path.stem.endswith("-recipes")  # a recipe claims nothing
    assert len(study.seeds) >= (3 if compares else 1)
    assert study.contrasts or len(study.variants) == 1


def test_the_grid_is_crossed_in_its_order(study):
    made = study()
    assert [variant.name for variant in made.variants] == [
        "longest_first, max_len 12",
        "longest_first, max_len 40",
        "ratio, max_len 12",
        "ratio, max_len 40",
    ]
    assert made.axes == {"truncation": ["longest_first", "ratio"], "max_len": [12, 40]}
    settings = made.variants[2].settings
    assert (str(settings.truncation), settings.max_len, str(settings.size)) == ("ratio", 12, "2x32/64/2")
    assert (settings.recipe.epochs, settings.recipe.precision) == (2, "fp32")
    assert (settings.recipe.optimizer, settings.recipe.clip) == ("adamw", 1.0)  # defaults
    assert not made.keep_weights
    assert not made.compare.cross


def test_settings_of_the_encoder_stand_beside_its_size(study):
    size = study("epochs = 2", "epochs = 2\ndropout = 0\npositions = 64").variants[0].settings.size
    assert (size.dropout, size.positions, size.hidden) == (0, 64, 32)


@pytest.mark.parametrize(("given", "seeds"), [("3", (0, 1, 2)), ("[0]", (0,)), ("[7, 0, 3]", (7, 0, 3))])
def test_seeds_are_a_number_or_a_list(study, given, seeds):
    assert study("seeds = 2", f"seeds = {given}").seeds == seeds


def test_by_default_the_first_truncation_and_the_longest_max_len_are_baselines(study):
    """The variants are longest_first at 12 and 40 and ratio at 12 and 40, in this order."""
    pairs = [(2, 0), (3, 1), (0, 1), (2, 3)]
    assert study().contrasts == tuple(DeclaredContrast(*pair, True) for pair in pairs)
    turned = study("[12, 40]", "[40, 12]")  # the longest, wherever it stands
    pairs = [(2, 0), (3, 1), (1, 0), (3, 2)]
    assert turned.contrasts == tuple(DeclaredContrast(*pair, True) for pair in pairs)


def test_another_baseline(study):
    made = study("seeds = 2", "seeds = 2\n[compare]\nbaseline = { max_len = 40 }\nmargin = 0.02")
    assert made.contrasts == (DeclaredContrast(0, 1, True), DeclaredContrast(2, 3, True))
    assert (made.compare.margin, made.compare.alpha, made.compare.exploratory) == (0.02, 0.05, False)


def test_accuracy_unless_the_study_names_another_score(study):
    made = study("seeds = 2", "seeds = 2\n[compare]\nalpha = 0.01")
    assert (made.compare.score, made.compare.margin) == ("accuracy", 0.005)
    made = study("seeds = 2", 'seeds = 2\n[compare]\nscore = "log_loss"\nmargin = 0.2')
    assert (made.compare.score, made.compare.margin) == ("log_loss", 0.2)


def test_a_whole_variant_as_baseline(study):
    made = study("seeds = 2", 'seeds = 2\n[compare]\nbaseline = { truncation = "ratio", max_len = 40 }')
    assert made.contrasts == (
        DeclaredContrast(0, 3, True),
        DeclaredContrast(1, 3, True),
        DeclaredContrast(2, 3, True),
    )


def test_without_several_truncations_the_first_axis_with_several_values_is_compared(study):
    made = study('["longest_first", "ratio"]', '["ratio"]')
    assert made.contrasts == (DeclaredContrast(0, 1, True),)
    made = study(
        '["longest_first", "ratio"]',
        '["ratio"]',
        "[12, 40]",
        "[12]",
        "epochs = 2",
        "",
        "[grid]",
        "[grid]\nepochs = [1, 2]",
    )
    assert made.contrasts == (DeclaredContrast(1, 0, True),)


def test_seeds_do_not_pair_two_sizes(study):
    grid = ("[grid]", '[grid]\nsize = ["2x32/64/2", "1x32/64/2"]', '["longest_first", "ratio"]', '["ratio"]')
    made = study('size = "2x32/64/2"\n', "", *grid)
    assert [contrast.paired for contrast in made.contrasts] == [False, False, True, True]


def test_one_variant_declares_no_contrast(study):
    made = study('truncation = ["longest_first", "ratio"]\n', "", "max_len = [12, 40]\n", "")
    assert [variant.name for variant in made.variants] == ["the only variant"]
    assert made.contrasts == ()


def test_several_baselines_add_their_contrasts_and_no_pair_twice(study):
    """The variants are longest_first at 12 and 40 and ratio at 12 and 40, in this order."""
    given = '[{ truncation = "longest_first" }, { max_len = 40 }, { truncation = "ratio", max_len = 40 }]'
    made = study("seeds = 2", f"seeds = 2\n[compare]\nbaseline = {given}")
    pairs = [(each.variant, each.baseline) for each in made.contrasts]
    assert pairs == [(2, 0), (3, 1), (0, 1), (2, 3), (0, 3)]


def test_weights_are_an_axis_and_pair_no_seeds_across_it(study):
    grid = ("[grid]", '[grid]\nweights = ["none", "minilm"]', '["longest_first", "ratio"]', '["ratio"]')
    made = study(*grid)
    assert [variant.name for variant in made.variants][1:3] == [
        "weights none, ratio, max_len 40",
        "weights minilm, ratio, max_len 12",
    ]
    assert [variant.settings.starts_from for variant in made.variants] == [None, None, "minilm", "minilm"]
    assert made.contrasts[:2] == (DeclaredContrast(2, 0, False), DeclaredContrast(3, 1, False))
    within = study(*grid, "seeds = 2", "seeds = 2\n[compare]\nbaseline = { max_len = 12 }")
    assert within.contrasts == (DeclaredContrast(1, 0, True), DeclaredContrast(3, 2, True))


@pytest.mark.parametrize(
    ("replacements", "said"),
    [
        (("epochs = 2", "epochs = 2\nweights = 3"),
         "[base]: weights = 3 is wrong; it should be a name or a path, or 'none'"),
        (("epochs = 2", 'epochs = 2\nweights = "minilm"', "min_freq = 1", 'tokenizer = "words"'),
         "[data]: tokenizer is for variants without weights, of which there are none; leave it out, as "
         "weights are read with the tokeniser that they bring"),
        (("epochs = 2", "epochs = 2\nfrozen = 3"),
         "frozen = 3 is more than the 2 layers of the encoder; lower it"),
        (("epochs = 2", "epochs = 2\nreinitialise = 3"),
         "reinitialise = 3 is more than the 2 layers of the encoder; lower it"),
        (("epochs = 2", "epochs = 2\nfrozen = 1\nreinitialise = 2"),
         "frozen = 1 and reinitialise = 2 meet in an encoder of 2 layers; lower one of them"),
        (("epochs = 2", 'epochs = 2\nfrozen = "embedding"'),
         "[base]: frozen = 'embedding' is wrong; it should be 'none' or 'embeddings'"),
        (("epochs = 2", "epochs = 2\nlayer_decay = 0"),
         "[base]: layer_decay = 0 is wrong; it should be greater than 0"),
    ],
)  # fmt: skip
def test_what_cannot_start(sentence, replacements, said):
    assert sentence(*replacements) == said


def test_an_exclusion_takes_variants_and_their_contrasts_out(study):
    made = study("seeds = 2", 'seeds = 2\n[[exclude]]\ntruncation = "ratio"\nmax_len = 12\nbecause = "so"')
    assert [variant.name for variant in made.variants][2:] == ["ratio, max_len 40"]
    assert made.contrasts == (DeclaredContrast(2, 1, True), DeclaredContrast(0, 1, True))
    assert made.excluded == (({"truncation": "ratio", "max_len": 12}, "so"),)


EXCLUDE = "seeds = 2\n[[exclude]]\n"
COMPARE = "seeds = 2\n[compare]\n"


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("question", "qestion", "top level: unknown key 'qestion'; did you mean 'question'?"),
        ("[base]", "[bsae]", "top level: unknown key 'bsae'; did you mean 'base'?"),
        ('question = "Does it matter?"', "", "top level: question is missing; give it a value"),
        (
            '"Does it matter?"',
            "5",
            "top level: question = 5 is wrong; it should be a valid string",
        ),
        ("\nsize =", "\nsise =", "[base]: unknown key 'sise'; did you mean 'size'?"),
        ("epochs = 2", 'epochs = "2"', "[base]: epochs = '2' is wrong; it should be a whole number"),
        (
            "epochs = 2",
            "epochs = 0",
            "[base]: epochs = 0 is wrong; it should be greater than or equal to 1",
        ),
        (
            "epochs = 2",
            'epochs = 2\noptimizer = "sgd"',
            "[base]: optimizer = 'sgd' is wrong; it should be 'adam' or 'adamw'",
        ),
        (
            "learning_rate = 1e-3",
            'learning_rate = "high"',
            "[base]: learning_rate = 'high' is wrong; it should be a valid number",
        ),
        (
            '"2x32/64/2"',
            '"tinny"',
            "[base]: size 'tinny' is unknown (did you mean 'tiny'?); or write numbers: 2x256/512/4",
        ),
        (
            '"2x32/64/2"',
            "5",
            "[base]: size = 5 is wrong; it should be a name such as 'small', or '2x256/512/4'",
        ),
        (
            '"2x32/64/2"',
            '"0x32/64/2"',
            "[base]: size '0x32/64/2': its numbers must be 1 or more, as in 2x256/512/4",
        ),
        (
            '"2x32/64/2"',
            '"2x32/64/3"',
            "[base]: size 2x32/64/3: hidden must be divisible by heads (3)",
        ),
        ("max_len", "maxlen", "[grid]: unknown key 'maxlen'; did you mean 'max_len'?"),
        ("[12, 40]", "12", "[grid]: max_len = 12 is wrong; it should be a list of values"),
        ("[12, 40]", "[]", "[grid]: max_len = [] is wrong; it should be a list of values"),
        ("[12, 40]", "[12, 12]", "[grid]: max_len names a value twice; keep one"),
        ("[12, 40]", '["12"]', "[grid]: max_len = '12' is wrong; it should be a whole number"),
        ("[12, 40]", "[true]", "[grid]: max_len = True is wrong; it should be a whole number"),
        ("[12, 40]", "[0]", "max_len = 0 is wrong; it should have room for special tokens and a text"),
        ("[12, 40]", "[-5]", "max_len = -5 is wrong; it should have room for special tokens and a text"),
        (
            "[12, 40]",
            "[600]",
            "max_len 600 is over the 512 rows of the position table; lower it, or set positions",
        ),
        (
            '"ratio"',
            '"ration"',
            "[grid]: truncation 'ration': no split is called 'ration'; did you mean 'ratio'?",
        ),
        (
            '"ratio"',
            '"ratio+tial"',
            "[grid]: truncation 'ratio+tial': no selection is called 'tial'; did you mean 'tail'?",
        ),
        (
            '"ratio"',
            "5",
            "[grid]: truncation = 5 is wrong; it should be a string such as 'ratio+tail'",
        ),
        (
            "seeds = 2",
            "",
            "[grid]: seeds is missing; say how many, such as seeds = 5, or list them",
        ),
        (
            "epochs = 2",
            "epochs = 2\nmax_len = 16",
            "max_len is set in both [base] and [grid]; keep one",
        ),
        (
            "seeds = 2",
            EXCLUDE + "max_len = 12",
            "[[exclude]]: because is missing; say why these variants are left out",
        ),
        (
            "seeds = 2",
            EXCLUDE + 'because = "so"',
            "[[exclude]] names no axis, so it would exclude everything; name at least one",
        ),
        (
            "seeds = 2",
            EXCLUDE + 'because = "so"\nmax_len = 13',
            "[[exclude]]: max_len = 13 is not in [grid]; it has 12, 40",
        ),
        (
            "seeds = 2",
            EXCLUDE + 'because = "so"\nmaxlen = 12',
            "[[exclude]]: 'maxlen' is not an axis of [grid]; did you mean 'max_len'?",
        ),
        (
            "seeds = 2",
            EXCLUDE + 'because = "so"\nmax_len = 12\n[[exclude]]\nbecause = "so"\nmax_len = 40',
            "[[exclude]] leaves no variant; exclude less",
        ),
        (
            "seeds = 2",
            COMPARE + "basline = {}",
            "[compare]: unknown key 'basline'; did you mean 'baseline'?",
        ),
        (
            "seeds = 2",
            COMPARE + 'baseline = { trucation = "ratio" }',
            "[compare] baseline: 'trucation' is not an axis of [grid]; did you mean 'truncation'?",
        ),
        (
            "seeds = 2",
            COMPARE + "baseline = [{ max_len = 40 }, {}]",
            "[compare] baseline names no axis; name at least one, or leave baseline out",
        ),
        (
            "seeds = 2",
            COMPARE + "baseline = 3",
            "[compare]: baseline = 3 is wrong; it should be some coordinates of a variant, or a list of such",
        ),
        (
            "seeds = 2",
            COMPARE + 'baseline = { truncation = "tail" }',
            "[compare] baseline: truncation = 'tail' is not in [grid]; it has longest_first, ratio",
        ),
        (
            "seeds = 2",
            COMPARE + "margin = 0",
            "[compare]: margin = 0 is wrong; it should be greater than 0",
        ),
        (
            "seeds = 2",
            COMPARE + "alpha = 1.5",
            "[compare]: alpha = 1.5 is wrong; it should be less than 1",
        ),
        (
            "seeds = 2",
            COMPARE + "exploratory = 1",
            "[compare]: exploratory = 1 is wrong; it should be true or false",
        ),
        (
            "seeds = 2",
            COMPARE + 'score = "mathews"\nmargin = 0.1',
            "[compare]: score 'mathews' is unknown: did you mean 'matthews'?",
        ),
        ("seeds = 2", COMPARE + "score = 1", "[compare]: score = 1 is wrong; it should be a valid string"),
        (
            "seeds = 2",
            COMPARE + 'score = "matthews"',
            "[compare]: margin is missing, as score 'matthews' has none by default; give the largest "
            "difference that counts as equivalent, in units of the Matthews correlation",
        ),
        (
            "seeds = 2",
            COMPARE + 'score = "log_loss"',
            "[compare]: margin is missing, as score 'log_loss' has none by default; give the largest "
            "difference that counts as equivalent, in nats",
        ),
        (
            "seeds = 2",
            COMPARE + 'score = "macro_f1"',
            "[compare]: margin is missing, as score 'macro_f1' has none by default; give the largest "
            "difference that counts as equivalent, in macro F1 as a share, where 0.01 is one point",
        ),
    ],
)
def test_a_wrong_file_is_answered_in_a_sentence(sentence, old, new, said):
    assert sentence(old, new) == said


@pytest.mark.parametrize("given", ["0", "-1", '"2"', "2.0", "true", "[]", "[1, 1]", "[-1]", "[0.5]"])
def test_wrong_seeds(sentence, given):
    value = {"true": "True", '"2"': "'2'"}.get(given, given)
    assert sentence("seeds = 2", f"seeds = {given}") == (
        f"[grid]: seeds = {value} is wrong; give their number, at least 1, or a list of different whole "
        "numbers from 0 on"
    )


def test_max_len_may_be_as_long_as_the_position_table(study):
    assert study("[12, 40]", "[512]").variants[0].settings.max_len == 512


def said_of(path):
    with pytest.raises(InputError) as caught:
        load(path)
    return str(caught.value)


def test_a_file_that_is_not_there(tmp_path):
    path = tmp_path / "nowhere.toml"
    assert said_of(path) == f"{path}: there is no such study file; name one, such as studies/quickstart.toml"


def test_a_file_that_cannot_be_read(tmp_path):
    assert said_of(tmp_path) == f"{tmp_path}: cannot be read (Is a directory); name a TOML file in UTF-8"
    path = tmp_path / "study.toml"
    path.write_bytes(b'question = "\xff"')
    assert re.fullmatch(
        rf"{path}: cannot be read \('utf-8' .* byte 0xff in position 12.*\); name a TOML file in UTF-8",
        said_of(path),
    )


def test_a_file_that_is_not_toml(tmp_path):
    path = tmp_path / "study.toml"
    path.write_text("seeds = [")
    assert said_of(path) == f"{path}: not valid TOML: Invalid value (at end of document)"


def test_a_name_of_its_own(study):
    assert study().name == "study"
    assert study("seeds = 2", "seeds = 2\n[compare]\nalpha = 0.1").given_name is None
    made = study('question = "Does it matter?"', 'question = "Does it matter?"\nname = "lengths-2"')
    assert made.name == "lengths-2"


def test_a_margin_in_points(study):
    for text, margin in (
        ('"0.5 points"', 0.005),
        ('"1 point"', 0.01),
        ('".25points"', 0.0025),
        ("0.02", 0.02),
    ):
        made = study("seeds = 2", f"seeds = 2\n[compare]\nmargin = {text}")
        assert made.compare.margin == pytest.approx(margin, rel=1e-12)
        assert made.warnings == ()
    made = study("seeds = 2", 'seeds = 2\n[compare]\nscore = "macro_f1"\nmargin = "2 points"')
    assert made.compare.margin == 0.02


def test_a_margin_that_is_probably_meant_in_points_draws_a_warning(study):
    [warning] = study("seeds = 2", "seeds = 2\n[compare]\nmargin = 0.5").warnings
    assert warning.endswith(
        '[compare]: margin = 0.5 is 50 points; if you mean 0.5 points, write margin = "0.5 points"'
    )
    assert not study("seeds = 2", 'seeds = 2\n[compare]\nscore = "log_loss"\nmargin = 0.5').warnings


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (
            "seeds = 2",
            'seeds = 2\n[compare]\nmargin = "0.5 %"',
            "margin = '0.5 %' is wrong; it should be a number",
        ),
        (
            "seeds = 2",
            'seeds = 2\n[compare]\nscore = "log_loss"\nmargin = "1 point"',
            "[compare]: margin = '1 point' is in points, and log_loss is not; give a number",
        ),
        ("seeds = 2", 'seeds = 2\n[compare]\nscore = "f1"\nmargin = 1', "did you mean 'macro_f1'?"),
        ("learning_rate", "lr", "[base]: unknown key 'lr'; did you mean 'learning_rate'?"),
        ('"probe"', '"csv"', "did you mean 'table'?"),
        (
            "seeds = 2",
            "seeds = 2\nkeep_weights = true",
            "[grid]: keep_weights belongs to the top level; put it above the first [section]",
        ),
        ("epochs = 2", "seeds = 2", "[base]: seeds belongs to [grid]; put it into [grid]"),
        (
            "min_freq = 1",
            "batch_size = 1",
            "[data]: batch_size belongs to [base]; put it into [base], or a list of values into [grid]",
        ),
        ("seeds = 2", "seeds = 2\nmargin = 1", "[grid]: margin belongs to [compare]; put it into [compare]"),
        (
            '"Does it matter?"',
            '"Does it?"\nname = "a/b"',
            "top level: name = 'a/b' is wrong; it should consist of",
        ),
    ],
)
def test_what_a_newcomer_writes(sentence, old, new, said):
    assert said in sentence(old, new)


LOOKS = "seeds = 2\n\n[compare]\nlooks = "


def test_looks_are_numbers_of_seeds_and_the_last_one_is_all_of_them(study):
    found = study("seeds = 2", "[compare]\nlooks = [2, 3, 5]")
    assert (found.seeds, found.compare.looks) == ((0, 1, 2, 3, 4), (2, 3, 5))
    found = study("seeds = 2", "seeds = [4, 1, 9]\n\n[compare]\nlooks = [2, 3]")
    assert (found.seeds, found.compare.looks) == ((4, 1, 9), (2, 3))
    assert study().compare.looks == ()


@pytest.mark.parametrize(
    "given", ["[2]", "[1, 2]", "[3, 2]", "[2, 2]", "2", '"2, 3"', "[2.0, 3]", "[true, 3]"]
)
def test_wrong_looks(sentence, given):
    assert sentence("seeds = 2", LOOKS + given).endswith(
        "is wrong; it should be two or more numbers of seeds, rising, from 2 on, as in [3, 5, 8, 12]"
    )


def test_looks_that_do_not_fit_the_study(sentence):
    assert sentence("seeds = 2", LOOKS + "[2, 3]") == (
        "[compare]: the last of looks is 3 and [grid] has 2 seeds; make them agree, or leave seeds out of "
        "[grid]"
    )
    assert sentence("seeds = 2", "[compare]\nlooks = [2, 3]\nexploratory = true") == (
        "[compare]: looks hold the family-wise error, and exploratory the false discovery rate; leave one of "
        "them out"
    )
    alone = ('["longest_first", "ratio"]', '["ratio"]', "[12, 40]", "[12]")
    assert sentence(*alone, "seeds = 2", "[compare]\nlooks = [2, 3]") == (
        "[compare]: looks are for contrasts, of which the study declares none; leave looks out"
    )
