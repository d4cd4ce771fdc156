"""OpenAI's own client reads usage and costs here, in the same numbers as the usage page."""

import datetime as dt
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from openai import AuthenticationError, BadRequestError, OpenAI
from openai.types.admin.organization.usage_completions_response import DataResultOrganizationUsageCompletionsResult
from openai.types.admin.organization.usage_costs_response import DataResultOrganizationCostsResult
from pytest_django.live_server_helper import LiveServer
from rest_framework.test import APIClient

from metering.costs.allocation import allocate_hour
from metering.models import EndpointHour
from metering.usage.queries import Slice, usage_of
from tenants.keys.services import create_api_key
from tenants.models import Tenant
from tenants.scope import tenant_scope
from tests.metering.conftest import at

pytestmark = pytest.mark.django_db

DAY = dt.datetime(2026, 11, 3, tzinfo=dt.UTC)
START, END = int(DAY.timestamp()), int((DAY + dt.timedelta(days=2)).timestamp())
USAGE, COSTS = "/v1/organization/usage/completions", "/v1/organization/costs"
FIRST, SECOND = str(uuid4()), str(uuid4())


@pytest.fixture
def used(count: Callable[..., int], record: Callable[..., Any], tenant: Tenant) -> None:
    """Two days of two models and two keys, the first hour of which cost something."""
    version = str(uuid4())
    base: dict[str, Any] = {"endpoint": "shared", "queue_ms": 0.0}
    count(
        record(at=at("2026-11-03T09:10:00"), key_id=FIRST, alias="legal", version_id=version, cached_tokens=4, **base),
        record(at=at("2026-11-03T09:20:00"), key_id=SECOND, alias="legal", version_id=version, **base),
        record(at=at("2026-11-03T11:20:00"), key_id=SECOND, alias="clinic", prompt_tokens=7, **base),
        record(at=at("2026-11-04T23:59:59"), key_id=FIRST, alias="legal", **base),
        record(at=at("2026-11-04T10:00:00"), key_id=FIRST, alias="gone", status=404, prompt_tokens=0,
               completion_tokens=0, busy_ms=0.0),
    )  # fmt: skip
    hour = DAY + dt.timedelta(hours=9)
    EndpointHour.objects.create(
        endpoint="shared", hour=hour, up_ms=3_600_000, instance_ms=3_600_000, measured_until=hour, price_source="List",
        price_per_hour=Decimal("1.00"), idle_policy="use",
    )  # fmt: skip
    allocate_hour("shared", hour)


@pytest.fixture
def client(live_server: LiveServer, tenant: Tenant) -> Iterator[OpenAI]:
    with tenant_scope(tenant.id):
        _, token = create_api_key(tenant=tenant, name="dashboard")
    with OpenAI(admin_api_key=token, base_url=f"{live_server.url}/v1", max_retries=0) as openai:
        yield openai


@pytest.mark.django_db(transaction=True)
def test_openais_client_reads_both(client: OpenAI, used: None, tenant: Tenant) -> None:
    page = client.admin.organization.usage.completions(start_time=START, end_time=END, group_by=["model", "api_key_id"])
    first, second = page.data
    assert (first.start_time, second.end_time, page.has_more) == (START, END, False)
    rows = [one for one in first.results if isinstance(one, DataResultOrganizationUsageCompletionsResult)]
    found = {(r.model, r.api_key_id): (r.num_model_requests, r.input_tokens, r.output_tokens) for r in rows}
    assert found == {("legal", FIRST): (1, 10, 5), ("legal", SECOND): (1, 10, 5), ("clinic", SECOND): (1, 7, 5)}
    assert {r.input_cached_tokens for r in rows} == {0, 4}
    assert [r.to_dict()["model"] for r in second.results] == ["legal"]

    costs = client.admin.organization.usage.costs(start_time=START, end_time=END, group_by=["line_item"])
    amounts = {
        one.line_item: (one.amount.value, one.amount.currency)
        for one in costs.data[0].results
        if isinstance(one, DataResultOrganizationCostsResult) and one.amount
    }
    with tenant_scope(tenant.id):
        total = usage_of(Slice(start=DAY, end=DAY + dt.timedelta(days=1))).total
    assert amounts == {"Serving": (float(total.used_cost), "usd"), "Idle time": (float(total.idle_cost), "usd")}
    assert total.used_cost + total.idle_cost == 1

    with pytest.raises(BadRequestError) as refused:
        client.admin.organization.usage.completions(start_time=START, end_time=END, bucket_width="1m")
    assert refused.value.param == "bucket_width"
    with pytest.raises(AuthenticationError):
        client.with_options(admin_api_key="apk_wrong").admin.organization.usage.costs(start_time=START)


def results(api: APIClient, url: str, **query: Any) -> list[dict[str, Any]]:
    document = api.get(url, {"start_time": START, "end_time": END, **query}).json()
    return [result for bucket in document["data"] for result in bucket["results"]]


def test_pages_have_every_bucket_once(api: APIClient, used: None) -> None:
    query: dict[str, Any] = {"start_time": START + 1800, "end_time": END, "bucket_width": "1h", "limit": 20}
    seen: list[int] = []
    requests = 0
    while True:
        document = api.get(USAGE, query).json()
        seen += [bucket["start_time"] for bucket in document["data"]]
        requests += sum(one["num_model_requests"] for bucket in document["data"] for one in bucket["results"])
        if not document["has_more"]:
            break
        query["page"] = document["next_page"]
    assert seen == [START + 3600 * number for number in range(48)]
    assert requests == 4


@pytest.mark.parametrize(
    ("query", "requests"),
    [
        ({}, 4),
        ({"models": ["legal"]}, 3),
        ({"models[]": ["legal", "clinic"]}, 4),
        ({"models": "gone"}, 0),
        ({"api_key_ids": [SECOND]}, 2),
        ({"api_key_ids": [SECOND], "models": ["clinic"]}, 1),
        ({"api_key_ids": [SECOND], "models": ["clinic"], "bucket_width": "1h"}, 1),
        ({"models": ["legal"], "bucket_width": "1h"}, 3),
        ({"api_key_ids": [SECOND], "bucket_width": "1h"}, 2),
        ({"project_ids": ["another"]}, 0),
        ({"user_ids": ["somebody"]}, 0),
        ({"batch": "true"}, 0),
        ({"batch": "false"}, 4),
    ],
)
def test_filters(api: APIClient, used: None, query: dict[str, Any], requests: int) -> None:
    query = {"limit": 48 if query.get("bucket_width") else 2, **query}
    assert sum(one["num_model_requests"] for one in results(api, USAGE, **query)) == requests


def test_costs_of_keys_sum_to_the_whole(api: APIClient, used: None, tenant: Tenant) -> None:
    by_key = results(api, COSTS, group_by=["api_key_id"])
    assert {one["api_key_id"] for one in by_key} == {FIRST, SECOND}
    assert sum(one["amount"]["value"] for one in by_key) == pytest.approx(1)
    [whole] = results(api, COSTS)
    assert whole["amount"] == {"value": 1.0, "currency": "usd"}
    [own] = results(api, COSTS, project_ids=[str(tenant.id)], group_by=["project_id"])
    assert own["project_id"] == str(tenant.id)
    [idle] = results(api, COSTS, line_items=["Idle time"])
    assert idle["amount"]["value"] < 1
    assert results(api, COSTS, api_key_ids=[str(uuid4())]) == []


def test_others_see_nothing_of_it(other_api: APIClient, used: None) -> None:
    assert results(other_api, USAGE) == results(other_api, COSTS) == []


@pytest.mark.parametrize(
    ("query", "param"),
    [
        ({}, "start_time"),
        ({"start_time": "yesterday"}, "start_time"),
        ({"start_time": END, "end_time": START}, "start_time"),
        ({"start_time": 10**30}, "start_time"),
        ({"start_time": -1}, "start_time"),
        ({"start_time": START, "limit": 0}, "limit"),
        ({"start_time": START, "limit": 32}, "limit"),
        ({"start_time": START, "page": "page_x"}, "page"),
        ({"start_time": START, "page": "page_99999999999999999999"}, "page"),
        ({"start_time": START, "group_by": "colour"}, "group_by"),
        ({"start_time": START, "models": "x" * 300}, "models"),
    ],
)
def test_wrong_queries_are_answered_as_openai_does(api: APIClient, query: dict[str, Any], param: str) -> None:
    answer = api.get(USAGE, query)
    assert answer.status_code == 400
    error = answer.json()["error"]
    assert error["type"] == "invalid_request_error"
    assert error["param"].startswith(param)
    assert error["message"]
