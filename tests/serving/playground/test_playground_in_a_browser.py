"""The playground's page follows the adapter that is chosen."""

import re
from collections.abc import Callable

import pytest
from django.test import Client
from playwright.sync_api import expect
from pytest_django.live_server_helper import LiveServer

from adapters.models import AdapterVersion
from serving.models import Deployment, DeploymentState, Endpoint, Route
from tenants.models import Tenant
from tenants.scope import tenant_scope
from tests.browsing import browsing

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]


def make_live(tenant: Tenant, endpoint: Endpoint, version: AdapterVersion) -> None:
    with tenant_scope(tenant.id):
        deployment = Deployment.objects.create(
            tenant=tenant, endpoint=endpoint, version=version, name=str(version), state=DeploymentState.IN_SERVICE
        )
        Route.objects.create(tenant=tenant, adapter=version.adapter, alias=version.adapter.name, active=deployment)


def test_another_adapter_brings_its_own_held_out_rows(
    live_server: LiveServer,
    as_bob: Client,
    tenant: Tenant,
    endpoint: Endpoint,
    make_version: Callable[..., AdapterVersion],
) -> None:
    for seed, name in ((1, "legal"), (2, "tickets")):
        make_live(tenant, endpoint, make_version(tenant, name, seed, answers=((f"Row of {name}", "Yes"),)))
    with browsing(live_server, as_bob) as page:
        page.goto("/serving/playground/?alias=legal")
        rows = page.locator("#examples")
        rows.get_by_role("link").click()
        expect(page.get_by_label("Prompt")).to_have_value("Row of legal")
        expect(page.locator("#id_example")).not_to_have_value("")

        page.get_by_label("Adapter").select_option("tickets")
        expect(rows.get_by_role("link")).to_contain_text("Row of tickets")
        expect(rows).to_contain_text("tickets v1 was not trained on these rows")
        expect(rows).not_to_contain_text("legal")
        expect(page.locator("#id_example")).to_have_value("")
        expect(page.get_by_label("Prompt")).to_have_value("Row of legal")
        expect(page).to_have_url(re.compile("alias=tickets$"))

        page.get_by_label("Adapter").select_option("legal")
        expect(rows.get_by_role("link")).to_contain_text("Row of legal")
