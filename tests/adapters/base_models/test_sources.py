"""Base models fetched from a hub, S3 and llama.cpp's format."""

import io
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import boto3
import numpy as np
import pytest
import torch
from django.core.management import CommandError, call_command
from gguf import GGUFWriter, TokenType
from pytest_django import Settings
from safetensors.torch import load_file
from transformers import AutoTokenizer

from adapters.base_models.sources import room
from adapters.base_models.sources.fetch import fetch
from adapters.base_models.sources.wanted import is_wanted
from adapters.models import BaseModel
from lorakit.digest import base_sha256
from rest.errors import PortalError
from tests.adapters.base_models.hub import COMMIT, Hub, running_hub
from tests.standin.deployment import running_standin


@pytest.fixture
def folder(tmp_path: Path, settings: Settings) -> Path:
    """A copy of the tiny base, with files that nobody wants beside it."""
    copy = tmp_path / "uploaded"
    shutil.copytree(settings.BASE_MODEL_DIR, copy)
    (copy / "build.json").unlink()
    (copy / "LICENSE").write_text("Apache License")
    for unwanted in ("pytorch_model.bin", "modeling_own.py", "consolidated.safetensors", "onnx/model.safetensors"):
        (copy / unwanted).parent.mkdir(exist_ok=True)
        (copy / unwanted).write_bytes(b"unwanted")
    return copy


@pytest.fixture
def into(tmp_path: Path) -> Path:
    return tmp_path / "base-models"


@pytest.fixture
def hub(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    with running_hub(folder) as hub:
        # What HF_ENDPOINT sets when huggingface_hub is first imported.
        monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", hub.url)
        template = f"{hub.url}/{{repo_id}}/resolve/{{revision}}/{{filename}}"
        monkeypatch.setattr("huggingface_hub.constants.HUGGINGFACE_CO_URL_TEMPLATE", template)
        monkeypatch.setattr("huggingface_hub.constants.HF_HUB_DISABLE_XET", True)
        yield hub


@pytest.fixture
def bucket(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The folder below models/small/, and nothing else but its neighbour."""
    with running_standin(tmp_path / "containers") as standin:
        monkeypatch.setenv("AWS_ENDPOINT_URL", standin.url)
        monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
        standin.make_bucket("weights")
        client = boto3.client("s3")
        for path in folder.rglob("*"):
            if path.is_file():
                client.upload_file(str(path), "weights", f"models/small/{path.relative_to(folder)}")
        client.put_object(Bucket="weights", Key="models/small-2/config.json", Body=b"{}")
        yield client


def facts(folder: Path) -> dict[str, str]:
    found: dict[str, str] = json.loads((folder / "base.json").read_text())
    return found


def names(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


WHOLE = {
    "LICENSE",
    "base.json",
    "chat_template.jinja",
    "config.json",
    "generation_config.json",
    "model.safetensors",
    "tokenizer.json",
    "tokenizer_config.json",
}


def refusal(source: str, into: Path, name: str = "") -> str:
    with pytest.raises(PortalError) as caught:
        fetch(source, name=name, into=into)
    assert caught.value.code in ("base_model:cannot_fetch", "base_model:bad_name")
    return caught.value.text


def test_a_model_of_the_hub(hub: Hub, into: Path, settings: Settings) -> None:
    fetched = fetch("hf://maker/small", name="", into=into)
    assert fetched == into / "small"
    assert names(fetched) == WHOLE
    assert base_sha256(fetched) == base_sha256(settings.BASE_MODEL_DIR)
    assert facts(fetched) == {
        "name": "small",
        "title": "small",
        "licence": "apache-2.0",
        "source": f"Hugging Face, maker/small, {COMMIT[:12]}",
    }


@pytest.mark.parametrize("source", ["https://huggingface.co/maker/small", f"hf://maker/small@{COMMIT}"])
def test_its_page_and_a_revision_are_addresses_too(hub: Hub, into: Path, source: str) -> None:
    assert names(fetch(source, name="other", into=into)) == WHOLE
    assert facts(into / "other")["name"] == "other"


def test_a_download_that_broke_off_goes_on(hub: Hub, into: Path, settings: Settings) -> None:
    hub.breaks_off.update({"model.safetensors", "tokenizer.json"})
    fetched = fetch("hf://maker/small", name="", into=into)
    assert base_sha256(fetched) == base_sha256(settings.BASE_MODEL_DIR)


def test_what_the_hub_refuses_is_said(hub: Hub, folder: Path, into: Path) -> None:
    assert "no public model maker/large" in refusal("hf://maker/large", into)
    assert "no revision v9" in refusal("hf://maker/small@v9", into)
    hub.is_gated = True
    assert "accept its licence" in refusal("hf://maker/small", into)
    hub.is_gated = False
    (folder / "config.json").unlink()
    assert "no config.json" in refusal("hf://maker/small", into)
    assert not (into / "small").exists()


def test_a_hub_that_cannot_be_reached(monkeypatch: pytest.MonkeyPatch, into: Path) -> None:
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", "http://127.0.0.1:9")
    assert "could not be reached" in refusal("hf://maker/small", into)


def test_a_folder_of_s3(bucket: Any, into: Path, settings: Settings) -> None:
    fetched = fetch("s3://weights/models/small/", name="", into=into)
    assert names(fetched) == WHOLE
    assert base_sha256(fetched) == base_sha256(settings.BASE_MODEL_DIR)
    assert facts(fetched) == {"name": "small", "source": "s3://weights/models/small"}


def test_what_s3_lacks_is_said(bucket: Any, into: Path) -> None:
    assert "no config.json directly below s3://weights/models" in refusal("s3://weights/models", into)
    assert "S3 did not give s3://elsewhere/small" in refusal("s3://elsewhere/small", into)


def test_facts_that_a_folder_has_go_first(bucket: Any, into: Path) -> None:
    said = json.dumps({"name": "theirs", "title": "Their own", "licence": "MIT"})
    bucket.put_object(Bucket="weights", Key="models/small/base.json", Body=said.encode())
    fetch("s3://weights/models/small", name="ours", into=into)
    assert facts(into / "ours") == {
        "name": "ours",
        "title": "Their own",
        "licence": "MIT",
        "source": "s3://weights/models/small",
    }


def test_a_disk_without_room_is_said_before_the_download(hub: Hub, into: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "SPARE_BYTES", 2**60)
    assert "has to stay free" in refusal("hf://maker/small", into)
    assert hub.read == []


def test_files_that_are_there_stay(hub: Hub, into: Path) -> None:
    (into / "small").mkdir(parents=True)
    assert "There are files in" in refusal("hf://maker/small", into)


@pytest.mark.parametrize("source", ["ftp://host/model", "hf://small", "hf://a/b/c/d", "s3://Weights/x"])
def test_other_addresses_are_not_known(source: str, into: Path) -> None:
    assert "no address that is known" in refusal(source, into)


@pytest.mark.parametrize("name", ["../up", "two words"])
def test_a_name_is_no_path(hub: Hub, into: Path, name: str) -> None:
    assert "A name has letters" in refusal("hf://maker/small", into, name)


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("model-00001-of-00002.safetensors", True),
        ("additional_chat_templates/tool_use.jinja", True),
        ("original/model.safetensors", False),
        ("../config.json", False),
        ("a/../../config.json", False),
        ("model.gguf", False),
    ],
)
def test_what_is_fetched(name: str, wanted: bool) -> None:
    assert is_wanted(name) is wanted


def write_gguf(path: Path, base: Path) -> None:
    """The tiny base as llama.cpp keeps it: rotary pairs side by side, the tokenizer as lists."""
    config = json.loads((base / "config.json").read_text())
    tokenizer = json.loads((base / "tokenizer.json").read_text())
    writer = GGUFWriter(path, "llama")
    writer.add_name("Tiny of the tests")
    writer.add_license("MIT")
    writer.add_context_length(config["max_position_embeddings"])
    writer.add_embedding_length(config["hidden_size"])
    writer.add_block_count(config["num_hidden_layers"])
    writer.add_feed_forward_length(config["intermediate_size"])
    writer.add_head_count(config["num_attention_heads"])
    writer.add_head_count_kv(config["num_key_value_heads"])
    writer.add_layer_norm_rms_eps(config["rms_norm_eps"])
    writer.add_rope_freq_base(config["rope_parameters"]["rope_theta"])
    writer.add_vocab_size(config["vocab_size"])
    vocabulary = sorted(tokenizer["model"]["vocab"], key=tokenizer["model"]["vocab"].get)
    special = {token["content"] for token in tokenizer["added_tokens"]}
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("smollm")
    writer.add_token_list(vocabulary)
    writer.add_token_types([TokenType.CONTROL if token in special else TokenType.NORMAL for token in vocabulary])
    writer.add_token_merges([" ".join(merge) for merge in tokenizer["model"]["merges"]])
    writer.add_eos_token_id(1)
    writer.add_pad_token_id(0)
    writer.add_chat_template((base / "chat_template.jinja").read_text())
    for name, tensor in load_file(base / "model.safetensors").items():
        values = tensor.float()
        if name.endswith(("q_proj.weight", "k_proj.weight")):
            heads = config["num_attention_heads"]
            values = values.reshape(heads, 2, -1, values.shape[1]).transpose(1, 2).reshape(values.shape)
        writer.add_tensor(_gguf_name(name), np.ascontiguousarray(values.numpy()))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def _gguf_name(name: str) -> str:
    for theirs, ours in (
        ("model.layers", "blk"),
        ("model.embed_tokens", "token_embd"),
        ("model.norm", "output_norm"),
        ("self_attn.q_proj", "attn_q"),
        ("self_attn.k_proj", "attn_k"),
        ("self_attn.v_proj", "attn_v"),
        ("self_attn.o_proj", "attn_output"),
        ("input_layernorm", "attn_norm"),
        ("post_attention_layernorm", "ffn_norm"),
        ("mlp.gate_proj", "ffn_gate"),
        ("mlp.up_proj", "ffn_up"),
        ("mlp.down_proj", "ffn_down"),
    ):
        name = name.replace(theirs, ours)
    return name


@pytest.mark.slow
def test_a_file_of_llama_cpp_gives_the_same_model(db: None, tmp_path: Path, settings: Settings) -> None:
    settings.PORTAL_VAR = tmp_path
    file = tmp_path / "Tiny.F32.gguf"
    write_gguf(file, settings.BASE_MODEL_DIR)
    said = io.StringIO()
    call_command("base_model", "add", str(file), "--title", "Tiny", stdout=said)
    added = BaseModel.objects.get()
    assert (added.name, added.title, added.licence, added.source) == (
        "tiny-f32",
        "Tiny",
        "MIT",
        "Tiny.F32.gguf, converted",
    )
    ours, theirs = (load_file(Path(place) / "model.safetensors") for place in (added.location, settings.BASE_MODEL_DIR))
    assert ours.keys() == theirs.keys()
    assert all(torch.equal(ours[name], theirs[name]) for name in ours)
    chat = [{"role": "user", "content": "Invoice 4711, due in 30 days."}, {"role": "assistant", "content": "Paid."}]
    tokenizers = [AutoTokenizer.from_pretrained(place) for place in (added.location, settings.BASE_MODEL_DIR)]
    first, second = (one(one.apply_chat_template(chat, tokenize=False))["input_ids"] for one in tokenizers)
    assert first == second


@pytest.mark.slow
def test_a_file_that_is_none_says_why(db: None, tmp_path: Path, settings: Settings) -> None:
    settings.PORTAL_VAR = tmp_path
    with pytest.raises(CommandError, match="There is no file"):
        call_command("base_model", "add", str(tmp_path / "none.gguf"), stdout=io.StringIO())
    (tmp_path / "broken.gguf").write_bytes(b"GGUF and then nothing")
    with pytest.raises(CommandError, match=r"broken\.gguf could not be converted: \w+"):
        call_command("base_model", "add", str(tmp_path / "broken.gguf"), stdout=io.StringIO())
    assert not BaseModel.objects.exists()


def test_what_lies_there_already_needs_no_room_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    free = SimpleNamespace(free=room.SPARE_BYTES + 10)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: free)
    room.need_room(tmp_path, 100, there=90)
    with pytest.raises(PortalError, match="has to stay free"):
        room.need_room(tmp_path, 101, there=90)
