"""Money spent at chosen times."""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from django.utils import timezone

from jobs.models import Job
from jobs.states import State
from metering.models import By, Grain, UsageTotal
from tenants.models import Tenant
from tenants.scope import tenant_scope


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
    """16 November 2026, noon."""
    clock = Clock(dt.datetime(2026, 11, 16, 12, tzinfo=dt.UTC))
    monkeypatch.setattr("django.utils.timezone.now", lambda: clock.now)
    return clock


@pytest.fixture
def run(tenant: Tenant) -> Callable[..., Job]:
    """A run that ended now and cost `usd`."""

    def make(usd: str, of: Tenant = tenant, **changes: Any) -> Job:
        plain = {
            "kind": "training", "title": "Train", "state": State.SUCCEEDED, "finished_at": timezone.now(),
            "billable_seconds": 3600.0, "usd_per_hour": Decimal(usd), "price_source": "price list",
        }  # fmt: skip
        with tenant_scope(of.id):
            job: Job = Job.objects.create(**{**plain, **changes})
        return job

    return make


def served(by: By, value: str, at: dt.datetime, *, used: int = 0, idle: int = 0, unpriced: int = 0) -> None:
    """What serving cost in millionths, as roll-ups hold it."""
    day = at.replace(hour=0, minute=0, second=0, microsecond=0)
    for grain, start in ((Grain.DAY, day), (Grain.MONTH, day.replace(day=1))):
        row, _ = UsageTotal.objects.get_or_create(by=by, grain=grain, start=start, value=value)
        parts = {"by": by, "grain": grain, "start": start, "value": value}
        UsageTotal.objects.filter(**parts).update(
            used_micros=row.used_micros + used, idle_micros=row.idle_micros + idle, unpriced=row.unpriced + unpriced
        )


def version_of(adapter: str) -> str:
    return f"{adapter}/{uuid4()}"
