"""Objects in storage, a price for them, and the time."""

import datetime as dt
import io
import shutil
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import pytest
from django.core.files.storage import default_storage
from pytest_django import Settings

from metering.prices.services import set_price
from metering.stored.measuring import measure
from tenants.models import Tenant
from tests.metering.clock import Clock

GB = 2**30
HOURS = 720
"""Of November."""


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """16 November 2026, 12:10."""
    clock = Clock(dt.datetime(2026, 11, 16, 12, 10, tzinfo=dt.UTC))
    monkeypatch.setattr("django.utils.timezone.now", lambda: clock.now)
    return clock


@pytest.fixture
def store(clock: Clock, settings: Settings, tmp_path: Any) -> Iterator[Callable[..., str]]:
    """Puts an object of so many bytes into a storage of the test's own."""
    backend = {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": tmp_path / "objects"}}
    settings.STORAGES = {**settings.STORAGES, "default": backend}

    def put(tenant: Tenant, name: str, size: int) -> str:
        return default_storage.save(f"tenants/{tenant.id}/{name}", io.BytesIO(bytes(size)))

    yield put
    shutil.rmtree(tmp_path / "objects", ignore_errors=True)


def priced(usd: str = "0.72", **changes: Any) -> None:
    """Of a GB-month on the site's own disk; a GB of November then costs 0.001 dollars an hour."""
    plain = {"service": "storage", "item": "local", "currency": "USD", "set_by": None}
    set_price(**{**plain, "amount": Decimal(usd), **changes})


def measured(clock: Clock, tenant: Tenant, *days_and_hours: tuple[int, int]) -> None:
    """Measure in hours of November."""
    for day, hour in days_and_hours:
        clock.set(2026, 11, day, hour, 10)
        measure(tenant_id=tenant.id)


@pytest.fixture
def without_own_price(settings: Settings) -> None:
    """What is on a disk of the site costs nothing that anybody knows of, as on S3."""
    settings.LOCAL_STORAGE_PRICE_USD_PER_GB_MONTH = None
