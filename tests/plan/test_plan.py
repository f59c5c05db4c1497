"""The plan: identical inputs share their trials, and a key says what its trial depends on, nothing else."""

import dataclasses
import subprocess
import sys

import pytest

from trimtab.config import InputError
from trimtab.ledger.ledger import Ledger
from trimtab.ledger.records import RuntimeRecord, VariantRecord
from trimtab.ledger.trial_records import TrialConfig
from trimtab.plan.identity import precision_kind, trial_config
from trimtab.plan.plan import make_plan
from trimtab.plan.prepare import prepare
from trimtab.plan.records import variant_records
from trimtab.report.plan import plan_text

LONG, SHORT = 1, 0  # numbers of the variants at max_len 40 and 12 of the first truncation


@pytest.fixture
def plan(tmp_path, tiny, study_at):
    """plan(old, new, ...): the plan of the tiny study with replacements."""

    def made(*replacements, name="study"):
        study = study_at(tmp_path, tiny(*replacements), name)
        return make_plan(prepare(study))

    return made


def keys(made, seed=0):
    return {variant.name: trial_config(variant, seed).key for variant in made.variants}


def test_at_a_length_that_cuts_nothing_all_strategies_share_their_trials(plan):
    made = plan()
    found = keys(made)
    assert found["longest_first, max_len 40"] == found["ratio, max_len 40"]
    assert len(set(found.values())) == 3
    assert [variant.same_as for variant in made.variants] == [0, 1, 2, 1]
    assert [variant.inputs.hardly_cut for variant in made.variants] == [False, True, False, True]
    assert made.variants[1].inputs.fingerprint == made.variants[3].inputs.fingerprint


def test_a_contrast_of_which_neither_variant_cuts_much_is_named(plan, tmp_path):
    long = ("[8, 14]", "[8, 200]", "test = 60", "test = 1000", '"ratio"', '"longest_first+tail"')
    said = plan_text(plan(*long, "[12, 40]", "[12, 207]"), Ledger(tmp_path / "none"))
    assert (
        "as under 1 % of rows are cut: longest_first+tail, max_len 207 against longest_first, max_len 207.\n"
        in said
    )


def test_nothing_is_said_of_contrasts_that_are_not_about_the_cut(plan, tmp_path):
    sizes = (
        '["longest_first", "ratio"]',
        '["ratio"]',
        'size = "2x32/64/2"\n',
        "",
        "[grid]",
        '[grid]\nsize = ["2x32/64/2", "1x32/64/2"]',
    )
    made = plan(*sizes)
    said = plan_text(made, Ledger(tmp_path / "none"))
    assert sum(variant.inputs.hardly_cut for variant in made.variants) == 2
    assert "Hardly" not in said


def test_each_contrast_is_named_and_an_axis_without_any_is_warned_of(plan, tmp_path, study_at, tiny):
    one = tiny() + '[compare]\nbaseline = { truncation = "longest_first" }\n'
    said = plan_text(make_plan(prepare(study_at(tmp_path, one, "one"))), Ledger(tmp_path / "none"))
    named = (
        "2 contrasts, 1 of them tested; the others' inputs are identical.\n"
        "  against longest_first, max_len 12:\n"
        "    ratio, max_len 12\n"
        "  against longest_first, max_len 40:\n"
        "    ratio, max_len 40 (identical inputs)\n"
    )
    assert named in said
    line = 'baseline = [{ truncation = "longest_first" }, { max_len = 40 }]'
    assert "No contrast compares max_len: the study will not say what its values change." in said
    assert f"To compare with max_len 40, write in [compare]:\n    {line}\n" in said
    study = study_at(tmp_path, tiny() + f"[compare]\n{line}\n", "again")
    made = make_plan(prepare(study))
    assert len(made.contrasts) == 4
    assert "No contrast compares" not in plan_text(made, Ledger(tmp_path / "none"))


def test_a_test_set_that_is_also_validation_draws_a_remark(plan, tmp_path):
    with_rows = (
        "test = 60\n",
        "",
        "[base]",
        "[data.validation]\nsplit = 'test'\n[data.test]\ntest = 60\n[base]",
    )
    said = plan_text(plan(*with_rows), Ledger(tmp_path / "none"))
    assert "Test set test reads the same rows as validation, " in said
    assert "reads the same rows" not in plan_text(plan(), Ledger(tmp_path / "none"))


def test_lengths_that_cut_nothing_share_too(plan):
    found = keys(plan("[12, 40]", "[30, 40]"))
    assert len(set(found.values())) == 1


def test_the_size_tells_identical_inputs_apart(plan):
    made = plan('size = "2x32/64/2"\n', "", "[grid]", '[grid]\nsize = ["2x32/64/2", "1x32/64/2"]')
    assert len(set(keys(made).values())) == 6


def test_keys_depend_neither_on_names_nor_on_order_nor_on_other_variants(plan):
    whole = keys(plan())
    turned = keys(plan('["longest_first", "ratio"]', '["ratio", "longest_first"]', "[12, 40]", "[40, 12]"))
    assert turned == whole
    alone = keys(plan('["longest_first", "ratio"]', '["ratio"]', "[12, 40]", "[12]", name="another"))
    assert alone == {name: whole[name] for name in alone}
    spelt = keys(plan('["longest_first", "ratio"]', '["longest_first(tie=bert)+head"]'))
    assert sorted(spelt.values()) == sorted(whole[name] for name in whole if "longest" in name)


def test_keys_do_not_depend_on_what_is_asked_of_the_results(plan):
    compare = '[compare]\nscore = "matthews"\nmargin = 0.1'
    more = plan("seeds = 2", f"seeds = [1, 0, 5]\n{compare}", '"Does it matter?"', '"Another?"')
    assert keys(more) == keys(plan())


RECIPE = {
    "epochs = 2": "epochs = 1",
    "batch_size = 32": "batch_size = 16",
    "learning_rate = 1e-3": "learning_rate = 2e-3",
    'precision = "fp32"': 'precision = "bf16"',
}
ADDED = [
    'optimizer = "adam"',
    "weight_decay = 0.1",
    'schedule = "constant"',
    "warmup = 0.2",
    "clip = 0",
    "micro_batch = 8",
    "dropout = 0.0",
    'activation = "relu"',
    "embedding_norm = false",
    "positions = 64",
    "epsilon = 1e-5",
    "initial_deviation = 0.03",
    "layer_decay = 0.9",
    "reinitialise = 1",
    'frozen = "embeddings"',
    "frozen = 1",
]
DATA = {
    "seed": "min_freq = 1\nseed = 3",
    "length": "min_freq = 1\nevidence = 'head'",
    "frequency": "min_freq = 3",
}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        *RECIPE.items(),
        *[("epochs = 2", f"epochs = 2\n{line}") for line in ADDED],
        *[("min_freq = 1", line) for line in DATA.values()],
        ("train = 320", "train = 319"),
        ("test = 60", "test = 61"),
        ('"2x32/64/2"', '"1x32/64/2"'),
    ],
)
def test_a_key_depends_on_everything_that_is_trained(plan, old, new):
    assert not set(keys(plan()).values()) & set(keys(plan(old, new)).values())


def test_a_key_depends_on_the_seed_and_on_the_precision_that_was_measured(plan):
    variant = plan('precision = "fp32"\n', "").variants[0]
    assert len({trial_config(variant, seed).key for seed in range(3)}) == 3

    def measured(precision):
        runtime = RuntimeRecord(threads=1, device="cpu", precision={precision_kind(variant): precision})
        return trial_config(variant, 0, runtime)

    assert [measured(name).recipe.precision for name in ("fp32", "bf16")] == ["fp32", "bf16"]
    assert len({trial_config(variant, 0).key, measured("fp32").key, measured("bf16").key}) == 3
    unmeasured = trial_config(variant, 0, RuntimeRecord(threads=1, device="cpu"))
    assert unmeasured == trial_config(variant, 0)


def test_every_field_of_the_recipe_and_of_the_size_is_in_the_configuration(plan):
    variant = plan().variants[0]
    config = trial_config(variant, 5)
    assert config.recipe == variant.settings.recipe
    assert config.size == variant.settings.size
    assert config.seed == 5
    assert set(config.inputs) == {"train", "validation", "test"}
    written = config.model_dump(mode="json")
    assert written["recipe"] == dataclasses.asdict(variant.settings.recipe)
    assert written["size"] == dataclasses.asdict(variant.settings.size)
    assert "truncation" not in str(written)
    assert TrialConfig.model_validate_json(config.model_dump_json()) == config


def test_ceilings_follow_what_is_cut(plan):
    made = plan('["longest_first", "ratio"]', '["longest_first", "only_first(otherwise=longest_first)"]')
    ceilings = [variant.inputs["test"].ceilings["accuracy"] for variant in made.variants]
    assert ceilings[LONG] == 1
    assert 1 / 3 < ceilings[SHORT] < 1
    # Cutting only the first text keeps every word that decides in the second one.
    assert ceilings[2] >= 2 / 3


def test_a_truncation_that_refuses_a_row_is_named(plan):
    with pytest.raises(InputError, match=r"^only_second, max_len 12: train: .*only_second.*row"):
        plan('["longest_first", "ratio"]', '["only_second"]')


def test_a_length_without_room_for_the_special_tokens_is_named(plan):
    wanted = "longest_first, max_len 2: train: max_len 2 leaves no room beside the special tokens; use 4 or"
    with pytest.raises(InputError, match=wanted):
        plan("[12, 40]", "[2]")


def test_what_a_ledger_keeps_of_a_variant(plan):
    made = plan()
    record = variant_records(made, made.trials(None), [None] * 4)[3]
    assert (record.number, record.name, record.same_as) == (3, "ratio, max_len 40", 1)
    assert (record.truncation, record.max_len) == ("ratio", 40)
    assert record.audits["test"].pairs == 60
    assert set(record.label_audits["test"]) == {"entailment", "contradiction", "neutral"}
    assert record.trials == {seed: keys(made, seed)["ratio, max_len 40"] for seed in (0, 1)}
    assert VariantRecord.model_validate_json(record.model_dump_json()) == record


def test_variants_that_share_a_trial_want_it_once(plan):
    made = plan()
    trials = made.trials(None)
    assert len(trials) == len({trial.key for trial in trials}) == 6
    shared = [[variant.number for variant in trial.variants] for trial in trials if len(trial.variants) > 1]
    assert shared == [[1, 3], [1, 3]]
    assert [trial.seed for trial in trials] == [0, 0, 0, 1, 1, 1]


def test_a_plan_needs_no_torch(tmp_path, tiny, study_at):
    path = study_at(tmp_path, tiny()).path
    program = (
        "import sys; sys.modules['torch'] = None\n"
        "from trimtab.study import load\nfrom trimtab.plan.plan import make_plan\n"
        "from trimtab.plan.prepare import prepare\n"
        f"print(make_plan(prepare(load({str(path)!r}))).trials(None)[0].key)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.strip()) == 32


TABLE = """\
question = "Is it new?"
[data]
reader = "table"
first = "a"
label = "l"
[data.train]
file = "train.csv"
[data.validation]
file = "new.csv"
[data.test]
file = "new.csv"
[base]
size = "1x16/16/1"
max_len = 8
[grid]
truncation = ["longest_first"]
seeds = 1
"""


@pytest.fixture
def planned_table(tmp_path, study_at, monkeypatch):
    """planned_table(text): the plan of a study of two small tables."""
    monkeypatch.setenv("TRIMTAB_DATA", str(tmp_path))
    for name in ("train", "new"):
        lines = "".join(f"{name} {number},{number % 2}\n" for number in range(6))
        (tmp_path / f"{name}.csv").write_text("a,l\n" + lines)

    def made(text):
        study = study_at(tmp_path, text)
        return make_plan(prepare(study, tmp_path))

    return made


def test_no_model_is_tested_on_what_it_was_trained_on(planned_table):
    with pytest.raises(InputError) as caught:
        planned_table(
            TABLE.replace('[data.test]\nfile = "new.csv"', '[data.test]\nfile = "train.csv"\nsample = 4')
        )
    assert str(caught.value) == (
        "[data]: test set test reads the same rows as train, train.csv; name another file or split, "
        "so that models are tested on unseen rows"
    )


def test_no_test_set_chooses_the_epoch(planned_table):
    assert planned_table(TABLE).dataset.tests == ("test",)
    with pytest.raises(
        InputError, match=r"evaluate = 'best_loss' would choose the epoch on test set test, as"
    ):
        planned_table(TABLE.replace("max_len = 8", 'max_len = 8\nevaluate = "best_loss"'))
