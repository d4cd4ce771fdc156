"""`/metrics` tells what the database says, to whoever has the token, and the dashboard asks for nothing else."""

import json
import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.test import Client
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families
from pytest_django import DjangoAssertNumQueries
from pytest_django.fixtures import Settings

from jobs.models import Job
from jobs.states import State
from lorakit.serve.metrics import Metrics
from lorakit.serve.metrics import State as EngineState
from metering.models import By, EndpointHour, Grain, UsageTotal
from metering.usage.ranges import begin_of
from portal.telemetry import families
from portal.telemetry.families import DatabaseCollector
from tenants.models import Tenant
from tenants.scope import tenant_scope
from tenants.webhooks.services import create_webhook, send_test

pytestmark = pytest.mark.django_db
ROOT = Path(__file__).resolve().parents[3]
TOKEN = "a-long-token"
Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


@pytest.fixture(autouse=True)
def token(settings: Settings) -> None:
    settings.METRICS_TOKEN = TOKEN


def text(client: Client) -> str:
    answer = client.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
    assert answer.status_code == 200
    return answer.content.decode()


def samples(client: Client) -> Samples:
    """Values by name and labels."""
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text(client))
        for sample in family.samples
    }


def of(found: Samples, name: str, **labels: str) -> float | None:
    return found.get((f"adapter_portal_{name}", frozenset(labels.items())))


def month(tenant: Tenant, value: str, **sums: int) -> None:
    with tenant_scope(tenant.id):
        UsageTotal.objects.create(
            by=By.VERSION, grain=Grain.MONTH, start=begin_of(Grain.MONTH, timezone.now()), value=value, **sums
        )


@pytest.fixture
def site(tenant: Tenant, other_tenant: Tenant) -> None:
    """Something of everything."""
    month(tenant, "legal/1", requests=10, failed=1, limited=2, prompt_tokens=50, used_micros=1_500_000, unpriced=3)
    month(tenant, "legal/2", requests=5, completion_tokens=7, idle_micros=250_000)
    month(other_tenant, "clinic/3", requests=20)
    EndpointHour.objects.create(
        endpoint="shared", hour=begin_of(Grain.HOUR, timezone.now()), measured_until=timezone.now(), used_micros=10,
        operator_micros=990_000, instance_ms=3_600_000, price_per_hour=Decimal(1), micros=990_010,
    )  # fmt: skip
    with tenant_scope(tenant.id):
        Job.objects.create(kind="training", title="Train", state=State.QUEUED)
        Job.objects.create(kind="training", title="Train", state=State.FAILED, billable_seconds=60.5)
        webhook, _ = create_webhook(tenant=tenant, url="https://example.com/")
        send_test(webhook=webhook)


def test_it_tells_what_the_database_says(client: Client, tenant: Tenant, site: None) -> None:
    found = samples(client)
    legal = {"organisation": tenant.slug, "model": "legal"}
    assert of(found, "requests_total", outcome="answered", **legal) == 12
    assert of(found, "requests_total", outcome="limited", **legal) == 2
    assert of(found, "tokens_total", kind="prompt", **legal) == 50
    assert of(found, "serving_usd_total", part="used", **legal) == 1.5
    assert of(found, "serving_usd_total", part="idle", **legal) == 0.25
    assert of(found, "requests_without_cost", **legal) == 3
    assert of(found, "endpoint_usd_total", endpoint="shared", part="operator") == 0.99
    assert of(found, "endpoint_hours_to_share", endpoint="shared") == 1
    assert of(found, "jobs", kind="training", state="queued") == 1
    assert of(found, "jobs_ended_total", kind="training", state="failed") == 1
    assert of(found, "job_seconds_total", kind="training") == 60.5
    assert (of(found, "oldest_queued_job_seconds") or -1) >= 0
    assert of(found, "webhook_deliveries", state="waiting") == 1


def test_an_empty_site_tells_too(client: Client) -> None:
    assert of(samples(client), "oldest_queued_job_seconds") == 0


def test_many_models_are_one_series(
    client: Client, tenant: Tenant, other_tenant: Tenant, site: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(families, "MOST_MODELS", 1)
    found = samples(client)
    assert of(found, "requests_total", organisation=other_tenant.slug, model="clinic", outcome="answered") == 20
    assert of(found, "requests_total", organisation=tenant.slug, model="other", outcome="answered") == 12


def test_queries_do_not_grow(site: None, django_assert_max_num_queries: DjangoAssertNumQueries) -> None:
    with django_assert_max_num_queries(14):
        list(DatabaseCollector().collect())


def test_web_requests_are_timed_by_view(client: Client, as_alice: Client) -> None:
    as_alice.get("/usage/")
    as_alice.get("/no/such/page/")
    client.generic("BREW", "/health/")
    found = samples(client)
    name = "http_request_seconds_count"
    assert (of(found, name, view="metering:usage", method="GET", status="2xx") or 0) >= 1
    assert (of(found, name, view="none", method="GET", status="4xx") or 0) >= 1
    assert of(found, name, view="health", method="none", status="4xx") is not None


@pytest.mark.parametrize("sent", [{}, {"Authorization": "Bearer wrong"}, {"Authorization": f"Basic {TOKEN}"}])
def test_others_read_nothing(client: Client, sent: dict[str, str]) -> None:
    answer = client.get("/metrics", headers=sent)
    assert (answer.status_code, b"adapter_portal" in answer.content) == (401, False)


def test_without_a_token_there_is_no_page(client: Client, settings: Settings) -> None:
    settings.METRICS_TOKEN = ""
    assert client.get("/metrics", headers={"Authorization": "Bearer "}).status_code == 404


def known_series(client: Client) -> set[str]:
    """The names that the site and the engine write, with those of histograms."""
    idle = EngineState(running=0, waiting=0, slots=1, resident=0, loaded=[], cache_share=0.0, memory={})
    page = text(client) + Metrics(lambda: idle).text().decode()
    return {name for _, name in re.findall(r"^# (TYPE) (\S+)", page, re.MULTILINE)} | {
        f"{name}{suffix}"
        for name in re.findall(r"^# TYPE (\S+) histogram", page, re.MULTILINE)
        for suffix in ("_bucket", "_sum", "_count")
    }


def test_every_series_of_the_dashboard_exists(client: Client, as_alice: Client, site: None) -> None:
    as_alice.get("/usage/")
    dashboard: dict[str, Any] = json.loads((ROOT / "deploy/grafana/adapter-portal.json").read_text())
    asked = [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]
    asked += [v["query"]["query"] for v in dashboard["templating"]["list"] if isinstance(v["query"], dict)]
    named = {name for expr in asked for name in re.findall(r"\b(?:adapter_portal_|vllm:|lorakit:)\w+", expr)}
    assert named
    assert named - known_series(client) == set()
    ids = [panel["id"] for panel in dashboard["panels"]]
    assert len(set(ids)) == len(ids)


def test_the_labels_of_the_dashboard_exist(client: Client, as_alice: Client, site: None) -> None:
    as_alice.get("/usage/")
    dashboard: dict[str, Any] = json.loads((ROOT / "deploy/grafana/adapter-portal.json").read_text())
    labels = {name for _, found in samples(client) for name, _ in found}
    used: set[str] = set()
    for panel in dashboard["panels"]:
        for target in panel["targets"]:
            used |= set(re.findall(r"{{(\w+)}}", target["legendFormat"]))
            used |= {name.strip() for by in re.findall(r"\bby \(([^)]*)\)", target["expr"]) for name in by.split(",")}
    assert used - labels - {"quantile"} == set()


def test_prometheus_asks_the_services_of_compose() -> None:
    config = yaml.safe_load((ROOT / "deploy/prometheus/prometheus.yaml").read_text())
    services = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
    hosts = {
        target.partition(":")[0]
        for job in config["scrape_configs"]
        for group in job["static_configs"]
        for target in group["targets"]
    }
    assert hosts <= set(services)
