"""The ledger beside CloudWatch: differences are of hours with data, and gaps stay gaps."""

import datetime as dt
from uuid import UUID, uuid4

import pytest
from pytest_django import Settings
from rest_framework.test import APIClient

from metering.ledger.sketches import sketch_of
from metering.models import HourlyUsage
from metering.observed.charts import latency_figure, requests_figure
from metering.observed.queries import compared
from rest.errors import NotFound
from serving.models import Deployment
from tenants.models import Tenant
from tenants.scope import tenant_scope
from tests.metering.observed.conftest import Cloud, Deploy

pytestmark = pytest.mark.django_db
HOUR = dt.timedelta(hours=1)
OBSERVED = "/api/v1/usage/observed/"


def served(
    deployment: Deployment,
    hour: dt.datetime,
    requests: int,
    *,
    errors: int = 0,
    ms: float = 150.0,
    alias: str = "legal",
) -> None:
    """The gateway answered requests for a deployment."""
    with tenant_scope(deployment.tenant_id):
        HourlyUsage.objects.create(
            hour=hour, alias="legal", version_key=str(deployment.version_id), requests=requests, failed=errors,
            endpoint="shared", latency_sketch=sketch_of([ms] * (requests - errors)),
        )  # fmt: skip


@pytest.fixture
def hours(cloud: Cloud, deploy: Deploy, tenant: Tenant) -> tuple[Deployment, dt.datetime]:
    """Five hours: equal, one fewer at CloudWatch, unknown there, unknown to both, only there. And two until now."""
    deployment, start = deploy(tenant), cloud.now
    for gateway, observed in ((3, 3), (5, 4), (2, 0), (0, 0), (0, 1)):
        if gateway:
            served(deployment, cloud.now, gateway, errors=gateway // 5)
        cloud.answer(deployment, count=observed, failed=observed // 4)
        cloud.wait(hours=1)
    cloud.wait(hours=4)
    served(deployment, cloud.now - HOUR, 7)
    cloud.read()
    return deployment, start


def test_hours_are_compared_one_by_one(hours: tuple[Deployment, dt.datetime], cloud: Cloud, in_tenant: Tenant) -> None:
    _, start = hours
    found = compared(start, start + 5 * HOUR, now=cloud.now)
    assert [(hour.requests, hour.observed_requests, hour.difference) for hour in found.hours] == [
        (3, 3, 0), (5, 4, -1), (2, None, None), (0, None, None), (0, 1, 1)
    ]  # fmt: skip
    assert [(hour.errors, hour.observed_errors) for hour in found.hours[:3]] == [(0, 0), (1, 1), (0, None)]
    assert found.hours[1].difference_percent == pytest.approx(-20.0)
    assert found.hours[0].p95_ms == pytest.approx(150.0, rel=0.01)
    assert [hour.observed_p95_ms for hour in found.hours] == [100.0, 100.0, None, None, 100.0]
    assert (found.requests, found.observed_requests, found.difference) == (10, 8, 0)
    assert found.difference_percent == 0.0
    assert found.hours_without_data == [start + 2 * HOUR]
    assert not any(hour.is_provisional for hour in found.hours)


def test_what_may_still_come_is_not_missing(
    hours: tuple[Deployment, dt.datetime], cloud: Cloud, in_tenant: Tenant
) -> None:
    found = compared(cloud.now - 5 * HOUR, cloud.now + 5 * HOUR, now=cloud.now)
    assert found.end == cloud.now + HOUR, "no hour that has not begun"
    assert [hour.is_provisional for hour in found.hours] == [False, False, True, True, True, True]
    assert [hour.requests for hour in found.hours] == [0, 0, 0, 0, 7, 0]
    assert found.hours_without_data == []
    assert found.difference == 1, "only the hours with data"


def test_one_model_version_or_deployment(cloud: Cloud, deploy: Deploy, tenant: Tenant, other_tenant: Tenant) -> None:
    start = cloud.now
    legal, letters, other = deploy(tenant), deploy(tenant, "letters", 2), deploy(other_tenant, "legal", 3)
    for number, deployment in enumerate((legal, letters, other), 1):
        served(deployment, start, number, ms=number * 100.0)
        cloud.answer(deployment, count=number * 10, ms=number * 50.0)
    cloud.wait(hours=5)
    cloud.read()

    def figures(**part: object) -> tuple[int, int | None, float | None]:
        found = compared(start, start + HOUR, now=cloud.now, **part)  # type: ignore[arg-type]
        return found.requests, found.observed_requests, found.hours[0].observed_p95_ms

    with tenant_scope(tenant.id):
        assert figures() == (3, 30, 100.0), "the slower one's, which theirs together cannot exceed"
        assert figures(model="legal") == (1, 10, 50.0)
        assert figures(version=letters.version_id) == (2, 20, 100.0)
        assert figures(deployment=legal.name) == (1, 10, 50.0)
        for part in ({"model": "nobody"}, {"version": other.version_id}, {"deployment": other.name}):
            with pytest.raises(NotFound):
                figures(**part)
    with tenant_scope(other_tenant.id):
        assert figures(model="legal") == (3, 30, 150.0)


def test_what_is_on_no_watched_endpoint_is_left_out(
    cloud: Cloud, deploy: Deploy, tenant: Tenant, settings: Settings, in_tenant: Tenant
) -> None:
    deployment, start = deploy(tenant), cloud.now
    served(deployment, start, 3)
    HourlyUsage.objects.create(hour=start, alias="tiny-llama", version_key="", endpoint="shared", requests=9)
    cloud.wait(hours=2)
    assert compared(start, cloud.now, now=cloud.now).requests == 3
    settings.USAGE_SOURCES = {}
    found = compared(start, cloud.now, now=cloud.now)
    assert (found.hours, found.requests, found.observed_requests) == ([], 0, None)


def test_gaps_are_drawn_as_gaps(hours: tuple[Deployment, dt.datetime], cloud: Cloud, in_tenant: Tenant) -> None:
    found = compared(hours[1], hours[1] + 5 * HOUR, now=cloud.now)
    gateway, observed = requests_figure(found)["data"]
    assert (gateway["y"], observed["y"]) == ([3, 5, 2, 0, 0], [3, 4, None, None, 1])
    assert observed["connectgaps"] is False
    assert len(observed["x"]) == 5
    figure = latency_figure(found, source="Elsewhere")
    assert [line["name"] for line in figure["data"]] == ["Gateway, whole request", "Elsewhere, model only"]
    assert figure["data"][1]["y"] == [100.0, 100.0, None, None, 100.0]
    assert figure["data"][0]["y"][3] is None
    assert figure["layout"]["xaxis"]["range"] == [found.start.isoformat(), found.end.isoformat()]


class TestRest:
    @pytest.fixture
    def past(self, cloud: Cloud, deploy: Deploy, tenant: Tenant, monkeypatch: pytest.MonkeyPatch) -> Deployment:
        """A deployment that was asked five hours ago; the site has the cloud's time."""
        deployment = deploy(tenant)
        served(deployment, cloud.now, 4)
        cloud.answer(deployment, count=5, failed=1)
        cloud.wait(hours=5)
        cloud.read()
        now = cloud.now
        monkeypatch.setattr("metering.observed.queries.timezone.now", lambda: now)
        return deployment

    def test_it_tells_lines_and_the_comparison(self, api: APIClient, past: Deployment) -> None:
        document = api.get(OBSERVED).json()
        assert (document["requests"], document["observed_requests"], document["difference"]) == (4, 5, 1)
        assert document["difference_percent"] == 25.0
        [line] = document["lines"]
        assert UUID(line["version"]) == past.version_id
        assert (line["model"], line["deployment"], line["errors_5xx"], line["p99_ms"]) == ("legal", past.name, 1, 100.0)
        assert len([hour for hour in document["hours"] if hour["observed_requests"] is not None]) == 1
        assert api.get(OBSERVED, {"model": "legal"}).json()["observed_requests"] == 5
        assert api.get(OBSERVED, {"version": str(past.version_id)}).json()["observed_requests"] == 5

    def test_another_tenant_sees_nothing_of_it(self, other_api: APIClient, past: Deployment) -> None:
        assert other_api.get(OBSERVED).json()["hours"] == []
        for part in ({"version": str(past.version_id)}, {"model": "legal"}):
            answer = other_api.get(OBSERVED, part)
            assert (answer.status_code, answer.json()["code"]) == (404, "portal:not_found")

    @pytest.mark.parametrize(
        ("query", "status"),
        [
            ({"start": "yesterday"}, 400),
            ({"start": "2026-01-02T00:00:00Z", "end": "2026-01-01T00:00:00Z"}, 400),
            ({"start": "2026-01-01T00:00:00Z", "end": "2026-02-02T00:00:00Z"}, 400),
            ({"start": "2026-01-01T00:00:00Z", "end": "2026-02-01T00:00:00Z"}, 200),
            ({"version": "legal"}, 400),
            ({"version": str(uuid4())}, 404),
            ({"model": "x" * 61}, 400),
            ({"model": "nobody"}, 404),
        ],
    )
    def test_bad_queries(self, api: APIClient, query: dict[str, str], status: int) -> None:
        assert api.get(OBSERVED, query).status_code == status
