"""What organisations see of base models."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings
from rest_framework.test import APIClient

from adapters.base_models.services import add_base_model
from adapters.models import Adapter, BaseModel
from adapters.offers.needs import needs_of
from adapters.recipes.measured import SMOLLM2
from tenants.models import Tenant
from tenants.scope import tenant_scope

URL = "/adapters/base-models/"
LLAMA_8B = {"hidden_size": 4096, "intermediate_size": 14336, "num_hidden_layers": 32, "num_attention_heads": 32}
LLAMA_70B = {"hidden_size": 8192, "intermediate_size": 28672, "num_hidden_layers": 80, "num_attention_heads": 64}


@pytest.fixture
def folder(tmp_path: Path, settings: Settings) -> Path:
    """A copy of the tiny base with facts and a licence of its own."""
    copy = tmp_path / "small"
    shutil.copytree(settings.BASE_MODEL_DIR, copy)
    (copy / "build.json").unlink()
    facts = {"name": "small", "title": "Small", "licence": "Apache-2.0", "source": "a wheel"}
    (copy / "base.json").write_text(json.dumps(facts | {"description": "Knows little."}))
    (copy / "LICENSE").write_text("You may use it.")
    (copy / "NOTICE.txt").write_text("By its makers.")
    return copy


def described(folder: Path, sizes: dict[str, Any]) -> BaseModel:
    """A base model of which only the configuration is there."""
    more = {"num_key_value_heads": 8, "vocab_size": 128256, "tie_word_embeddings": False}
    config = {"model_type": "llama", "architectures": ["LlamaForCausalLM"], **sizes, **more}
    (folder / "config.json").write_text(json.dumps(config))
    return BaseModel(location=str(folder), context_length=131072)


def test_the_page_says_what_each_can_do(
    folder: Path, as_bob: Client, as_charlie: Client, tenant: Tenant, tmp_path: Path
) -> None:
    base_model = add_base_model(folder=folder)
    BaseModel.objects.create(name="away", title="Away", location="s3://models/away")
    with tenant_scope(tenant.id):
        Adapter.objects.create(tenant=tenant, name="triage", base_model=base_model)
    away, small = (" ".join(text.split()) for text in as_bob.get(URL).content.decode().split("<section")[1:])
    for fact in (
        "Small",
        "Knows little.",
        "2.0 million",
        "2,048 tokens",
        "912.0 KB",
        "ml.g6.xlarge or larger",
        "Full text",
        "Apache-2.0",
        "a wheel",
    ):
        assert fact in small
    assert "<dt>Your adapters</dt><dd>1</dd>" in small
    assert away.count("not known") == 5
    assert "not measured on it" in away
    assert "Full text" not in away
    assert str(folder) not in small
    assert "<dt>Your adapters</dt><dd>0</dd>" in " ".join(as_charlie.get(URL).content.decode().split())


@pytest.mark.usefixtures("tenant")
def test_the_page_shows_what_was_measured_on_a_base(as_bob: Client) -> None:
    BaseModel.objects.create(
        name="small", title="Small", architecture=SMOLLM2.architecture, parameters=SMOLLM2.parameters
    )
    page = as_bob.get(URL).content.decode()
    assert "not measured on it" not in page
    measured = page.split("Recipes measured on it")[1]
    for figure in SMOLLM2.figures.values():
        assert f">{figure.mean:.2f}" in measured


def test_the_licence_can_be_read(folder: Path, as_bob: Client, as_charlie: Client) -> None:
    base_model = add_base_model(folder=folder)
    found = as_bob.get(f"{URL}{base_model.id}/licence/")
    assert found["Content-Type"] == "text/plain; charset=utf-8"
    assert found.content.decode() == "You may use it.\n\nBy its makers."
    (folder / "LICENSE").unlink()
    (folder / "NOTICE.txt").unlink()
    assert as_bob.get(f"{URL}{base_model.id}/licence/").status_code == 404
    away = BaseModel.objects.create(name="away", title="Away", location="s3://models/away")
    assert as_bob.get(f"{URL}{away.id}/licence/").status_code == 404


def test_rest_says_what_it_needs(folder: Path, api: APIClient) -> None:
    base_model = add_base_model(folder=folder)
    BaseModel.objects.create(name="away", title="Away")
    seen = {one["name"]: one["needs"] for one in api.get("/api/v1/base-models/").json()["results"]}
    assert seen["away"] is None
    assert seen["small"] == {
        "adapter": 933_888,
        "training": needs_of(base_model).training,  # type: ignore[union-attr]
        "serving": needs_of(base_model).serving,  # type: ignore[union-attr]
        "training_instance": "ml.g6.xlarge",
        "serving_instance": "ml.g6.xlarge",
    }


def test_an_8b_model_trains_on_24_gb_and_is_served_with_room_on_48(tmp_path: Path) -> None:
    needs = needs_of(described(tmp_path, LLAMA_8B))
    assert needs is not None
    assert 16e9 < needs.training < 21.6e9
    # 16.1 GB of weights, 16 slots of rank 16 and eight conversations of 4,096 tokens at 128 KiB a token.
    assert 20e9 < needs.serving < 24e9
    assert (needs.training_instance, needs.serving_instance) == ("ml.g6.xlarge", "ml.g6e.xlarge")


def test_a_70b_model_fits_on_no_single_gpu_in_bf16(tmp_path: Path) -> None:
    needs = needs_of(described(tmp_path, LLAMA_70B))
    assert needs is not None
    assert needs.serving > 141e9
    assert (needs.training_instance, needs.serving_instance) == ("ml.p5.4xlarge", None)


def test_an_unknown_family_needs_nobody_knows_what(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "mystery"}))
    assert needs_of(BaseModel(location=str(tmp_path))) is None
    assert needs_of(BaseModel(location="")) is None
