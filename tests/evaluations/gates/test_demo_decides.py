"""The demo's end, against a real site: ten reviews, a verdict, and a pack that is verified offline."""

from collections.abc import Callable

import pytest
from pytest_django.live_server_helper import LiveServer

from evaluations.models import EvaluationRun
from portal.demo.client import ExpertClient, PortalClient
from portal.demo.deciding import USUAL, WITH_EXPERTS, decide, set_policy
from tenants.keys.services import create_api_key
from tenants.models import Tenant
from tenants.scope import tenant_scope
from tests.conftest import PASSWORD

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]


def test_ten_reviews_a_verdict_and_its_pack(
    live_server: LiveServer, tenant: Tenant, make_evaluation: Callable[..., EvaluationRun]
) -> None:
    run = make_evaluation(tenant, rows=30)
    with tenant_scope(tenant.id):
        _, token = create_api_key(tenant=tenant, name="demo")
        adapter = str(run.version.adapter_id)
    with (
        PortalClient(live_server.url, token) as client,
        ExpertClient(live_server.url, "alice@example.com", PASSWORD) as admin,
        ExpertClient(live_server.url, "rita@example.com", PASSWORD) as expert,
    ):
        set_policy(admin, adapter, USUAL)
        set_policy(admin, adapter, WITH_EXPERTS)
        decided = decide(client, expert, version=str(run.version_id), evaluation=str(run.id))
    assert decided.grades == [5] * 10
    assert decided.verdict.startswith("passes. Experts: ")
    assert decided.pack.startswith("decision-boxes-v1-")
    assert decided.pack.endswith("Verified.")
