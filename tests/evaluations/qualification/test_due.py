"""Judges are tested once for each version, and again each month; what that costs is said before."""

import datetime as dt
from decimal import Decimal

import pytest
from django.utils import timezone

from evaluations.judges.backends.reference import ReferenceJudge
from evaluations.judges.services import change_judge, create_judge
from evaluations.models import Judge, Qualification, QualificationState
from evaluations.qualification import services
from evaluations.qualification.cases import everything
from evaluations.qualification.estimate import estimate_of, estimate_of_shared
from evaluations.qualification.services import start_due_qualifications
from evaluations.tasks import start_due_tests
from jobs.models import Job
from jobs.states import State
from tenants.models import Tenant
from tenants.scope import system_scope, tenant_scope

pytestmark = pytest.mark.django_db

ALL = len(everything())


@pytest.fixture
def settled(in_tenant: Tenant) -> Judge:
    made = create_judge(tenant=in_tenant, name="Own", kind="gateway", model="clauses")
    age(made, services.SETTLED)
    return made


def age(judge: Judge, by: dt.timedelta) -> None:
    Judge.objects.filter(id=judge.id).update(updated_at=timezone.now() - by - dt.timedelta(seconds=1))


def end(state: QualificationState) -> None:
    Qualification.objects.update(state=state)
    Job.objects.update(state=State.SUCCEEDED)


def test_a_new_judge_is_tested_once(settled: Judge) -> None:
    start_due_tests()
    start_due_tests()
    found = Qualification.objects.get()
    assert (found.judge_id, found.judge_version, found.created_by) == (settled.id, 1, None)
    end(QualificationState.FAILED)
    assert start_due_qualifications() == 0


def test_one_that_is_not_to_be_tested_is_left_alone(settled: Judge) -> None:
    change_judge(judge=settled, is_tested_automatically=False)
    age(settled, services.SETTLED)
    assert start_due_qualifications() == 0
    assert settled.version == Judge.objects.get().version, "its grades stay the same"
    change_judge(judge=settled, is_tested_automatically=True)
    age(settled, services.SETTLED)
    assert start_due_qualifications() == 1


def test_an_organisation_has_one_test_at_a_time(settled: Judge, other_tenant: Tenant) -> None:
    for tenant in (settled.tenant, other_tenant):
        with tenant_scope(tenant.id):
            age(create_judge(tenant=tenant, name="Second", kind="gateway", model="clauses"), services.SETTLED)
    assert start_due_qualifications() == 2
    assert start_due_qualifications() == 0
    end(QualificationState.FAILED)
    assert start_due_qualifications() == 1
    with system_scope():
        assert Qualification.objects.values("judge").distinct().count() == 3


def test_one_in_the_making_is_left_alone(in_tenant: Tenant) -> None:
    create_judge(tenant=in_tenant, name="Own", kind="gateway", model="clauses")
    assert start_due_qualifications() == 0


def test_a_new_version_is_tested_again(settled: Judge) -> None:
    start_due_qualifications()
    change_judge(judge=settled, model="contracts")
    age(settled, services.SETTLED)
    assert start_due_qualifications() == 0, "while the first is still running"
    end(QualificationState.FAILED)
    assert start_due_qualifications() == 1
    assert sorted(Qualification.objects.values_list("judge_version", flat=True)) == [1, 2]


def test_each_is_tested_again_after_a_month(settled: Judge) -> None:
    start_due_qualifications()
    end(QualificationState.READY)
    before = timezone.now() - services.REPEATED
    Qualification.objects.update(created_at=before + dt.timedelta(minutes=1))
    assert start_due_qualifications() == 0
    Qualification.objects.update(created_at=before - dt.timedelta(minutes=1))
    assert start_due_qualifications() == 1


def test_the_estimate_counts_calls_and_money(settled: Judge) -> None:
    settled.price_in, settled.price_out = Decimal(1), Decimal(2)
    found = estimate_of(settled)
    assert found.calls == ALL
    assert found.usd is not None
    assert Decimal("0.2") < found.usd < Decimal("0.6")
    settled.price_in = None
    assert estimate_of(settled).usd is None
    settled.temperature, settled.samples = 0.5, 3
    assert estimate_of(settled).calls == 3 * ALL
    assert estimate_of_shared(ReferenceJudge("default", {})).usd == 0
