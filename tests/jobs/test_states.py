"""Only legal moves happen, and of two that race one wins."""

import itertools

import pytest

from jobs.models import Job
from jobs.states import TERMINAL, TRANSITIONS, State, transition
from tenants.models import Tenant

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(("old", "new"), list(itertools.product(State, State)))
def test_the_table_of_transitions_is_what_happens(in_tenant: Tenant, old: State, new: State) -> None:
    job = Job.objects.create(tenant=in_tenant, kind="test", title="t", state=old)
    legal = new in TRANSITIONS.get(old, frozenset())
    assert transition(job, new) is legal
    assert Job.objects.get(id=job.id).state == (new if legal else old)


def test_the_end_is_the_end() -> None:
    assert not TERMINAL & set(TRANSITIONS)


def test_a_late_writer_loses(in_tenant: Tenant) -> None:
    job = Job.objects.create(tenant=in_tenant, kind="test", title="t", state=State.RUNNING, fence=8)
    assert not transition(job, State.SUCCEEDED, fence=7)
    assert transition(job, State.FAILED, fence=8, error_code="toy:x")
    assert job.error_code == "toy:x"
    assert job.finished_at is not None
