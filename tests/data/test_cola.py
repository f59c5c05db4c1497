import shutil
from zipfile import ZIP_DEFLATED, ZipFile

import numpy as np
import pytest

from small_data import dataset_of
from trimtab.config import InputError
from trimtab.data.dataset import DataPlan, SplitSource
from trimtab.data.readers import read

pytestmark = pytest.mark.usefixtures("own_environment")

COLA = 'gj04\t1\t\tHe saw her.\nb_82\t0\t*\tHer "saw he.\nb_82\t0\t??\tSeen he.\ngj04\t1\t\tHe saw her.\n'


def write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def said(*arguments, **options):
    with pytest.raises(InputError) as raised:
        read(*arguments, **options)
    assert "\n" not in str(raised.value)
    return str(raised.value)


def cola(folder, text=COLA, part="raw/in_domain_train"):
    return write(folder / "cola_public" / f"{part}.tsv", text)


def test_cola_has_single_sentences(tmp_path):
    cola(tmp_path)
    found = read("cola", "train", tmp_path)
    assert found.first == ["He saw her.", 'Her "saw he.', "Seen he.", "He saw her."]
    assert found.second is None
    assert found.label_names == ("unacceptable", "acceptable")
    assert found.labels.tolist() == [1, 0, 0, 1]
    assert found.clusters.tolist() == [0, 1, 2, 0]


def test_cola_from_its_zip_its_folder_and_within(tmp_path, monkeypatch):
    parts = ["raw/in_domain_train", "raw/in_domain_dev", "raw/out_of_domain_dev", "tokenized/in_domain_train"]
    for number, part in enumerate(parts):
        cola(tmp_path / "here" / "below", f"a\t1\t\tText {number}.\n", part)
    with ZipFile(tmp_path / "cola_public_1.1.zip", "w") as archive:
        for path in sorted((tmp_path / "here").rglob("*.tsv")):
            archive.write(path, path.relative_to(tmp_path / "here" / "below"))
    shutil.copytree(tmp_path / "here" / "below", tmp_path / "there")
    for root in ("here", "here/below", "here/below/cola_public", "there", "."):
        for number, split in enumerate(["train", "in_domain_dev", "out_of_domain_dev"]):
            assert read("cola", split, tmp_path / root).first == [f"Text {number}."]
        assert read("cola", "train", tmp_path / root, text="parse").first == ["Text 3."]
    assert read("cola", "validation", tmp_path / "here").first == ["Text 1."]
    assert read("cola", "test", tmp_path / "here").first == ["Text 2."]
    monkeypatch.chdir(tmp_path / "there")
    assert read("cola", "train").first == ["Text 0."]
    shutil.rmtree(tmp_path / "here")
    shutil.rmtree(tmp_path / "there" / "cola_public")
    found = read("cola", "in_domain_dev", tmp_path)
    assert found.source == f"{tmp_path}/cola_public_1.1.zip/cola_public/raw/in_domain_dev.tsv"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a\t1\t\tx\nb\t0\ty\n", ":2: 3 columns where there should be 4 (code, label, mark, text); correct"),
        ("a\t1\t\tx\tz\n", ":1: 5 columns where there should be 4"),
        ("a\n", ":1: 1 column where there should be 4"),
        ("a\t1\t\tx\n\nb\t2\t\ty\n", ":3: label '2' is not in the set, known: 0, 1 (correct the row)"),
        ("a\tyes\t\tx\n", ":1: label 'yes' is not in the set"),
        ("a\t1\t\t \n", ":1: nothing in column 'text'; fill it in"),
        (b"a\t1\t\tx\na\t1\t\t\xe9\n", ":2: byte 6 of the line is not valid UTF-8; save the file as UTF-8"),
        ("", ": no row with a label (0 were left out); name a file that has some"),
    ],
)
def test_a_wrong_line_of_cola_is_named(tmp_path, text, message):
    path = cola(tmp_path, text)
    assert said("cola", "train", tmp_path).startswith(f"{path}{message}")
    other = write(tmp_path / "mine.tsv", text)
    assert said("cola", "test", tmp_path, file="mine.tsv").startswith(f"{other}{message}")


def test_no_cola_and_a_corrupt_zip(tmp_path):
    sentence = said("cola", "train", tmp_path)
    assert sentence == (
        f"{tmp_path}: holds no cola_public/raw/in_domain_train.tsv, nor cola_public*.zip, there or a folder "
        "down; get it from https://nyu-mll.github.io/CoLA/cola_public_1.1.zip and name its folder with "
        "--data DIR"
    )
    path = write(tmp_path / "cola_public_1.1.zip", b"PK no zip")
    assert said("cola", "train", tmp_path).startswith(
        f"{path}: is truncated or corrupt (File is not a zip file)"
    )
    with ZipFile(path, "w") as archive:
        archive.writestr("cola_public/README", "nothing else")
    assert said("cola", "train", tmp_path).startswith(
        f"{path}: holds no cola_public/raw/in_domain_train.tsv;"
    )
    with ZipFile(path, "w") as archive:
        archive.writestr("cola_public/raw/in_domain_train.tsv", COLA)
    whole = path.read_bytes()
    path.write_bytes(whole.replace(b"He saw her.\nb_82", b"He saw HER.\nb_82"))
    assert "is truncated or corrupt (Bad CRC-32" in said("cola", "train", tmp_path)
    path.write_bytes(_encrypted(whole))
    assert "is truncated or corrupt (File 'cola_public/raw" in said("cola", "train", tmp_path)
    with ZipFile(path, "w", ZIP_DEFLATED) as archive:
        archive.writestr("cola_public/raw/in_domain_train.tsv", COLA)
    packed = bytearray(path.read_bytes())
    packed[75:80] = b"\xff" * 5  # within the packed lines
    path.write_bytes(packed)
    assert "is truncated or corrupt (Error -3 while decompressing" in said("cola", "train", tmp_path)


def _encrypted(archive):
    """The same, said to be encrypted: a flag in both headers of its one member."""
    flagged = bytearray(archive)
    flagged[6] |= 1
    flagged[flagged.index(b"PK\x01\x02") + 8] |= 1
    return bytes(flagged)


@pytest.mark.parametrize(
    ("split", "counts"), [("train", (2528, 6023)), ("validation", (162, 365)), ("test", (162, 354))]
)
@pytest.mark.parametrize("text", ["sentence", "parse"])
def test_the_real_cola_has_its_counts(shared_data, split, counts, text):
    found = read("cola", split, shared_data, text=text)
    assert tuple(np.bincount(found.labels)) == counts
    if text == "sentence":
        lines = (shared_data / "cola/cola_public/raw" / f"{found.source.rpartition('/')[2]}").read_text()
        expected = [line.split("\t") for line in lines.split("\n") if line]
        assert found.first == [row[3] for row in expected]
        assert found.labels.tolist() == [int(row[1]) for row in expected]


TUTORIAL = "Our friends won't buy this analysis, let alone the next one we propose."
IDS = [2256, 2814, 2180, 1005, 1056, 4965, 2023, 4106, 1010, 2292, 2894, 1996, 2279, 2028, 2057, 16599, 1012]


@pytest.mark.integration
def test_cola_in_word_pieces_and_in_two_parts_is_the_tutorials(shared_data, bert_vocabulary):
    tests = {name: SplitSource("cola", f"{name}_dev", {}) for name in ("in_domain", "out_of_domain")}
    made = [
        dataset_of(
            DataPlan(SplitSource("cola", "train", {}), 0.1, tests, str(bert_vocabulary), 5, True, seed),
            shared_data,
        )
        for seed in (0, 0, 42)
    ]
    for dataset in made:
        sizes = {name: len(split) for name, split in dataset.splits.items()}
        assert sizes == {"train": 7695, "validation": 856, "in_domain": 527, "out_of_domain": 516}
    validated = [dataset.splits["validation"].first.values.tobytes() for dataset in made]
    assert validated[0] == validated[1] != validated[2]
    parts = [made[0].splits[name].first for name in ("train", "validation")]
    assert max(int(part.lengths.max()) for part in parts) + 2 == 47
    rows = {tuple(row.tolist()) for part in parts for row in part}
    assert tuple(IDS) in rows
    assert made[0].tokenizer.encode(TUTORIAL, add_special_tokens=False).ids == IDS
