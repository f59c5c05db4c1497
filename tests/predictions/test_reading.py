"""Files of predictions: what is refused, in one sentence each, and what reads alike."""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from predicted import rows_of, write_csv, write_json_lines
from trimtab.config import InputError
from trimtab.predictions.reading import read_predictions

SCORES = np.random.default_rng(0).integers(0, 5, (2, 3, 6)).astype(float)
ROWS = rows_of(SCORES)


def without(rows, *names):
    return [{key: value for key, value in row.items() if key not in names} for row in rows]


def labelled(rows, **more):
    return [row | more for row in without(rows, "score")]


def changed(place, **values):
    return [row | values if number == place else row for number, row in enumerate(ROWS)]


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (ROWS[:-1], r"1 combination of .* is missing: variant 'v1', seed 2, example 'e5'; give all"),
        (
            ROWS[:-5],
            r"5 combinations .* are missing: such as variant 'v1', seed 2, example 'e1'; .*'e3'; give",
        ),
        ([*ROWS, ROWS[0]], r"variant 'v0', seed 0 has example 'e0' 2 times \(1 example"),
        (changed(4, score="nan"), r"t\.csv:6: score 'nan' is no finite number"),
        (changed(4, score="1e999"), r"t\.csv:6: score '1e999' is no finite number"),
        (changed(4, score="good"), r"t\.csv:6: score 'good' is no finite number"),
        (changed(4, score=""), r"t\.csv:6: nothing in column 'score'"),
        (changed(4, example=""), r"t\.csv:6: nothing in column 'example'"),
        (changed(0, seed="1.5"), r"t\.csv:2: seed '1\.5' is not a whole number"),
        ([row | {"clusters": 1} for row in ROWS], r"unknown column 'clusters'.* did you mean 'cluster'\?"),
        ([row | {"cluster": 1} for row in ROWS], r"all examples of 'test' are in one cluster"),
        (
            [row | {"cluster": n} for n, row in enumerate(ROWS)],
            r"t\.csv:8: example 'e0' has cluster '6', and '0'",
        ),
        ([row for row in ROWS if row["example"] == "e0"], r"there is one example, 'e0'"),
        ([row for row in ROWS if row["variant"] == "v0"], r"'v0' is the only variant"),
        (without(ROWS, "score"), r"holds no predictions; give one of the columns score"),
        (without(ROWS, "example"), r"no column 'example'"),
        ([row | {"prediction": "a"} for row in ROWS], r"holds score and prediction; give one of"),
        (labelled(ROWS, prediction="a"), r"no column 'label' beside 'prediction'; .*--labels FILE"),
        ([row | {"label": "a"} for row in ROWS], r"holds both score and label"),
        (labelled(ROWS, label="a", prediction="a"), r"every label and prediction is 'a'; give two classes"),
        (labelled(ROWS, label=1, probability=1.5), r"t\.csv:2: the probabilities 1\.5 are not shares of 1"),
        (
            labelled(ROWS, label="a", probability=0.5),
            r"one probability is that of label 1, and there is .* 'a'",
        ),
        (labelled(ROWS, label="a", probability_a=0.5), r"only one class has a column probability_NAME"),
        (
            labelled(ROWS, label="c", probability_a=0.5, probability_b=0.5),
            r"label 'c' has no probability; there are those of a, b",
        ),
        ([row | {"test": "../up"} for row in ROWS], r"t\.csv:2: test set '\.\./up' would name files"),
    ],
)
def test_what_is_wrong_is_one_sentence(rows, message, tmp_path):
    with pytest.raises(InputError, match=message):
        read_predictions([str(write_csv(tmp_path / "t.csv", rows))])


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("t.csv", b"", r"is empty; its first line should name the columns"),
        ("t.csv", b"variant,seed,example,score\n", r"holds no row of predictions"),
        ("t.csv", "variant,seed,example,score\né,0,1,1\n".encode("latin1"), r"t\.csv:2: .* not valid UTF-8"),
        ("t.csv", b"variant,seed,example,score,score\n", r"2 columns are named 'score'"),
        ("t.jsonl", b"", r"is empty; write one object per line"),
        ("t.jsonl", b'{"example": 1, "score": 1}\n[1]\n', r"t\.jsonl:2: not a JSON object"),
        ("t.jsonl", b'{"example": 1, "score": 1}\n{"example": 2}\n', r"t\.jsonl:2: has no 'score', unlike"),
        ("t.jsonl", b'{"example": 1, "score": NaN}\n', r"t\.jsonl:1: score nan is no finite number"),
        ("t.jsonl", b'{"example": 1, "seed": true, "score": 1}\n', r"seed True is not a whole number"),
        ("t.parquet", b"no", r"is no Parquet file, or damaged"),
        ("t.pkl", b"no", r"is of no known kind; give "),
    ],
)
def test_files_that_are_no_tables(name, content, message, tmp_path):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=message):
        read_predictions([str(tmp_path / name)])


def test_labels_must_agree_between_variants(tmp_path):
    rows = [row | {"label": row["variant"], "prediction": "v0"} for row in without(ROWS, "score")]
    with pytest.raises(InputError, match=r"example 'e0' has label 'v1', and 'v0' in a row before"):
        read_predictions([str(write_csv(tmp_path / "t.csv", rows))])


def test_files_of_other_kinds_do_not_mix(tmp_path):
    one = write_csv(tmp_path / "one.csv", without(ROWS, "variant"))
    other = write_csv(tmp_path / "other.csv", labelled(without(ROWS, "variant"), label="a", prediction="b"))
    with pytest.raises(InputError, match=r"other\.csv: holds prediction, and .*one\.csv holds score"):
        read_predictions([str(one), str(other)])
    with pytest.raises(InputError, match=r"there is no such file"):
        read_predictions([str(tmp_path / "nothing.csv")])
    with pytest.raises(InputError, match=r"has a column 'variant', and is named 'x'"):
        read_predictions([f"x={write_csv(tmp_path / 't.csv', ROWS)}"])


def the_same(found, expected):
    assert found.variants == expected.variants
    assert [one.name for one in found.sets] == [one.name for one in expected.sets]
    for one, other in zip(found.sets, expected.sets, strict=True):
        assert one.examples == other.examples
        assert np.array_equal(one.labels, other.labels)
        assert {v: list(by) for v, by in one.outputs.items()} == {
            v: list(by) for v, by in other.outputs.items()
        }
        for variant, by_seed in one.outputs.items():
            for seed, values in by_seed.items():
                assert np.array_equal(values, other.outputs[variant][seed])


@pytest.fixture
def expected(tmp_path):
    return read_predictions([str(write_csv(tmp_path / "expected.csv", ROWS))])


def test_every_table_reads_alike(tmp_path, expected):
    pq.write_table(pa.Table.from_pylist(ROWS), tmp_path / "t.parquet")
    write_json_lines(tmp_path / "t.jsonl", ROWS)
    write_csv(tmp_path / "t.tsv", ROWS, "\t")
    for name in ("t.parquet", "t.jsonl", "t.tsv"):
        the_same(read_predictions([str(tmp_path / name)]), expected)
    for v, s, i in np.ndindex(SCORES.shape):
        assert expected.sets[0].outputs[v][s][i, 0] == SCORES[v, s, i]


def test_rows_may_stand_in_any_order(tmp_path, expected):
    """Examples are numbered as they come; what belongs to them moves along."""
    backward = read_predictions([str(write_csv(tmp_path / "b.csv", [*ROWS[:6], *ROWS[:5:-1]]))])
    the_same(backward, expected)


def test_files_name_variants_and_seeds(tmp_path, expected):
    """By VARIANT@SEED=FILE, by the end of a file's name, by their order; a file's name is the variant's."""
    for v in range(2):
        for s in range(3):
            rows = without([r for r in ROWS if (r["variant"], r["seed"]) == (f"v{v}", s)], "variant", "seed")
            write_csv(tmp_path / f"v{v}-seed{s}.csv", rows)
            write_csv(tmp_path / f"run{v}{s}.csv", rows)
        rows = without([r for r in ROWS if r["variant"] == f"v{v}"], "variant")
        write_csv(tmp_path / f"v{v}.csv", rows)
    both = [(v, s) for v in range(2) for s in range(3)]
    the_same(read_predictions([f"v{v}@{s}={tmp_path}/run{v}{s}.csv" for v, s in both]), expected)
    the_same(read_predictions([f"v{v}={tmp_path}/run{v}{s}.csv" for v, s in both]), expected)
    the_same(read_predictions([str(tmp_path / f"v{v}-seed{s}.csv") for v, s in both]), expected)
    the_same(read_predictions([str(tmp_path / f"v{v}.csv") for v in range(2)]), expected)


def test_probabilities_in_three_forms(tmp_path):
    """One of label 1, a list, and a column for each class."""
    rng = np.random.default_rng(1)
    share, label = rng.random((2, 2, 8)), rng.integers(0, 2, 8)
    base = [
        {"variant": v, "seed": s, "example": i, "label": int(label[i])} for v, s, i in np.ndindex(share.shape)
    ]
    given = [share[row["variant"], row["seed"], row["example"]] for row in base]
    forms = {
        "one": [{"probability": p} for p in given],
        "list": [{"probability": [1 - p, p]} for p in given],
        "columns": [{"probability_0": 1 - p, "probability_1": p} for p in given],
    }
    found = [
        read_predictions(
            [
                str(
                    write_json_lines(
                        tmp_path / f"{name}.jsonl", [a | b for a, b in zip(base, more, strict=True)]
                    )
                )
            ]
        )
        for name, more in forms.items()
    ]
    for one in found[1:]:
        the_same(one, found[0])
    logits = found[0].sets[0].outputs[0][0]
    assert np.exp(logits[:, 1]) == pytest.approx(share[0, 0])
    assert found[0].classes == ("0", "1")
