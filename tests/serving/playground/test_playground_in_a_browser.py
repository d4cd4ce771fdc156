"""The playground's page follows the adapter that is chosen, and shows each answer as it comes."""

import re
import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from playwright.sync_api import expect
from pytest_django.live_server_helper import LiveServer

from adapters.models import AdapterVersion
from serving.backends.target import Target
from serving.backends.vllm import VllmEndpoint
from serving.endpoints.asking import Answer, ask
from serving.models import Deployment, DeploymentState, Endpoint, Route
from tenants.models import Tenant
from tenants.scope import tenant_scope
from tests.browsing import browsing
from tests.serving.gateway.gateway_client import new_line, put_live

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


def test_each_answer_is_shown_as_it_comes(
    live_server: LiveServer,
    as_bob: Client,
    tenant: Tenant,
    vllm: VllmEndpoint,
    endpoint: Endpoint,
    make_version: Callable[..., AdapterVersion],
    true_answers: Callable[[int], tuple[tuple[str, str], ...]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    line = new_line(tenant)
    put_live(line, vllm, endpoint, make_version(tenant, "legal", 1, answers=true_answers(1)))
    is_seen = threading.Event()

    def ask_slow_base(target: Target, *args: Any, **options: Any) -> Answer:
        if target.model == endpoint.base_model.name:
            assert is_seen.wait(60)
        return ask(target, *args, **options)

    monkeypatch.setattr("serving.playground.panes.ask", ask_slow_base)
    with browsing(live_server, as_bob) as page:
        page.goto("/serving/playground/?alias=legal")
        page.get_by_label("Prompt").fill("Repeat: amber.")
        page.get_by_role("button", name="Ask both").click()
        adapter, base = (page.get_by_role("region", name=f"{name}:") for name in ("Adapter", "Base"))
        expect(adapter).to_contain_text(line.answers["legal", 1])
        expect(base).to_contain_text("Answering…")
        is_seen.set()
        expect(base).to_contain_text("output tokens")
        expect(base).not_to_contain_text("Answering…")
