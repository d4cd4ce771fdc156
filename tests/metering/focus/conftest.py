"""October 2026 of two organisations on one endpoint that costs 3.60 dollars an hour."""

import csv
import datetime as dt
import io
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from pytest_django import Settings

from adapters.models import BaseModel
from evaluations.models import JudgeUsage
from jobs.models import Job
from jobs.states import State
from lorakit.contracts import InvocationRecord
from metering.costs.allocation import allocate_due
from metering.focus.export import write_focus, write_without_price
from metering.focus.periods import Month
from metering.models import EndpointHour, Grain
from metering.usage.ranges import HOUR
from serving.backends import endpoints
from serving.backends.vllm import VllmEndpoint
from serving.endpoints.services import ensure_endpoint
from tenants.models import Tenant
from tenants.scope import tenant_scope

NOON = dt.datetime(2026, 10, 25, 12, tzinfo=dt.UTC)
OCTOBER = Month(start=dt.datetime(2026, 10, 1, tzinfo=dt.UTC))
BY_HOUR = Month(start=OCTOBER.start, grain=Grain.HOUR)
Row = dict[str, str]


@pytest.fixture
def endpoint(monkeypatch: pytest.MonkeyPatch, db: None) -> None:
    options = {
        "URL": "http://127.0.0.1:9", "ADAPTER_DIR": "unused", "PRICE_USD_PER_HOUR": 3.6, "PRICE_SOURCE": "a quote"
    }  # fmt: skip
    monkeypatch.setitem(endpoints.built, "default", VllmEndpoint("default", options))
    base = BaseModel.objects.create(name="tiny-llama", title="Tiny", location="nowhere")
    ensure_endpoint(name="shared", backend="default", base_model=base)


def measured(hour: dt.datetime = NOON, *, ms: int = 3_600_000, instances: int = 1) -> EndpointHour:
    return EndpointHour.objects.create(
        endpoint="shared", hour=hour, up_ms=ms, instance_ms=ms * instances, measured_until=hour + HOUR
    )


@pytest.fixture
def asked(endpoint: None, record: Callable[..., InvocationRecord]) -> Callable[..., InvocationRecord]:
    """Records with what the engine told."""

    def make(hour: dt.datetime = NOON, **changes: object) -> InvocationRecord:
        plain = {"at": hour.timestamp() + 60, "endpoint": "shared", "queue_ms": 1.0, "key_id": "", "busy_ms": 1000.0}
        return record(**{**plain, **changes})

    return make


def run(tenant: Tenant, **values: Any) -> Job:
    plain = {
        "kind": "training", "title": "Train", "state": State.SUCCEEDED, "finished_at": NOON,
        "billable_seconds": 360.0, "usd_per_hour": Decimal("2"), "price_source": "price list", "backend": "default",
    }  # fmt: skip
    with tenant_scope(tenant.id):
        return Job.objects.create(tenant=tenant, **{**plain, **values})


def called(tenant: Tenant, **changes: Any) -> None:
    plain = {
        "hour": NOON, "purpose": "judging", "paid_to": "site", "judge_key": "shared", "judge_name": "Strict",
        "calls": 10, "tokens_in": 1000, "tokens_out": 100, "usd": Decimal(2),
    }  # fmt: skip
    with tenant_scope(tenant.id):
        JudgeUsage.objects.create(tenant=tenant, **{**plain, **changes})


@pytest.fixture
def october(
    asked: Callable[..., InvocationRecord], count: Callable[..., int], settings: Settings, tenant: Tenant,
    other_tenant: Tenant,
) -> None:  # fmt: skip
    """Of everything something: two methods, two policies, runs, calls of every payee."""
    other = str(other_tenant.id)
    for day in range(3):
        hour = NOON + day * 24 * HOUR
        for later in range(3):
            measured(hour + later * HOUR, ms=3_599_987, instances=1 + later)
            settings.IDLE_COST_POLICY = ("operator", "use", "operator")[later]
            at = hour + later * HOUR
            told = {"queue_ms": None} if day == 2 else {}
            count(asked(at, alias="a", busy_ms=71_000.7, **told), asked(at, alias="b", busy_ms=333.3, **told),
                  asked(at, tenant_id=other, alias="theirs", busy_ms=9_000.0, **told))  # fmt: skip
            while allocate_due():
                pass
    for owner in (tenant, other_tenant):
        for number in range(3):
            run(owner, billable_seconds=100.123 + number, finished_at=NOON + number * HOUR)
            called(owner, hour=NOON + number * 24 * HOUR, usd=Decimal("0.0333333333"))
        run(owner, kind="evaluation", usd_per_hour=Decimal("0.7777"))
        called(owner, paid_to="provider", judge_key="own", judge_name="=Ours", usd=Decimal("1.25"))
        called(owner, paid_to="serving", judge_key="here", usd=Decimal(9))


def rows_of(month: Month = OCTOBER, *, only: Tenant | None = None, unsplit: bool = False) -> list[Row]:
    """The file, read back."""
    file = io.BytesIO()
    count = write_focus(file, month, only=only, unsplit=unsplit)
    rows = list(csv.DictReader(io.StringIO(file.getvalue().decode())))
    assert len(rows) == count
    return rows


def unknown_rows(month: Month = OCTOBER, *, only: Tenant | None = None) -> list[Row]:
    file = io.BytesIO()
    write_without_price(file, month, only=only)
    return list(csv.DictReader(io.StringIO(file.getvalue().decode())))


def total(rows: list[Row], column: str) -> Decimal:
    return sum((Decimal(row[column]) for row in rows), Decimal(0))
