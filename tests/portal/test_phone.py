"""Tables are cards on a phone: nothing is off the screen."""

import time
from pathlib import Path
from uuid import uuid4

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django.live_server_helper import LiveServer

from adapters.models import Adapter, AdapterVersion
from corpora.models import Dataset, DatasetVersion
from evaluations.models import EvaluationRun, JudgeUsage
from jobs.models import Job
from jobs.states import State
from lorakit.contracts import InvocationRecord
from metering.ledger.collector import collect
from serving.gateway.ledger import Ledger
from tenants.models import Tenant, User
from tenants.scope import tenant_scope
from tests.browsing import PHONE, browsing
from tests.portal.world import make_world

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

OFF_SCREEN = """() => [...document.querySelectorAll("main .table-responsive *, main > *, main .btn-group > *")]
    .filter((element) => !element.closest("thead") && element.checkVisibility())
    .filter((element) => element.getBoundingClientRect().right > innerWidth)
    .map((element) => element.outerHTML.slice(0, 80))"""


def test_no_table_leaves_the_screen(
    live_server: LiveServer, as_alice: Client, tenant: Tenant, alice: User, tmp_path: Path
) -> None:
    world = make_world(tenant, alice)
    use(tenant, tmp_path)
    ids = {model: world[model].pk for model in (Dataset, DatasetVersion, Adapter, AdapterVersion, EvaluationRun)}
    addresses = [
        *map(reverse, ("overview", "adapters:list", "adapters:runs", "adapters:sweeps", "evaluations:list")),
        *map(reverse, ("serving:endpoint", "jobs:list", "keys", "corpora:list")),
        f"{reverse('metering:usage')}?range=30d",
        reverse("corpora:version", args=[ids[DatasetVersion]]),
        reverse("corpora:detail", args=[ids[Dataset]]),
        reverse("adapters:detail", args=[ids[Adapter]]),
        reverse("adapters:version", args=[ids[AdapterVersion]]),
        reverse("evaluations:detail", args=[ids[EvaluationRun]]),
    ]
    with browsing(live_server, as_alice, viewport=PHONE) as page:
        found = {}
        for address in addresses:
            response = page.goto(address)
            assert response is not None
            assert response.ok
            found[address] = page.evaluate(OFF_SCREEN)
        page.goto(reverse("metering:usage"))
        assert page.locator("#lines-title, #costs-title, #judges-title").count() == 3
        assert page.locator("table.table-cards").count() == 3
    assert {address: elements for address, elements in found.items() if elements} == {}


def use(tenant: Tenant, folder: Path) -> None:
    """Requests and a judge with large figures, and an hour of training, so that usage and costs have lines."""
    ledger = Ledger(folder, writer="gateway")
    ledger.append(
        InvocationRecord(
            request_id="req-1", at=time.time(), tenant_id=str(tenant.id), key_id=str(uuid4()), alias="a" * 40,
            version_id=None, deployment=None, status=200, error_code="", prompt_tokens=123_456_789,
            completion_tokens=123_456_789, latency_ms=123_456.0, first_token_ms=None, busy_ms=123_456.0, streamed=False,
        )
    )  # fmt: skip
    ledger.close()
    collect(folder)
    with tenant_scope(tenant.id):
        now = timezone.now()
        Job.objects.create(
            tenant=tenant, kind="training", title="Train", state=State.SUCCEEDED, started_at=now, finished_at=now,
            billable_seconds=3600, usd_per_hour=1, price_source="A long source of a price, as operators set",
        )  # fmt: skip
        JudgeUsage.objects.create(
            tenant=tenant, hour=now, purpose="judging", paid_to="provider", judge_key="judge", judge_name="m" * 80,
            calls=123_456_789, calls_without_price=123_456, tokens_in=123_456_789_123, tokens_out=123_456_789,
            usd=123_456,
        )  # fmt: skip
