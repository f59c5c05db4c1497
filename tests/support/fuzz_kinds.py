"""What is fuzzed: for each kind of file that others write, some that are whole, and how they are read."""

import json
from pathlib import Path

import numpy as np

STUDIES = Path(__file__).resolve().parents[2] / "studies"


def study(folder):
    """Study files of every kind."""
    from trimtab.study import load
    from trimtab.study.pretraining_definition import load as load_pretraining

    files = []
    for path in sorted(STUDIES.glob("*.toml")):
        files.append(folder / path.name)
        text = path.read_text()
        if "[grid]" in text and "[[exclude]]" not in text and "max_len = [" in text:
            text += '\n[[exclude]]\nmax_len = 16\nbecause = "a trial"\n' if " 16," in text else ""
        files[-1].write_text(text)
    whole = {path: path.read_bytes() for path in files}

    def read():
        changed = [path for path in files if path.read_bytes() != whole[path]] or files
        for path in changed:
            (load if "[grid]" in whole[path].decode() else load_pretraining)(path)

    return files, read


def tables(folder):
    """CSV, TSV, JSON lines and Parquet, and a CSV in gzip."""
    import gzip

    import pyarrow as pa
    from pyarrow import parquet

    from trimtab.data.readers import read as read_data

    rows = [(f"text {n}, or so", f'a "second" {n}', ("yes", "no")[n % 2]) for n in range(8)]
    files = [folder / f"t.{ending}" for ending in ("csv", "tsv", "jsonl", "parquet")]
    quoted = ['"' + '","'.join(cell.replace('"', '""') for cell in row) + '"' for row in rows]
    files[0].write_text("a,b,label\n" + "\n".join(quoted) + "\n")
    files[1].write_text("a\tb\tlabel\n" + "\n".join(map("\t".join, rows)) + "\n")
    lines = [json.dumps(dict(zip(("a", "b", "label"), row, strict=True))) for row in rows]
    files[2].write_text("\n".join(lines) + "\n")
    columns = dict(zip(("a", "b", "label"), map(list, zip(*rows, strict=True)), strict=True))
    parquet.write_table(pa.table(columns), files[3])
    files.append(folder / "t.csv.gz")
    files[4].write_bytes(gzip.compress(files[0].read_bytes(), mtime=0))
    whole = {path: path.read_bytes() for path in files}

    def read():
        for path in [path for path in files if path.read_bytes() != whole[path]] or files:
            read_data("table", "train", None, file=str(path), first="a", second="b", label="label")

    return files, read


def weights(folder):
    """A Hugging Face folder with safetensors."""
    return _model(folder, pickled=False)


def pickled(folder):
    """A Hugging Face folder with pytorch_model.bin."""
    return _model(folder, pickled=True)


def _model(folder, pickled):
    import torch

    from small_models import words
    from trimtab.model import loading, weights_hf
    from trimtab.model.classifier import Classifier
    from trimtab.model.sizes import architecture
    from trimtab.model.weights import weights_of
    from trimtab.model.weights_files import read_safetensors

    size, tokenizer = architecture("1x8/8/1"), words()
    size = type(size)(**{**size.__dict__, "positions": 16})
    model = Classifier(size, tokenizer.get_vocab_size(), 2)
    place = folder / "model"
    place.mkdir()
    weights_hf.write(place, weights_of(model, size, ("a", "b")), tokenizer)
    tensors = place / "model.safetensors"
    if pickled:
        torch.save(read_safetensors(tensors), place / "pytorch_model.bin")
        tensors.unlink()
        tensors = place / "pytorch_model.bin"
    others = sorted(path for path in place.iterdir() if path.suffix in (".json", ".txt"))
    return [tensors, tensors, *others], lambda: loading.read(place)


def archive(folder):
    """d2l's archive: a zip of a vocabulary, a configuration and a pickle."""
    import shutil

    from small_models import words
    from trimtab.model import loading, weights_d2l
    from trimtab.model.classifier import Classifier
    from trimtab.model.sizes import architecture
    from trimtab.model.weights import weights_of

    size, tokenizer = architecture("1x8/8/1"), words()
    size = type(size)(**{**size.__dict__, "positions": 16, "embedding_norm": False})
    model = Classifier(size, tokenizer.get_vocab_size(), 2)
    (folder / "d2l").mkdir()
    weights_d2l.write(folder / "d2l", weights_of(model, size), tokenizer)
    shutil.make_archive(str(folder / "packed"), "zip", folder / "d2l")
    path = folder / "packed.zip"
    return [path], lambda: loading.read(path, heads=1)


def tokenizers(folder):
    """vocab.txt and tokenizer.json."""
    from small_tokenizers import byte_level, wordpiece
    from trimtab.data.encoding import encode
    from trimtab.data.input_template import InputTemplate
    from trimtab.data.tokenizer import build

    files = [folder / "vocab.txt", folder / "wordpiece.json", folder / "bytes.json"]
    vocabulary = wordpiece().get_vocab()
    files[0].write_text("\n".join(sorted(vocabulary, key=vocabulary.get)) + "\n")
    wordpiece(60).save(str(files[1]))
    byte_level(300).save(str(files[2]))
    whole = {path: path.read_bytes() for path in files}

    def read():
        for path in [path for path in files if path.read_bytes() != whole[path]] or files:
            made = build(str(path), [], min_freq=1)
            InputTemplate.of(made)
            encode(["two dogs are walking", "nobody \U0001f600 sleeps"], made)

    return files, read


def ledgers(folder):
    """Ledgers, with digests and, as older ones, without."""
    import shutil

    import handmade
    from damage import without_digests
    from trimtab.analysis.analysis import analyse
    from trimtab.ledger import Ledger
    from trimtab.ledger.examination import examine

    rng = np.random.default_rng(0)
    right = rng.random((2, 2, 6)) < 0.7
    handmade.write(folder / "new", {"test": right})
    shutil.copytree(folder / "new", folder / "old")
    without_digests(folder / "old")
    files = sorted(path for path in folder.rglob("*") if path.is_file() and "trial-1" not in str(path))
    whole = {path: path.read_bytes() for path in files}

    def read():
        for name in ("new", "old"):
            own = [path for path in files if path.is_relative_to(folder / name)]
            if any(path.read_bytes() != whole[path] for path in own):
                examine(folder / name)
                analyse(Ledger(folder / name))

    return files, read


def caches(folder):
    """The cache of tokens."""
    from small_models import words
    from trimtab.data.examples import Examples
    from trimtab.data.tokens import tokenise

    labels = np.arange(4) % 2
    texts = [f"w{n} w{n + 1}" for n in range(4)]
    examples = Examples(
        first=texts, second=texts, labels=labels, clusters=np.arange(4), label_names=("a", "b"), source="s"
    )
    tokens = tokenise(examples, words())
    expected = tokens.first.values.tolist()
    files = sorted(path for path in tokens.folder.iterdir() if path.is_file())
    del tokens

    def read():
        assert tokenise(examples, words()).first.values.tolist() == expected

    return files, read


KINDS = {
    "study": study,
    "tables": tables,
    "weights": weights,
    "pickled": pickled,
    "archive": archive,
    "tokenizers": tokenizers,
    "ledgers": ledgers,
    "caches": caches,
}
