"""Files of tensors: prefixes of models that wrap another, pointers of git-lfs, a file instead of a folder."""

import pytest
import torch
from safetensors.torch import save_file

from trimtab.config import InputError
from trimtab.model.loading import read
from trimtab.model.weights_files import read_pickle, read_safetensors, without_prefix

POINTER = "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n"
WRAPPERS = ["", "module.", "_orig_mod.", "module._orig_mod.", "_orig_mod.module."]


@pytest.mark.parametrize("prefix", WRAPPERS)
def test_the_prefixes_of_wrappers_are_left_out(tmp_path, prefix):
    tensors = {"bert.a": torch.ones(2), "bert.b": torch.zeros(1), "classifier.weight": torch.zeros(1)}
    named = {f"{prefix}{name}": tensor for name, tensor in tensors.items()}
    save_file(named, tmp_path / "model.safetensors")
    torch.save(named, tmp_path / "model.bin")
    assert list(read_safetensors(tmp_path / "model.safetensors")) == sorted(tensors)
    assert list(read_pickle(tmp_path / "model.bin")) == list(tensors)


def test_a_real_wrapper(tmp_path):
    model = torch.nn.DataParallel(torch.nn.Linear(2, 1))
    torch.save(model.state_dict(), tmp_path / "model.bin")
    assert list(read_pickle(tmp_path / "model.bin")) == ["weight", "bias"]


def test_a_prefix_that_not_all_names_share_stays(tmp_path):
    tensors = {"module.a": torch.ones(2), "b": torch.zeros(1)}
    torch.save(tensors, tmp_path / "model.bin")
    assert list(read_pickle(tmp_path / "model.bin")) == ["module.a", "b"]
    assert list(without_prefix({"model.a": torch.ones(1)}, "model.")) == ["a"]
    assert list(without_prefix({"model.a": torch.ones(1), "b": torch.ones(1)}, "model.")) == ["model.a", "b"]


@pytest.mark.parametrize("name", ["model.safetensors", "pytorch_model.bin", "config.json"])
def test_a_pointer_of_git_lfs_is_named(tmp_path, name):
    (tmp_path / "config.json").write_text('{"model_type": "bert"}')
    (tmp_path / name).write_text(POINTER)
    with pytest.raises(InputError) as raised:
        read(tmp_path)
    wanted = f"{tmp_path / name}: is a pointer of git-lfs, not the file itself; run git lfs pull"
    assert str(raised.value) == wanted


@pytest.mark.parametrize("name", ["model.safetensors", "pytorch_model.bin"])
def test_one_file_of_a_model_is_no_folder(tmp_path, name):
    (tmp_path / name).write_bytes(b"\x08" * 99)
    with pytest.raises(InputError) as raised:
        read(tmp_path / name)
    wanted = f"{tmp_path / name}: is one file of a model; name its folder, which has the tokeniser, too"
    assert str(raised.value) == wanted
