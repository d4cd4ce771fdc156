"""The usage page narrows to a model, version, endpoint or key, and opens the requests behind it."""

from collections.abc import Callable
from uuid import uuid4

import pytest
from django.test import Client

from adapters.models import Adapter, BaseModel
from lorakit.contracts import InvocationRecord
from tenants.models import Tenant
from tenants.scope import tenant_scope

pytestmark = pytest.mark.django_db
Record = Callable[..., InvocationRecord]


def page(client: Client, **query: str) -> str:
    answer = client.get("/usage/", query)
    assert answer.status_code == 200
    return " ".join(answer.content.decode().split())


def test_it_narrows_to_a_model_and_back(as_bob: Client, record: Record, count: Callable[..., int]) -> None:
    version = str(uuid4())
    count(record(alias="legal", version_id=version), record(alias="triage"), record(alias="legal", status=503))
    whole = page(as_bob)
    assert f"version=legal%2F{version}" in whole
    assert "triage" in whole
    narrowed = page(as_bob, model="legal", range="7d")
    assert "triage" not in narrowed
    assert ">2</div>" in narrowed
    assert "Model: legal" in narrowed
    assert 'href="?range=7d"' in narrowed
    # What is paid for training or judging belongs to no part of the requests.
    assert 'id="costs-title"' not in narrowed


@pytest.mark.parametrize("by", ["model", "version", "endpoint", "key"])
def test_it_is_broken_down_by_anything(as_bob: Client, record: Record, count: Callable[..., int], by: str) -> None:
    count(record(alias="legal", endpoint="eu-1", key_id=""), record(alias="triage", endpoint="eu-2"))
    shown = {"model": "triage", "version": "triage", "endpoint": "eu-2", "key": "Deleted key"}
    assert shown[by] in page(as_bob, by=by)


def test_it_compares_with_the_time_before(as_bob: Client, record: Record, count: Callable[..., int]) -> None:
    assert "from the time before" not in page(as_bob, compare="1")
    now = record().at
    count(record(), record(), record(at=now - 90_000))
    assert "↑ 100% from the time before" in page(as_bob, compare="1")
    assert "from the time before" not in page(as_bob)


@pytest.mark.parametrize(
    "query",
    [
        {"range": "custom"}, {"start": "x", "end": "y"}, {"start": "2026-13-01", "end": "2026-01-01"}, {"by": "planet"},
        {"version": "legal/not-an-id"}, {"version": "x" * 500}, {"key": "nobody"}, {"model": "nul\0"}, {"page": "many"},
        {"start": "0001-01-01T00:00Z", "end": "9999-12-31T23:59Z"},
        {"start": "2026-01-02T00:00Z", "end": "2026-01-01T00:00Z"},
        {"which": "best", "before": "2026-99-01"}, {"before": "0001-01-01T00:00+14:00"},
    ],
    ids=str,
)  # fmt: skip
@pytest.mark.parametrize("address", ["/usage/", "/usage/requests/", "/usage/costs.csv"])
def test_what_is_asked_wrong_is_the_usual(as_bob: Client, query: dict[str, str], address: str) -> None:
    assert as_bob.get(address, query).status_code == 200


def test_the_requests_behind_it_are_listed(as_bob: Client, record: Record, count: Callable[..., int]) -> None:
    slow = record(alias="triage", latency_ms=9000.0, cold_start=True)
    count(record(alias="legal", status=503, error_code="endpoint_error"), slow)
    listed = as_bob.get("/usage/requests/").content.decode()
    assert slow.request_id in listed
    assert "endpoint_error" in listed
    assert "adapter was loaded first" in listed
    failed = as_bob.get("/usage/requests/", {"which": "failed"}).content.decode()
    assert slow.request_id not in failed
    assert "endpoint_error" in failed
    slowest = as_bob.get("/usage/requests/", {"which": "slowest", "model": "triage"}).content.decode()
    assert slow.request_id in slowest
    assert "endpoint_error" not in slowest


def test_requests_come_in_pages(
    as_bob: Client, record: Record, count: Callable[..., int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("metering.usage.requests.ON_A_PAGE", 2)
    monkeypatch.setattr("metering.views.ON_A_PAGE", 2)
    now = record().at
    found = [record(at=now - number) for number in range(5)]
    count(*found)
    seen: list[str] = []
    query: dict[str, str] = {}
    for _ in range(3):
        answer = as_bob.get("/usage/requests/", query)
        seen += [one.row.request_id for one in answer.context["requests"]]
        query = {"before": answer.context["older"]}
    assert seen == [one.request_id for one in found]
    assert query == {"before": ""}


@pytest.mark.parametrize("address", ["/usage/requests/", "/usage/"])
def test_charlie_sees_nothing_of_it(
    as_charlie: Client, record: Record, count: Callable[..., int], address: str
) -> None:
    one = record(alias="canary-of-alice")
    count(one)
    text = as_charlie.get(address, {"model": "canary-of-alice"}).content.decode()
    assert one.request_id not in text
    assert "No " in text


def test_a_reviewer_has_no_requests(as_rita: Client) -> None:
    assert as_rita.get("/usage/requests/").status_code == 403


def test_an_adapters_page_shows_its_usage(
    as_bob: Client, tenant: Tenant, record: Record, count: Callable[..., int]
) -> None:
    base = BaseModel.objects.create(name="tiny-llama", title="Tiny", location="nowhere")
    with tenant_scope(tenant.id):
        adapter = Adapter.objects.create(name="legal", base_model=base)
    address = f"/usage/adapters/{adapter.id}/"
    assert f'hx-get="{address}"' in as_bob.get(f"/adapters/{adapter.id}/").content.decode()
    empty = as_bob.get(address, headers={"hx-request": "true"}).content.decode()
    assert "Nobody has asked this adapter" in empty
    count(record(alias="legal"), record(alias="triage"))
    shown = as_bob.get(address, headers={"hx-request": "true"}).content.decode()
    assert ">1</div>" in shown
    assert 'id="chart-latency-figure"' in shown
    assert as_bob.get(address).headers["location"] == "/usage/?range=30d&model=legal"


def test_nobody_elses_adapter_has_usage(as_charlie: Client, tenant: Tenant) -> None:
    base = BaseModel.objects.create(name="tiny-llama", title="Tiny", location="nowhere")
    with tenant_scope(tenant.id):
        adapter = Adapter.objects.create(name="legal", base_model=base)
    assert as_charlie.get(f"/usage/adapters/{adapter.id}/").status_code == 404
