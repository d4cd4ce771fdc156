"""A new base model can't have the name of something that a tenant's callers ask for."""

import io
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from pytest_django import Settings
from structlog.testing import capture_logs

from adapters.base_models.names import NAME_IN_USE, in_words
from adapters.base_models.services import add_base_model, ensure_base_model
from adapters.models import Adapter, BaseModel
from adapters.operator.checking import check
from rest.errors import Conflict
from tenants.models import Tenant
from tenants.scope import tenant_scope

pytestmark = pytest.mark.django_db
Named = Callable[[Tenant, str], Adapter]


@pytest.fixture
def folder(tmp_path: Path, settings: Settings) -> Path:
    copy = tmp_path / "small"
    shutil.copytree(settings.BASE_MODEL_DIR, copy)
    (copy / "build.json").unlink()
    (copy / "base.json").write_text(json.dumps({"name": "small"}))
    return copy


@pytest.fixture
def adapter_named(settings: Settings) -> Named:
    def make(tenant: Tenant, name: str) -> Adapter:
        base, _ = BaseModel.objects.get_or_create(name="older", location=str(settings.BASE_MODEL_DIR))
        with tenant_scope(tenant.id):
            adapter: Adapter = Adapter.objects.create(tenant=tenant, name=name, base_model=base)
        return adapter

    return make


def test_the_name_of_any_tenants_adapter_is_refused(folder: Path, tenant: Tenant, adapter_named: Named) -> None:
    adapter_named(tenant, "small")
    with pytest.raises(Conflict) as caught:
        add_base_model(folder=folder)
    assert (caught.value.code, caught.value.field) == (NAME_IN_USE, "name")
    assert "“small” is the name of an adapter of Alder Law, " in caught.value.text
    assert add_base_model(folder=folder, name="smaller").name == "smaller"


def test_one_that_has_the_name_already_is_read_again(folder: Path, tenant: Tenant, adapter_named: Named) -> None:
    add_base_model(folder=folder)
    adapter_named(tenant, "small")
    assert add_base_model(folder=folder, title="Small").title == "Small"


def test_the_command_refuses_it_before_it_fetches(tenant: Tenant, adapter_named: Named, tmp_path: Path) -> None:
    adapter_named(tenant, "small")
    for words in (("hf://maker/small",), (str(tmp_path / "absent.gguf"), "--name", "small")):
        with pytest.raises(CommandError, match="“small” is the name of an adapter of Alder Law"):
            call_command("base_model", "add", *words, stdout=io.StringIO())


def test_a_folder_that_a_starting_site_finds_is_left_out_and_no_tenant_named(
    folder: Path, tenant: Tenant, adapter_named: Named, tmp_path: Path, settings: Settings
) -> None:
    settings.PORTAL_VAR = tmp_path
    (tmp_path / "base-models").mkdir()
    folder.rename(tmp_path / "base-models" / "found")
    adapter_named(tenant, "small")
    said = io.StringIO()
    call_command("bootstrap", stderr=said)
    assert "found was not added: an organisation uses its name. Change it in base.json." in said.getvalue()
    assert "Alder" not in said.getvalue()
    assert not BaseModel.objects.filter(name="small").exists()


def test_the_sites_own_base_is_added_all_the_same_and_the_clash_said(
    folder: Path, tenant: Tenant, other_tenant: Tenant, adapter_named: Named
) -> None:
    adapter_named(tenant, "own"), adapter_named(other_tenant, "own")
    with capture_logs() as logged:
        own = ensure_base_model(name="own", title="Own", folder=folder)
    assert {"event": "base_model_name_in_use", "base_model": "own", "uses": 2, "log_level": "warning"} in logged
    assert "Alder" not in str(logged)
    (finding,) = (one.text for one in check(own) if one.level == "wrong")
    assert "the name of an adapter of Alder Law and an adapter of Cedar Care" in finding


def test_a_long_list_of_uses_is_cut() -> None:
    uses = [("adapter", f"Tenant {number}") for number in range(5)]
    assert in_words(uses[:1]) == "an adapter of Tenant 0"
    assert in_words([("router", "Alder Law")]) == "a router of Alder Law"
    assert in_words(uses) == "an adapter of Tenant 0, an adapter of Tenant 1, an adapter of Tenant 2 and 2 more"
