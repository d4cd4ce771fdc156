"""The operator's page refuses a name that a tenant's callers send, and says whose it is."""

from pathlib import Path

import pytest
from django.test import Client

from adapters.base_models.names import NAME_IN_USE
from adapters.base_models.services import add_base_model
from adapters.models import Adapter, BaseModelWork, WorkState
from adapters.operator.doing import do_work
from adapters.operator.services import start_addition, try_again
from rest.errors import Conflict
from tenants.models import Tenant, User
from tenants.scope import tenant_scope

pytestmark = pytest.mark.django_db
SOURCE = "hf://maker/small"
SAID = "“small” is the name of an adapter of Alder Law"


@pytest.fixture
def named(uploaded: Path, tenant: Tenant) -> None:
    """Alice has an adapter called `small`."""
    base_model = add_base_model(folder=uploaded, name="other")
    with tenant_scope(tenant.id):
        Adapter.objects.create(tenant=tenant, name="small", base_model=base_model)


def test_it_is_said_at_the_field(named: None, as_olga: Client) -> None:
    page = as_olga.post("/operator/base-models/new/", {"folder": SOURCE, "name": "small"})
    assert SAID in page.context["form"].errors["name"][0]
    assert not BaseModelWork.objects.exists()


def test_an_addition_that_failed_is_not_tried_again(named: None) -> None:
    work = BaseModelWork.objects.create(kind="add", name="small", source=SOURCE, state=WorkState.FAILED)
    with pytest.raises(Conflict, match=SAID) as caught:
        try_again(work=work)
    assert caught.value.code == NAME_IN_USE


def test_an_addition_during_which_the_name_was_taken_fails_in_words(uploaded: Path, olga: User, tenant: Tenant) -> None:
    work = start_addition(source="uploaded", name="small", facts={}, started_by=olga)
    base_model = add_base_model(folder=uploaded, name="other")
    with tenant_scope(tenant.id):
        Adapter.objects.create(tenant=tenant, name="small", base_model=base_model)
    BaseModelWork.objects.filter(id=work.id).update(state=WorkState.RUNNING)
    work.refresh_from_db()
    do_work(work)
    work.refresh_from_db()
    assert work.state == WorkState.FAILED
    assert SAID in work.error_text
