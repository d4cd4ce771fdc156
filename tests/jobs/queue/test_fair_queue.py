"""Among tenants turns are taken; within a tenant it is first come, first served."""

from collections import deque
from collections.abc import Callable
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.backends import compute
from jobs.models import Job
from jobs.queue.admission import admit
from jobs.queue.queries import place_in_line
from jobs.queue.round_robin import Waiting, pick
from jobs.services import start_job
from jobs.states import State, transition
from tenants.models import Tenant
from tenants.scope import tenant_scope


def waiting(costs: list[float], *, free: int = 99, credit: float = 0.0) -> Waiting:
    return Waiting(uuid4(), deque((uuid4(), cost) for cost in costs), free, credit)


def test_a_newcomer_does_not_wait_behind_a_long_queue() -> None:
    a, b = waiting([1.0] * 1000), waiting([1.0])
    first = b.jobs[0][0]
    chosen, _ = pick([a, b], slots=4)
    assert chosen.index(first) == 1


def test_costly_jobs_count_for_more() -> None:
    heavy, light = waiting([4.0] * 10), waiting([1.0] * 40)
    heavy_ids = {job_id for job_id, _ in heavy.jobs}
    chosen, _ = pick([heavy, light], slots=20)
    assert sum(job_id in heavy_ids for job_id in chosen) == 4


def test_a_tenant_that_was_not_reached_saves_nothing_up() -> None:
    a, b = waiting([1.0] * 3), waiting([1.0] * 3)
    _, credit = pick([a, b], slots=1)
    assert credit == {a.tenant_id: 0.0, b.tenant_id: 0.0}


@given(
    st.lists(st.tuples(st.lists(st.floats(0.5, 5.0), max_size=8), st.integers(0, 4)), min_size=1, max_size=5),
    st.integers(0, 12),
)
def test_limits_and_order_hold_and_no_slot_is_wasted(queues: list[tuple[list[float], int]], slots: int) -> None:
    lines = [waiting(costs, free=free) for costs, free in queues]
    order: dict[UUID, list[UUID]] = {line.tenant_id: [job_id for job_id, _ in line.jobs] for line in lines}
    possible = sum(min(len(costs), free) for costs, free in queues)
    chosen, credit = pick(lines, slots=slots)
    assert len(chosen) == len(set(chosen)) == min(slots, possible)
    for line, (_, free) in zip(lines, queues, strict=True):
        mine = [job_id for job_id in chosen if job_id in order[line.tenant_id]]
        assert mine == order[line.tenant_id][: len(mine)]
        assert len(mine) <= free
    assert all(value >= 0 for value in credit.values())


@pytest.mark.django_db(transaction=True)
def test_tenants_share_the_slots_of_a_backend(
    start_toy: Callable[..., Job], tenant: Tenant, other_tenant: Tenant
) -> None:
    crowd = [start_toy(tenant) for _ in range(5)]
    single = start_toy(other_tenant)
    assert {job.id for job in admit()} == {crowd[0].id, single.id}
    assert admit() == []
    with tenant_scope(tenant.id):
        assert [place_in_line(job) for job in crowd[1:]] == [1, 2, 3, 4]


@pytest.mark.django_db(transaction=True)
def test_a_newcomers_check_waits_for_nobody(tenant: Tenant, other_tenant: Tenant) -> None:
    def check(owner: Tenant) -> Job:
        with tenant_scope(owner.id):
            return start_job(tenant=owner, kind="dataset_check", title="Check", spec={"version": str(uuid4())})

    crowd = [check(tenant) for _ in range(4)]
    most = compute["checks"].max_running_per_tenant
    assert [job.id for job in admit()] == [job.id for job in crowd[:most]]
    newcomer = check(other_tenant)
    assert [job.id for job in admit()] == [newcomer.id]


@pytest.mark.django_db(transaction=True)
def test_what_a_tenant_holds_of_a_backend_is_bounded_whenever_it_started(
    start_toy: Callable[..., Job], tenant: Tenant, other_tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compute["default"], "max_running_per_tenant", 1)
    first, second = start_toy(tenant), start_toy(tenant)
    assert [job.id for job in admit()] == [first.id]
    assert admit() == []
    other = start_toy(other_tenant)
    assert [job.id for job in admit()] == [other.id]
    with tenant_scope(tenant.id):
        first.refresh_from_db()
        transition(first, State.SUCCEEDED)
    assert [job.id for job in admit()] == [second.id]
