"""An endpoint and runs on AWS, whose bills are imported."""

import datetime as dt
import io
from decimal import Decimal
from typing import Any

import pytest

from adapters.models import BaseModel
from jobs.backends import compute
from jobs.compute.kinds import external_name
from jobs.models import Job
from jobs.prices import Priced
from jobs.states import State
from metering.models import BillImport, EndpointHour
from metering.reconciliation.services import BillFile, import_bill
from metering.usage.ranges import HOUR
from serving.backends import endpoints
from serving.backends.vllm import VllmEndpoint
from serving.endpoints.services import ensure_endpoint
from tenants.models import Tenant
from tenants.scope import tenant_scope
from tests.metering.prices.listed import InCloud

OCTOBER = dt.datetime(2026, 10, 1, tzinfo=dt.UTC)
DAY = dt.datetime(2026, 10, 5, tzinfo=dt.UTC)


class Reached:
    def component(self) -> tuple[str, str]:
        return "Prod-EU", "base"


class OnAws(VllmEndpoint):
    """As SageMaker's, without AWS."""

    @property
    def priced(self) -> Priced:
        return Priced(service="hosting", item="ml.g5.2xlarge", region="eu-west-1")

    def target(self, deployment: str) -> Any:
        return Reached()


@pytest.fixture(autouse=True)
def on_aws(monkeypatch: pytest.MonkeyPatch, db: None) -> None:
    monkeypatch.setitem(endpoints.built, "default", OnAws("default", {"URL": "http://127.0.0.1:9", "ADAPTER_DIR": "x"}))
    monkeypatch.setitem(compute.built, "default", InCloud("default", {"ROOT": "unused"}))
    base = BaseModel.objects.create(name="tiny-llama", title="Tiny", location="nowhere")
    ensure_endpoint(name="shared", backend="default", base_model=base)


def imported(*data: bytes) -> BillImport:
    files = [BillFile(name=f"bill-{number}.csv", file=io.BytesIO(one)) for number, one in enumerate(data, start=1)]
    return import_bill(files=files, imported_by=None)


def measured(day: dt.datetime = DAY, *, hours: int = 24, price: str = "1.5", instances: int = 1) -> None:
    for number in range(hours):
        hour = day + number * HOUR
        EndpointHour.objects.create(
            endpoint="shared", hour=hour, up_ms=3_600_000, instance_ms=3_600_000 * instances,
            measured_until=hour + HOUR, price_per_hour=Decimal(price) if price else None,
            micros=int(Decimal(price) * 1_000_000) * instances if price else None, method="steps",
            idle_policy="operator",
        )  # fmt: skip


def ran(tenant: Tenant, **values: Any) -> tuple[Job, str]:
    """A job of an hour at two dollars, on its second attempt, and its first attempt's name in AWS."""
    plain = {
        "kind": "training", "title": "Train", "state": State.SUCCEEDED, "started_at": DAY, "finished_at": DAY + HOUR,
        "billable_seconds": 3600.0, "usd_per_hour": Decimal(2), "backend": "default", "attempt": 2,
    }  # fmt: skip
    with tenant_scope(tenant.id):
        job = Job.objects.create(tenant=tenant, **{**plain, **values})
    return job, f"arn:aws:sagemaker:eu-west-1:123456789012:training-job/{external_name(job, 1)}"
