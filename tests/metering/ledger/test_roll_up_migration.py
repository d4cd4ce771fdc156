"""The migration that fills the roll-ups, there and back."""

import datetime as dt
import importlib
import json

import pytest
from django.apps import apps
from django.db import connection

from metering.ledger.sketches import quantiles, sketch_of
from metering.models import DailyUsage, HourlyTotal, HourlyUsage
from tenants.models import Tenant
from tenants.scope import system_scope

pytestmark = pytest.mark.django_db
filling = importlib.import_module("metering.migrations.0003_fill_roll_ups")


def test_json_becomes_bins_and_the_hours_become_days_and_totals(tenant: Tenant, other_tenant: Tenant) -> None:
    values = {8: [0.0, 10.0, 10.0], 9: [5000.0], 31: [7.0]}
    with system_scope():
        for owner in (tenant, other_tenant):
            for hour, latencies in values.items():
                HourlyUsage.objects.create(
                    tenant=owner, hour=dt.datetime(2026, 3, 1, tzinfo=dt.UTC) + dt.timedelta(hours=hour), alias="legal",
                    requests=len(latencies), busy_ms=1.5,
                    latency_sketch=json.dumps([[value, 1.0] for value in latencies]).encode(),
                )  # fmt: skip
        with connection.schema_editor() as editor:
            filling.fill(apps, editor)
        hours = HourlyUsage.objects.filter(tenant=tenant).order_by("hour")
        assert [bytes(row.latency_sketch) for row in hours] == [sketch_of(latencies) for latencies in values.values()]
        first, second = DailyUsage.objects.filter(tenant=tenant).order_by("day")
        assert (first.day, first.requests, first.busy_ms, second.requests) == (dt.date(2026, 3, 1), 4, 3.0, 1)
        assert bytes(first.latency_sketch) == sketch_of([*values[8], *values[9]])
        assert HourlyTotal.objects.filter(tenant=tenant).count() == 3

        with connection.schema_editor() as editor:
            filling.empty(apps, editor)
            assert not HourlyTotal.objects.exists()
            filling.fill(apps, editor)
        assert quantiles(HourlyUsage.objects.filter(tenant=tenant).order_by("hour")[0].latency_sketch, (0.0, 1.0)) == (
            pytest.approx([0.0, 10.0], rel=0.01)
        )
        assert DailyUsage.objects.count() == 4
