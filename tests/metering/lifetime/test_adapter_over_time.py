"""The chart of an adapter's costs has its trainings, evaluations and judges at their times, and sums to its life."""

import datetime as dt
from collections.abc import Callable
from decimal import Decimal

import pytest
from django.test import Client
from django.utils import timezone

from adapters.models import AdapterVersion, TrainingRun
from evaluations.models import EvaluationRun, EvaluationState, Judging, JudgingState
from jobs.models import Job
from jobs.states import State
from metering.costs.queries import costs_of
from metering.lifetime.costs import lives
from metering.lifetime.over_time import adapter_costs_over_time
from metering.models import Grain
from metering.usage.queries import Slice
from tenants.models import Tenant
from tests.metering.conftest import NOON

pytestmark = pytest.mark.django_db
Hold = Callable[..., AdapterVersion]
LATE = NOON + dt.timedelta(days=2)


def ended(kind: str, at: dt.datetime, seconds: float = 360, price: str | None = "2") -> Job:
    job: Job = Job.objects.create(
        kind=kind, title=kind, state=State.SUCCEEDED, finished_at=at, billable_seconds=seconds,
        usd_per_hour=price and Decimal(price),
    )  # fmt: skip
    return job


def evaluated(version: AdapterVersion, job: Job, at: dt.datetime, cost_usd: float | None) -> None:
    run = EvaluationRun.objects.create(
        version=version, dataset_version=version.run.dataset_version, job=job, state=EvaluationState.READY
    )
    judging = Judging.objects.create(run=run, state=JudgingState.READY, judges=[], usage={"cost_usd": cost_usd})
    Judging.objects.filter(id=judging.id).update(created_at=at)


def shown(version: AdapterVersion, grain: Grain = Grain.DAY) -> dict[str, dict[dt.datetime, Decimal]]:
    wanted = Slice(start=NOON.replace(hour=0), end=LATE + dt.timedelta(days=1))
    return adapter_costs_over_time(version.adapter, wanted, grain, {})


def test_each_part_stands_at_its_time_and_all_sum_to_the_life(in_tenant: Tenant, hold: Hold) -> None:
    version, other = hold(in_tenant, "legal"), hold(in_tenant, "clinic")
    Job.objects.filter(id=version.run.job_id).update(billable_seconds=720, usd_per_hour=2, finished_at=NOON)
    Job.objects.filter(id=other.run.job_id).update(billable_seconds=36, usd_per_hour=2, finished_at=NOON)
    evaluated(version, ended("evaluation", LATE), LATE, 0.25)
    evaluated(version, ended("evaluation", LATE, price=None), NOON, None)
    day, later = NOON.replace(hour=0), LATE.replace(hour=0)
    assert shown(version) == {
        "Training": {day: Decimal("0.4")}, "Evaluation": {later: Decimal("0.2")}, "Judging": {later: Decimal("0.25")},
    }  # fmt: skip
    assert shown(version, Grain.HOUR)["Training"] == {NOON: Decimal("0.4")}
    life = next(one for one in lives().versions if one.version == version)
    assert life.total == sum(sum(part.values()) for part in shown(version).values())
    # The judging is not among the lines: no call of it was recorded.
    lines = {line.title: line.usd for line in costs_of(NOON, LATE + dt.timedelta(days=1)).lines if line.usd}
    assert lines["Training"] == sum(sum(shown(one)["Training"].values()) for one in (version, other))
    assert lines["Evaluation"] == Decimal("0.2")


def test_a_training_that_made_no_version_counts(in_tenant: Tenant, hold: Hold) -> None:
    version = hold(in_tenant, "legal")
    TrainingRun.objects.create(
        adapter=version.adapter,
        dataset_version=version.run.dataset_version,
        recipe="style",
        job=ended("training", LATE),
    )
    assert shown(version) == {"Training": {LATE.replace(hour=0): Decimal("0.2")}}


def test_what_ended_outside_of_the_range_is_not_in_it(in_tenant: Tenant, hold: Hold) -> None:
    version = hold(in_tenant, "legal")
    evaluated(version, ended("evaluation", NOON - dt.timedelta(days=1)), LATE + dt.timedelta(days=1), 1.0)
    assert shown(version) == {}


def test_the_page_of_an_adapter_that_nobody_asked_shows_what_it_cost(
    in_tenant: Tenant, hold: Hold, as_alice: Client
) -> None:
    version = hold(in_tenant, "legal")
    ended_at = timezone.now() - dt.timedelta(hours=1)
    Job.objects.filter(id=version.run.job_id).update(billable_seconds=3600, usd_per_hour=2, finished_at=ended_at)
    html = as_alice.get(f"/usage/adapters/{version.adapter_id}/", headers={"HX-Request": "true"}).content.decode()
    assert "Nobody has asked this adapter" in html
    assert "2.00 USD in all" in html
    assert "requests-title" not in html
