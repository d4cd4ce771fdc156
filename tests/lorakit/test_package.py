"""The adapter package: the same content gives the same bytes, and nothing hostile gets through."""

import gzip
import io
import json
import shutil
import struct
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lorakit import package
from lorakit.errors import PackageError
from lorakit.package import CONFIG, WEIGHTS, inspect, pack, unpack

Config = dict[str, Any]
GOOD: Config = {
    "peft_type": "LORA",
    "task_type": "CAUSAL_LM",
    "base_model_name_or_path": "/tmp/somewhere",
    "r": 2,
    "lora_alpha": 4,
    "target_modules": ["v_proj", "q_proj"],
    "bias": "none",
}


def tensors(changes: Config | None = None, *, rank: int = 2) -> bytes:
    """A small safetensors file by hand; `changes` replace header entries."""
    module = "base_model.model.model.layers.0.self_attn.q_proj"
    half = rank * 4 * 4
    header: dict[str, Any] = {
        f"{module}.lora_A.weight": {"dtype": "F32", "shape": [rank, 4], "data_offsets": [0, half]},
        f"{module}.lora_B.weight": {"dtype": "F32", "shape": [4, rank], "data_offsets": [half, 2 * half]},
    }
    text = json.dumps(header | (changes or {})).encode()
    return struct.pack("<Q", len(text)) + text + bytes(2 * half)


def directory(path: Path, config: Config = GOOD, weights: bytes | None = None) -> Path:
    """An unpacked adapter."""
    path.mkdir()
    (path / CONFIG).write_text(json.dumps(config))
    (path / WEIGHTS).write_bytes(tensors() if weights is None else weights)
    return path


def member(name: str, data: bytes = b"", **fields: Any) -> tuple[tarfile.TarInfo, bytes]:
    info = tarfile.TarInfo(name)
    info.size = len(data)
    for field, value in fields.items():
        setattr(info, field, value)
    return info, data


CONFIG_MEMBER = member(CONFIG, json.dumps(GOOD | {"target_modules": ["q_proj"]}).encode())
WEIGHTS_MEMBER = member(WEIGHTS, tensors())


def archive(path: Path, members: list[tuple[tarfile.TarInfo, bytes]], form: int = tarfile.USTAR_FORMAT) -> Path:
    """A tar.gz of the given members."""
    with tarfile.open(path, "w:gz", format=form) as tar:
        for info, data in members:
            tar.addfile(info, io.BytesIO(data))
    return path


def test_packing_twice_gives_the_same_bytes(tmp_path: Path) -> None:
    source = directory(tmp_path / "a")
    (source / "README.md").write_text("left out")
    first = pack(source, tmp_path / "1.tar.gz", "tiny-llama")
    moved = directory(tmp_path / "b", {**GOOD, "target_modules": ["q_proj", "v_proj"], "peft_version": "0.21.2"})
    assert pack(moved, tmp_path / "2.tar.gz", "tiny-llama") == first
    with tarfile.open(tmp_path / "1.tar.gz") as tar:
        assert tar.getnames() == [CONFIG, WEIGHTS]


def test_unpacking_gives_back_what_was_packed(tmp_path: Path) -> None:
    source = directory(tmp_path / "a")
    sha256 = pack(source, tmp_path / "p.tar.gz", "tiny-llama")
    info = unpack(tmp_path / "p.tar.gz", tmp_path / "out")
    assert (info.sha256, info.base_id, info.rank, info.parameters) == (sha256, "tiny-llama", 2, 16)
    assert (tmp_path / "out" / WEIGHTS).read_bytes() == (source / WEIGHTS).read_bytes()
    assert pack(tmp_path / "out", tmp_path / "again.tar.gz") == sha256


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"use_dora": True}, "unsupported"),
        ({"layers_to_transform": 0}, "unsupported"),
        ({"init_lora_weights": "pissa_niter_4"}, "changed_base"),
        ({"init_lora_weights": "OLoRA"}, "changed_base"),
        ({"init_lora_weights": "loftq"}, "changed_base"),
        ({"init_lora_weights": "not invented yet"}, "changed_base"),
        ({"init_lora_weights": 1.5}, "changed_base"),
        ({"not_invented_yet": "on"}, "unsupported"),
        ({"modules_to_save": ["lm_head"]}, "unsupported"),
        ({"bias": "all"}, "unsupported"),
        ({"peft_type": "IA3"}, "unsupported"),
        ({"r": 0}, "bad_rank"),
        ({"r": 4096}, "bad_rank"),
        ({"r": True}, "bad_rank"),
        ({"r": 3}, "bad_rank"),
        ({"lora_alpha": "big"}, "bad_alpha"),
        ({"target_modules": "all-linear"}, "bad_targets"),
    ],
)
def test_an_adapter_that_cannot_be_served_is_not_packed(tmp_path: Path, change: Config, code: str) -> None:
    with pytest.raises(PackageError) as caught:
        pack(directory(tmp_path / "a", GOOD | change), tmp_path / "p.tar.gz")
    assert caught.value.code == f"package:{code}"
    assert not (tmp_path / "p.tar.gz").exists()


A = "base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight"


@pytest.mark.parametrize(
    "weights",
    [
        b"",
        b"\x80\x04\x95pickle",
        struct.pack("<Q", 2**60) + b"{}",
        struct.pack("<Q", 2) + b"[]",
        tensors() + b"appended",
        tensors()[:-4],
        tensors({"evil": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}),
        tensors({A: {"dtype": "F32", "shape": [2, 4], "data_offsets": [0, 2**40]}}),
        tensors({A: {"dtype": "F32", "shape": [-2, -4], "data_offsets": [0, 32]}}),
        tensors({A: {"dtype": "OBJECT", "shape": [2, 4], "data_offsets": [0, 32]}}),
        tensors({A: {"dtype": "F32", "shape": [2, 4], "data_offsets": [32, 64]}}),
        tensors({A: "text"}),
        tensors(rank=1),
    ],
)
def test_weights_that_are_not_what_they_say_are_refused(tmp_path: Path, weights: bytes) -> None:
    path = archive(tmp_path / "p.tar.gz", [CONFIG_MEMBER, member(WEIGHTS, weights)])
    with pytest.raises(PackageError):
        inspect(path)


@pytest.mark.parametrize(
    ("members", "code"),
    [
        ([CONFIG_MEMBER], "missing_member"),
        ([CONFIG_MEMBER, CONFIG_MEMBER, WEIGHTS_MEMBER], "bad_member"),
        ([member("../" + CONFIG), WEIGHTS_MEMBER], "bad_member"),
        ([member("/etc/passwd", b"x")], "bad_member"),
        ([member("a/" + CONFIG)], "bad_member"),
        ([CONFIG_MEMBER, WEIGHTS_MEMBER, member("extra.py", b"import os")], "bad_member"),
        ([member(CONFIG, type=tarfile.SYMTYPE, linkname="/etc/passwd"), WEIGHTS_MEMBER], "bad_member"),
        ([member(CONFIG, type=tarfile.LNKTYPE, linkname=WEIGHTS), WEIGHTS_MEMBER], "bad_member"),
        ([member(CONFIG, type=tarfile.CHRTYPE), WEIGHTS_MEMBER], "bad_member"),
        ([member(CONFIG, type=tarfile.FIFOTYPE), WEIGHTS_MEMBER], "bad_member"),
        ([member(CONFIG, type=tarfile.DIRTYPE), WEIGHTS_MEMBER], "bad_member"),
        ([member(CONFIG, b" " * 100_000), WEIGHTS_MEMBER], "too_large"),
        ([member(CONFIG, b'{"r": 1, "r": 2}'), WEIGHTS_MEMBER], "bad_json"),
        ([member(CONFIG, b"[" * 60_000), WEIGHTS_MEMBER], "bad_json"),
        ([member(CONFIG, json.dumps(GOOD | {"auto_map": "x"}).encode()), WEIGHTS_MEMBER], "unknown_key"),
        ([member(CONFIG, json.dumps(GOOD | {"init_lora_weights": "pissa"}).encode()), WEIGHTS_MEMBER], "changed_base"),
    ],
)
def test_a_hostile_archive_is_refused(tmp_path: Path, members: list[tuple[tarfile.TarInfo, bytes]], code: str) -> None:
    path = archive(tmp_path / "p.tar.gz", members)
    with pytest.raises(PackageError) as caught:
        unpack(path, tmp_path / "out")
    assert caught.value.code == f"package:{code}"
    assert [entry.name for entry in tmp_path.iterdir()] == ["p.tar.gz"]


def test_extension_headers_are_refused(tmp_path: Path) -> None:
    info, data = CONFIG_MEMBER
    extended = tarfile.TarInfo(info.name)
    extended.size = info.size
    extended.pax_headers = {"GNU.sparse.major": "1"}
    path = archive(tmp_path / "p.tar.gz", [(extended, data), WEIGHTS_MEMBER], tarfile.PAX_FORMAT)
    with pytest.raises(PackageError) as caught:
        inspect(path)
    assert caught.value.code == "package:bad_member"


def truncate(data: bytes) -> bytes:
    return data[: len(data) // 2]


def append_archive(data: bytes) -> bytes:
    return data + gzip.compress(b"more" * 5000)


def corrupt(data: bytes) -> bytes:
    return data[:-8] + bytes(8)


def replace(data: bytes) -> bytes:
    return b"PK\x03\x04 not a gzip file"


@pytest.mark.parametrize("damage", [truncate, append_archive, corrupt, replace])
def test_a_damaged_file_is_refused(tmp_path: Path, damage: Callable[[bytes], bytes]) -> None:
    path = archive(tmp_path / "p.tar.gz", [CONFIG_MEMBER, WEIGHTS_MEMBER])
    inspect(path)
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(PackageError):
        inspect(path)


def test_a_bomb_is_stopped_by_its_header(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(package, "MAX_WEIGHTS_BYTES", 1_000_000)
    path = archive(tmp_path / "p.tar.gz", [CONFIG_MEMBER, member(WEIGHTS, bytes(5_000_000))])
    before = shutil.disk_usage(tmp_path).used
    with pytest.raises(PackageError) as caught:
        unpack(path, tmp_path / "out")
    assert caught.value.code == "package:too_large"
    assert shutil.disk_usage(tmp_path).used - before < 1_000_000
