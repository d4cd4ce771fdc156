"""One row says what was spent; it is what the page of costs says, to the millionth."""

import datetime as dt
import random
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from adapters.models import AdapterVersion
from evaluations.models import CallPurpose, EvaluationRun, JudgeUsage, PaidTo
from jobs.models import Job
from jobs.states import State
from lorakit.contracts import InvocationRecord
from metering.budgets.counting import Counted, Subject, counted_in
from metering.budgets.months import month_of
from metering.budgets.services import count_spend, set_budget
from metering.costs.allocation import allocate_due
from metering.costs.queries import costs_of
from metering.models import By, EndpointHour, Spend
from metering.usage.ranges import HOUR
from tenants.models import Tenant
from tenants.scope import tenant_scope
from tests.metering.budgets.conftest import Clock, served, version_of

pytestmark = pytest.mark.django_db
MONTH = dt.date(2026, 11, 1)
ALL = Subject("all")
Run = Callable[..., Job]


def of_costs() -> int:
    """The page's total for November, in millionths."""
    costs = costs_of(dt.datetime(2026, 11, 1, tzinfo=dt.UTC), dt.datetime(2026, 12, 1, tzinfo=dt.UTC))
    return int(costs.total_usd * 1_000_000)


def judged(**changes: Any) -> None:
    plain = {
        "hour": dt.datetime(2026, 11, 5, tzinfo=dt.UTC), "purpose": CallPurpose.JUDGING, "paid_to": PaidTo.SITE,
        "judge_key": "shared", "judge_name": "Shared", "calls": 3, "usd": Decimal("0.1234567891"),
    }  # fmt: skip
    JudgeUsage.objects.create(**{**plain, **changes})


def test_everything_is_the_total_of_the_costs_page(
    in_tenant: Tenant,
    clock: Clock,
    run: Run,
    hold: Callable[..., AdapterVersion],
    record: Callable[..., InvocationRecord],
    count: Callable[..., int],
) -> None:
    hour = dt.datetime(2026, 11, 10, 9, tzinfo=dt.UTC)
    version = hold(in_tenant, "legal", since=hour - HOUR)
    told = {"at": hour.timestamp() + 60, "endpoint": "shared", "queue_ms": 1.0}
    count(
        record(alias="legal", version_id=str(version.id), busy_ms=1234.567, **told),
        record(alias="tiny-llama", busy_ms=777.777, **told),
    )
    EndpointHour.objects.create(
        endpoint="shared", hour=hour, up_ms=3_600_000, instance_ms=3_600_000, measured_until=hour + HOUR
    )
    allocate_due()
    randomly = random.Random(7)
    for _ in range(40):
        run(f"{randomly.uniform(0.1, 9):.4f}", billable_seconds=randomly.uniform(0.1, 4000.0))
    run("3", state=State.RUNNING, finished_at=None)
    run("5", finished_at=clock.now - dt.timedelta(days=40))
    run("0", usd_per_hour=None, billable_seconds=12.5)
    judged()
    judged(paid_to=PaidTo.PROVIDER, judge_key="own", calls_without_price=1)
    judged(paid_to=PaidTo.SERVING, judge_key="gateway", calls_without_tokens=2)
    counted = counted_in(MONTH, [ALL])[ALL]
    assert counted.micros == of_costs() > 0
    assert (counted.seconds_without_cost, counted.calls_without_cost, counted.requests_without_cost) == (12.5, 1, 0)


def test_an_adapter_is_its_serving_and_the_runs_of_its_versions(
    in_tenant: Tenant, clock: Clock, run: Run, hold: Callable[..., AdapterVersion]
) -> None:
    version, other = hold(in_tenant, "legal"), hold(in_tenant, "legal-2")
    for one, seconds in ((version, 3600.0), (other, 1800.0)):
        Job.objects.filter(id=one.run.job_id).update(
            billable_seconds=seconds, usd_per_hour=Decimal(2), finished_at=clock.now
        )
    EvaluationRun.objects.create(version=version, dataset_version=version.run.dataset_version, job=run("0.5"))
    run("9")
    for name, used, idle in (("legal", 10, 5), ("legal", 7, 0), ("legal-2", 100, 0), ("lega", 1000, 0)):
        served(By.VERSION, version_of(name), clock.now, used=used, idle=idle, unpriced=1)
    served(By.KEY, "k", clock.now, used=3, idle=4)
    served(By.KEY, "k", clock.now - dt.timedelta(days=30), used=99)
    subjects = [Subject("adapter", "legal"), Subject("adapter", "nobody"), Subject("key", "k"), Subject("key", "other")]
    legal, nobody, key, other_key = counted_in(MONTH, subjects).values()
    assert (legal.micros, legal.requests_without_cost) == (2_500_022, 2)
    assert (key.micros, other_key.micros, nobody.micros) == (7, 0, 0)


def test_another_tenants_money_is_not_counted(in_tenant: Tenant, other_tenant: Tenant, clock: Clock, run: Run) -> None:
    run("9", of=other_tenant)
    with tenant_scope(other_tenant.id):
        served(By.ALL, "", clock.now, used=5)
    assert counted_in(MONTH, [ALL])[ALL] == Counted()


def rows() -> list[dict[str, Any]]:
    found = Spend.objects.order_by("month").values()
    return [{name: value for name, value in row.items() if name != "counted_at"} for row in found]


def test_counting_twice_changes_nothing_and_a_killed_count_leaves_nothing(
    in_tenant: Tenant, clock: Clock, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    run("3")
    set_budget(tenant=in_tenant, subject=ALL, amount=Decimal(100), set_by=None)
    before = rows()
    assert [row["micros"] for row in before] == [3_000_000]
    count_spend(tenant_id=in_tenant.id)
    assert rows() == before
    run("50")
    with monkeypatch.context() as killed:
        # As it tells of it, after the row is written.
        killed.setattr("metering.budgets.telling.open_alert", lambda **_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            count_spend(tenant_id=in_tenant.id)
    assert rows() == before
    count_spend(tenant_id=in_tenant.id)
    assert [row["micros"] for row in rows()] == [53_000_000]


def test_the_month_before_is_counted_for_a_week(in_tenant: Tenant, clock: Clock, run: Run) -> None:
    set_budget(tenant=in_tenant, subject=ALL, amount=Decimal(100), set_by=None)
    late = run("3", finished_at=dt.datetime(2026, 11, 30, 23, 59, 59, tzinfo=dt.UTC))
    clock.set(2026, 12, 7)
    count_spend(tenant_id=in_tenant.id)
    assert [(row["month"].month, row["micros"]) for row in rows()] == [(11, 3_000_000), (12, 0)]
    Job.objects.filter(id=late.id).update(billable_seconds=7200.0)
    clock.set(2026, 12, 8, 0, 0, 1)
    count_spend(tenant_id=in_tenant.id)
    assert [(row["month"].month, row["micros"]) for row in rows()] == [(11, 3_000_000), (12, 0)]
    assert month_of(timezone.now()) == dt.date(2026, 12, 1)


def test_queries_do_not_grow_with_budgets(
    in_tenant: Tenant,
    clock: Clock,
    hold: Callable[..., AdapterVersion],
    run: Run,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    numbers = []
    for count in (2, 8):
        for index in range(count):
            name = f"adapter-{count}-{index}"
            hold(in_tenant, name)
            served(By.VERSION, version_of(name), clock.now, used=10)
            set_budget(tenant=in_tenant, subject=Subject("adapter", name), amount=Decimal(5), set_by=None)
        if count == 2:
            set_budget(tenant=in_tenant, subject=ALL, amount=Decimal(50), set_by=None)
        with django_assert_num_queries(15) as captured:
            count_spend(tenant_id=in_tenant.id)
        numbers.append(len(captured))
    assert numbers[0] == numbers[1]
