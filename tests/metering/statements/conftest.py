"""A site whose endpoint costs a dollar an hour, with all that can stand on a statement of October 2026."""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

import pytest

from adapters.models import BaseModel
from evaluations.models import JudgeUsage, PaidTo
from jobs.models import Job
from jobs.states import State
from lorakit.contracts import InvocationRecord
from metering.costs.allocation import allocate_due
from metering.models import EndpointHour
from metering.usage.ranges import HOUR
from serving.backends import endpoints
from serving.backends.vllm import VllmEndpoint
from serving.endpoints.services import ensure_endpoint
from serving.models import Endpoint, EndpointState
from tenants.models import Tenant
from tenants.scope import system_scope, tenant_scope

OCTOBER, NOVEMBER = dt.date(2026, 10, 1), dt.date(2026, 11, 1)
NOON = dt.datetime(2026, 10, 25, 12, tzinfo=dt.UTC)


@dataclass
class Clock:
    """The time of the site, which stands still until it is set."""

    now: dt.datetime

    def set(self, *parts: int) -> dt.datetime:
        """Go to a time of UTC."""
        self.now = dt.datetime(*parts, tzinfo=dt.UTC)  # type: ignore[misc,arg-type]
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """5 November 2026: October is over, and due."""
    clock = Clock(dt.datetime(2026, 11, 5, 9, tzinfo=dt.UTC))
    monkeypatch.setattr("django.utils.timezone.now", lambda: clock.now)
    return clock


@pytest.fixture
def site(clock: Clock, monkeypatch: pytest.MonkeyPatch, tenant: Tenant, other_tenant: Tenant) -> None:
    """Two organisations since September, and an endpoint that is not billed any more."""
    with system_scope():
        for one in (tenant, other_tenant):
            one.created_at = dt.datetime(2026, 9, 20, tzinfo=dt.UTC)
            one.save()
    options = {
        "URL": "http://127.0.0.1:9", "ADAPTER_DIR": "unused", "PRICE_USD_PER_HOUR": 1.0, "PRICE_SOURCE": "a quote"
    }  # fmt: skip
    monkeypatch.setitem(endpoints.built, "default", VllmEndpoint("default", options))
    base = BaseModel.objects.create(name="tiny-llama", title="Tiny", location="nowhere")
    ensure_endpoint(name="shared", backend="default", base_model=base)
    Endpoint.objects.update(state=EndpointState.DELETED, created_at=dt.datetime(2026, 9, 20, tzinfo=dt.UTC))


def measured(hour: dt.datetime = NOON, endpoint: str = "shared") -> EndpointHour:
    return EndpointHour.objects.create(
        endpoint=endpoint, hour=hour, up_ms=3_600_000, instance_ms=3_600_000, measured_until=hour + HOUR
    )


@pytest.fixture
def asked(record: Callable[..., InvocationRecord], count: Callable[..., int], tenant: Tenant) -> Callable[..., None]:
    """A request in the hour of noon that took a second of the engine, counted and shared."""

    def ask(*changes: dict[str, object], share: bool = True) -> None:
        plain: dict[str, object] = {
            "at": NOON.timestamp() + 60, "endpoint": "shared", "queue_ms": 1.0, "key_id": "", "busy_ms": 1000.0,
            "alias": "clauses",
        }  # fmt: skip
        count(*(record(**{**plain, **one}) for one in changes or ({},)))
        while share and allocate_due():
            pass

    return ask


def job(tenant: Tenant, **values: object) -> Job:
    """Six minutes at two dollars an hour."""
    plain = {
        "kind": "training", "title": "Train", "state": State.SUCCEEDED, "finished_at": NOON,
        "billable_seconds": 360.0, "usd_per_hour": Decimal(2), "price_source": "price list",
    }  # fmt: skip
    with tenant_scope(tenant.id):
        return Job.objects.create(tenant=tenant, **{**plain, **values})


def judged(tenant: Tenant, **values: object) -> JudgeUsage:
    """Ten calls of the site's judge for a tenth of a dollar."""
    plain = {
        "hour": NOON, "purpose": "judging", "paid_to": PaidTo.SITE, "judge_key": "strict", "judge_name": "Strict",
        "calls": 10, "tokens_in": 2000, "tokens_out": 300, "usd": Decimal("0.1"),
    }  # fmt: skip
    with tenant_scope(tenant.id):
        return JudgeUsage.objects.create(tenant=tenant, **{**plain, **values})


@pytest.fixture
def october(asked: Callable[..., None], tenant: Tenant, other_tenant: Tenant) -> Tenant:
    """Everything that a statement can have; what one thirds can't be shown to the cent."""
    measured()
    asked({}, {"alias": "tickets", "busy_ms": 3000.0}, {"tenant_id": str(other_tenant.id), "busy_ms": 7000.0})
    job(tenant)
    job(tenant, kind="dataset_check", billable_seconds=1.0, usd_per_hour=None, price_source="")
    judged(tenant)
    judged(tenant, judge_key="ours", judge_name="Ours", paid_to=PaidTo.PROVIDER, usd=Decimal("0.333333"))
    judged(tenant, judge_key="dark", judge_name="Dark", calls_without_price=10, usd=Decimal(0))
    judged(tenant, judge_key="home", judge_name="Home", paid_to=PaidTo.SERVING, usd=Decimal(0))
    return tenant
