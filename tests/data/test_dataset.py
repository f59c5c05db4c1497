import numpy as np
import pytest

from small_data import dataset_of
from trimtab.config import InputError
from trimtab.data.dataset import DataPlan, Dataset, SplitSource, read_splits
from trimtab.data.input_template import bert_template
from trimtab.data.readers import read
from trimtab.data.tokenizer import SpecialTokens, build

pytestmark = pytest.mark.usefixtures("own_environment")

LABELS = ("no", "yes")


def table(folder, name, rows):
    """A CSV of (first, second, label, cluster) rows; the SplitSource that reads it."""
    lines = ["first,second,label,cluster", *(",".join(row) for row in rows)]
    (folder / f"{name}.csv").write_text("\n".join(lines) + "\n")
    options = {"file": f"{name}.csv", "first": "first", "second": "second", "label": "label"}
    return SplitSource("table", name, options | {"cluster": "cluster"})


def rows(count, *, labels=LABELS, clusters=None, word="w"):
    """Rows whose texts name their number; ``clusters`` of them, or each its own."""
    return [
        (f"{word}{i} a", f"b {word}{i}", labels[i % len(labels)], f"c{i % (clusters or count)}")
        for i in range(count)
    ]


def plan(train, validation, tests, **changes):
    fields = {"tokenizer": "whitespace", "min_freq": 1, "lowercase": True} | changes
    return DataPlan(train, validation, tests, **fields)


def words(dataset, name):
    """The first texts of a split, read back from its tokens."""
    return [dataset.tokenizer.decode(row.tolist()) for row in dataset.splits[name].first]


@pytest.mark.parametrize(("count", "clusters", "share"), [(200, None, 0.1), (200, 40, 0.25), (97, 30, 0.5)])
def test_hold_out_takes_whole_clusters(tmp_path, count, clusters, share):
    given = rows(count, clusters=clusters)
    source = table(tmp_path, "train", given)
    dataset = dataset_of(plan(source, share, {"test": source}), tmp_path)
    held_out = {row[3] for row in given} - clusters_of(dataset, "train", given)
    assert held_out
    expected = sum(row[3] in held_out for row in given)
    assert len(dataset.splits["validation"]) == expected
    assert len(dataset.splits["train"]) == count - expected
    largest = -(-count // (clusters or count))
    assert share * count - largest < expected <= np.ceil(share * count)
    assert len(np.unique(dataset.splits["validation"].clusters)) == len(held_out)
    assert dataset.splits["validation"].clusters.max() == len(held_out) - 1
    rest = [row for row in given if row[3] not in held_out]
    assert words(dataset, "train") == [row[0] for row in rest]
    assert dataset.splits["train"].labels.tolist() == [LABELS.index(row[2]) for row in rest]


def clusters_of(dataset, name, given):
    """The clusters whose rows stand in a split, by the words of its texts."""
    cluster = {row[0]: row[3] for row in given}
    return {cluster[text] for text in words(dataset, name)}


def test_no_text_stands_on_both_sides(tmp_path):
    given = [(f"w{i % 20} a", f"b {i}", "yes", f"c{i % 20}") for i in range(100)]
    source = table(tmp_path, "train", [*given, ("x", "y", "no", "c0")])
    vocabulary = tmp_path / "tokenizer.json"
    build("whitespace", [" ".join(row[:2]) for row in given], min_freq=1).save(str(vocabulary))
    dataset = dataset_of(plan(source, 0.3, {"test": source}, tokenizer=str(vocabulary)), tmp_path)
    sides = [set(words(dataset, name)) for name in ("train", "validation")]
    assert not sides[0] & sides[1]
    assert 4 <= len(sides[1]) <= 6


def test_hold_out_is_fixed_and_takes_one_cluster_at_least(tmp_path):
    source = table(tmp_path, "train", rows(90, clusters=3))
    made = [dataset_of(plan(source, 0.1, {"test": source}), tmp_path) for _ in range(2)]
    assert [len(dataset.splits["validation"]) for dataset in made] == [30, 30]
    assert words(made[0], "train") == words(made[1], "train")


@pytest.mark.parametrize(("count", "share"), [(855, 0.1), (30, 0.1), (10, 0.3), (97, 0.5), (1000, 0.2)])
def test_what_is_left_to_train_on_is_the_share_rounded_down(tmp_path, count, share):
    source = table(tmp_path, "train", rows(count))
    for seed in (0, 7):
        made = read_splits(plan(source, share, {"test": source}, validation_seed=seed), tmp_path)
        sizes = {name: len(split) for name, split in made.items()}
        assert sizes == {
            "train": int((1 - share) * count),
            "validation": count - sizes["train"],
            "test": count,
        }


def test_another_seed_holds_out_other_clusters(tmp_path):
    source = table(tmp_path, "train", rows(90, clusters=30))
    kept = []
    for seed in (0, 0, 1):
        made = dataset_of(plan(source, 0.2, {"test": source}, validation_seed=seed), tmp_path)
        kept.append(clusters_of(made, "train", rows(90, clusters=30)))
        assert len(made.splits["validation"]) == 18
        assert len(kept[-1]) == 24
    assert kept[0] == kept[1] != kept[2]


def test_hold_out_of_the_only_cluster_leaves_nothing_to_train_on(tmp_path):
    source = table(tmp_path, "train", rows(9, clusters=1))
    with pytest.raises(InputError, match="split train is empty"):
        dataset_of(plan(source, 0.1, {"test": source}), tmp_path)


def test_an_unseen_word_of_another_split_is_unknown(tmp_path):
    train, other = (table(tmp_path, name, rows(10, word=name)) for name in ("train", "other"))
    dataset = dataset_of(plan(train, other, {"test": other}), tmp_path)
    vocabulary = dataset.tokenizer.get_vocab()
    assert set(vocabulary) - {"<unk>", "<pad>", "<mask>", "<cls>", "<sep>"} == {
        "a",
        "b",
        *(f"train{i}" for i in range(10)),
    }
    row = dataset.splits["test"].first[0].tolist()
    assert row == [vocabulary["<unk>"], vocabulary["a"]]
    assert dataset.vocabulary == len(vocabulary)


def test_labels_agree_between_the_splits(tmp_path):
    train = table(tmp_path, "train", rows(12, labels=("b", "a", "c")))
    one = table(tmp_path, "one", rows(6, labels=("c", "b")))
    dataset = dataset_of(plan(train, one, {"one": one, "two": train}), tmp_path)
    assert dataset.label_names == ("a", "b", "c")
    assert dataset.splits["train"].labels.tolist() == [1, 0, 2] * 4
    for name in ("one", "validation"):
        assert dataset.splits[name].labels.tolist() == [2, 1] * 3
    assert dataset.tests == ("one", "two")
    assert list(dataset.splits) == ["train", "validation", "one", "two"]
    assert dataset.splits["train"].second is not None


def test_a_label_that_train_has_not_is_named_with_its_line(tmp_path):
    train = table(tmp_path, "train", rows(12))
    odd = table(tmp_path, "odd", [*rows(3), ("x", "y", "maybe", "c")])
    for validation, test in ((train, odd), (odd, train)):
        with pytest.raises(InputError, match=r"odd\.csv:5: label 'maybe'"):
            dataset_of(plan(train, validation, {"test": test}), tmp_path)


def test_labels_agree_across_readers(tmp_path):
    probe = SplitSource("probe", "train", {"train": 30})
    own = table(tmp_path, "own", rows(6, labels=("neutral", "contradiction")))
    dataset = dataset_of(plan(probe, 0.2, {"own": own}), tmp_path)
    assert dataset.label_names == ("entailment", "contradiction", "neutral")
    assert dataset.splits["own"].labels.tolist() == [2, 1] * 3
    sorted_names = table(tmp_path, "sorted", rows(6, labels=("neutral", "entailment", "contradiction")))
    dataset = dataset_of(plan(sorted_names, probe, {"test": sorted_names}), tmp_path)
    assert dataset.label_names == ("contradiction", "entailment", "neutral")
    own_ids = read("probe", "train", train=30).labels
    assert dataset.splits["validation"].labels.tolist() == [(1, 0, 2)[label] for label in own_ids]
    strange = table(tmp_path, "strange", rows(6))
    with pytest.raises(InputError, match="label 'no' is not in the set"):
        dataset_of(plan(probe, 0.2, {"strange": strange}), tmp_path)


def test_an_empty_split_is_an_input_error(tmp_path):
    train, empty = table(tmp_path, "train", rows(12)), table(tmp_path, "empty", [])
    for splits in (
        (empty, 0.1, {"test": train}),
        (train, empty, {"test": train}),
        (train, 0.1, {"test": empty}),
    ):
        with pytest.raises(InputError, match=r"empty\.csv"):
            dataset_of(plan(*splits), tmp_path)


def test_splits_must_agree_on_the_second_text(tmp_path):
    pair = table(tmp_path, "pair", rows(12))
    single = SplitSource("table", "x", {key: value for key, value in pair.options.items() if key != "second"})
    for train, test in ((pair, single), (single, pair)):
        with pytest.raises(InputError, match="train and test must both have a second text, or neither"):
            dataset_of(plan(train, 0.2, {"test": test}), tmp_path)
    with pytest.raises(InputError, match="train and validation must both have"):
        dataset_of(plan(pair, single, {"test": pair}), tmp_path)
    dataset = dataset_of(plan(single, 0.2, {"test": single}), tmp_path)
    assert dataset.splits["train"].second is None
    assert dataset.splits["test"].second is None


def test_word_pieces_drop_evidence_and_words_keep_it(tmp_path):
    probe = SplitSource("probe", "test", {"test": 40})
    vocabulary = tmp_path / "vocab.txt"
    vocabulary.write_text("\n".join(["[UNK]", "[CLS]", "[SEP]", "the", *(f"##{c}" for c in "abc")]))
    kept = dataset_of(plan(probe, 0.2, {"test": probe}), tmp_path)
    dropped = dataset_of(plan(probe, 0.2, {"test": probe}, tokenizer="vocab.txt"), tmp_path)
    for name in ("train", "validation", "test"):
        assert kept.splits[name].evidence.shape == (len(kept.splits[name]), 2)
        assert dropped.splits[name].evidence is None


def test_a_vocabulary_with_gaps_has_a_row_for_its_largest_id(tmp_path):
    path = tmp_path / "vocab.txt"
    path.write_text("\n".join(["[UNK]", "[CLS]", "[SEP]", "a", "a", "a", "b"]))
    source = table(tmp_path, "train", rows(12))
    dataset = dataset_of(plan(source, 0.2, {"test": source}, tokenizer="vocab.txt"), tmp_path)
    assert dataset.splits["train"].second.values.max() == 6
    assert dataset.vocabulary == 7


def test_a_missing_vocabulary_is_an_input_error(tmp_path):
    source = table(tmp_path, "train", rows(12))
    with pytest.raises(InputError, match=r"no file .*nowhere\.txt"):
        dataset_of(plan(source, 0.2, {"test": source}, tokenizer="nowhere.txt"), tmp_path)


def test_counts_are_of_every_split(tmp_path):
    source = table(tmp_path, "train", rows(40, clusters=10))
    dropping = SplitSource("table", "x", source.options | {"drop": ["no"]})
    dataset = dataset_of(plan(source, dropping, {"test": dropping}), tmp_path)
    counts = {each.split: (each.rows, each.dropped, each.clusters) for each in dataset.counts}
    assert counts == {"train": (40, 0, 10), "validation": (20, 20, 5), "test": (20, 20, 5)}
    assert all(each.source.endswith("train.csv") for each in dataset.counts)


@pytest.mark.integration
def test_snli_with_bert_pieces(tmp_path, shared_data, bert_vocabulary):
    dev = SplitSource("snli", "validation", {"text": "sentence"})
    dataset = dataset_of(plan(dev, 0.1, {"test": dev}, tokenizer=str(bert_vocabulary)), shared_data)
    assert isinstance(dataset, Dataset)
    assert dataset.vocabulary == 30_522
    assert dataset.template == bert_template(SpecialTokens(101, 102))
    sizes = {name: len(split) for name, split in dataset.splits.items()}
    assert sizes["test"] == 9_842
    assert sizes["train"] + sizes["validation"] == 9_842
    assert 985 - 30 <= sizes["validation"] <= 985  # a tenth, rounded up
    premises = [{row.tobytes() for row in dataset.splits[name].first} for name in ("train", "validation")]
    assert not premises[0] & premises[1]


def test_rows_that_train_has_too_are_counted(tmp_path):
    source = table(tmp_path, "train", rows(40))
    again = table(tmp_path, "again", [*rows(3), ("other a", "b", "yes", "c")])
    held_out = table(tmp_path, "held_out", [("another", "b", "yes", "c"), ("another a", "b", "no", "c")])
    made = dataset_of(plan(source, held_out, {"test": again, "whole": source}), tmp_path)
    repeated = {counts.split: counts.repeated for counts in made.counts}
    assert repeated == {"train": 0, "validation": 0, "test": 3, "whole": 40}


def test_one_label_is_nothing_to_learn(tmp_path):
    source = table(tmp_path, "train", [(f"a{n}", "b", "yes", f"c{n}") for n in range(9)])
    with pytest.raises(InputError, match=r"train.csv: every row has the label 'yes'; use a label column"):
        dataset_of(plan(source, 0.1, {"test": source}), tmp_path)


def test_labels_that_differ_in_white_space_are_refused(tmp_path):
    rows = "".join(f"text {n},{label}\n" for n, label in enumerate(["no", "no ", "yes", "no"] * 5))
    (tmp_path / "t.csv").write_text("a,label\n" + rows)
    source = SplitSource("table", "train", {"file": "t.csv", "first": "a", "label": "label"})
    plan = DataPlan(source, 0.2, {"test": source}, "words", 1, lowercase=True)
    with pytest.raises(InputError, match="the labels 'no' and 'no ' differ in white space or case alone"):
        read_splits(plan, tmp_path)
