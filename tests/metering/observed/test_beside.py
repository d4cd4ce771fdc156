"""The usage page says how far CloudWatch and the gateway agree."""

from collections.abc import Callable
from pathlib import Path

import pytest
from django.test import Client
from django.utils import timezone

from lorakit.contracts import InvocationRecord
from metering.ledger.collector import collect
from serving.models import Deployment
from tenants.models import Tenant
from tests.metering.observed.conftest import Cloud, Deploy

pytestmark = pytest.mark.django_db


@pytest.fixture
def deployment(cloud: Cloud, deploy: Deploy, tenant: Tenant, monkeypatch: pytest.MonkeyPatch) -> Deployment:
    """An adapter whose site and cloud have the same time."""
    monkeypatch.setattr(timezone, "now", lambda: cloud.now)
    return deploy(tenant)


@pytest.fixture
def asked(
    deployment: Deployment,
    cloud: Cloud,
    record: Callable[..., InvocationRecord],
    write: Callable[..., Path],
    folder: Path,
) -> Callable[[int, int], None]:
    """Requests at the gateway, and those that CloudWatch knows of, two hours ago."""

    def run(gateway: int, known: int) -> None:
        at = cloud.now.timestamp() + 60
        version = str(deployment.version_id)
        write(*(record(at=at, alias="legal", version_id=version, endpoint="shared") for _ in range(gateway)))
        cloud.answer(deployment, count=known)
        cloud.wait(hours=2)
        cloud.read()
        collect(folder)

    return run


def page(client: Client, **query: str) -> str:
    return " ".join(client.get("/usage/", query).content.decode().split())


@pytest.mark.parametrize(
    ("gateway", "known", "said"),
    [
        (4, 4, "In the hours of which both know, they agree."),
        (4, 3, "In the hours of which both know, they differ by 1 (25%)."),
        (4, 0, "CloudWatch has no data of these adapters yet."),
    ],
)
def test_the_difference_is_said(
    asked: Callable[[int, int], None], as_alice: Client, gateway: int, known: int, said: str
) -> None:
    asked(gateway, known)
    shown = page(as_alice, model="legal")
    assert said in shown
    assert 'id="chart-observed-latency-figure"' in shown
    assert said in page(as_alice)


def test_where_it_can_say_nothing_it_is_not_shown(asked: Callable[[int, int], None], as_alice: Client) -> None:
    asked(2, 2)
    queries = ({"range": "13m"}, {"key": ""}, {"endpoint": "shared"}, {"model": "nobody"}, {"version": "tiny-llama"})
    for query in queries:
        assert "Beside CloudWatch" not in page(as_alice, **query)
