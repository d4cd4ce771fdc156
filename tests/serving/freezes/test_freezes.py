"""While a freeze is open nothing is promoted; what runs waits, and rollbacks go on."""

import datetime as dt
from collections.abc import Callable

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from adapters.models import Adapter, AdapterVersion
from jobs.engine.reconciler import jobs_to_step
from jobs.engine.steps import step_job
from jobs.models import Job
from jobs.services import start_job, stop_job
from jobs.states import State
from rest.errors import Conflict, PortalError
from serving.backends.base import Status
from serving.freezes.queries import freeze_at, freezes_not_over
from serving.freezes.services import add_freeze, add_site_freeze, end_freeze, end_site_freeze
from serving.models import Freeze, Promotion, Route, SiteFreeze
from serving.promotions.services import promote_version, roll_back
from tenants.models import AuditEvent, Tenant, User
from tenants.scope import tenant_scope
from tests.serving.memory_endpoint import MemoryEndpoint

MakeVersion = Callable[..., AdapterVersion]
RunJobs = Callable[..., None]
pytestmark = pytest.mark.django_db
HOUR = dt.timedelta(hours=1)


@pytest.fixture(autouse=True)
def nobody_to_ask(memory: MemoryEndpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("serving.endpoints.loading.known_answers", lambda version, limit: [])


def promote(version: AdapterVersion) -> Promotion:
    return promote_version(tenant=version.tenant, version=version, created_by=None)


def freeze(tenant: Tenant, adapter: Adapter | None = None, *, after: dt.timedelta | None = None) -> Freeze:
    """A window of two hours that is open now, or opens later."""
    start = timezone.now() + after if after else None
    end = (start or timezone.now()) + 2 * HOUR
    return add_freeze(
        tenant=tenant, adapter=adapter, starts_at=start, ends_at=end, reason="Quarter close", created_by=None
    )


def step_once() -> None:
    for job_id in jobs_to_step():
        step_job(job_id)


@pytest.fixture
def running(memory: MemoryEndpoint, in_tenant: Tenant, make_version: MakeVersion) -> Promotion:
    """A promotion whose deployment is not in service yet."""
    memory.next_status = Status.CREATING
    promotion = promote(make_version(in_tenant, "legal", 1))
    step_once()
    memory.next_status = Status.IN_SERVICE
    memory.held = {name: (package, Status.IN_SERVICE) for name, (package, _) in memory.held.items()}
    return promotion


def due_now() -> None:
    Job.objects.active().update(due_at=timezone.now())


def test_a_promotion_is_refused_with_reason_and_end(in_tenant: Tenant, make_version: MakeVersion) -> None:
    version = make_version(in_tenant, "legal", 1)
    open_freeze = freeze(in_tenant)
    with pytest.raises(Conflict, match="Quarter close") as refused:
        promote(version)
    assert refused.value.code == "promotion:frozen"
    assert refused.value.extra == {"ends_at": open_freeze.ends_at.isoformat(), "reason": "Quarter close"}
    assert f"until {timezone.localtime(open_freeze.ends_at):%-d %b %Y, %H:%M} UTC" in refused.value.text
    assert not Promotion.objects.exists()
    end_freeze(freeze=open_freeze)
    assert promote(version).job.state == State.QUEUED


def test_a_freeze_is_of_its_adapter_its_tenant_and_its_time(
    in_tenant: Tenant, other_tenant: Tenant, make_version: MakeVersion
) -> None:
    legal, tickets = (make_version(in_tenant, name, seed) for seed, name in enumerate(("legal", "tickets"), 1))
    with tenant_scope(other_tenant.id):
        freeze(other_tenant)
    freeze(in_tenant, after=HOUR)
    freeze(in_tenant, legal.adapter)
    assert promote(tickets).job.state == State.QUEUED
    with pytest.raises(Conflict):
        promote(legal)


def test_of_several_the_one_that_ends_last_is_named(in_tenant: Tenant, make_version: MakeVersion) -> None:
    adapter = make_version(in_tenant, "legal", 1).adapter
    now = timezone.now()
    freeze(in_tenant)
    longest = add_site_freeze(starts_at=None, ends_at=now + 9 * HOUR, reason="Move")
    assert freeze_at(adapter, timezone.now()) == longest
    assert freeze_at(adapter, now + 10 * HOUR) is None
    assert freeze_at(adapter, longest.ends_at) is None
    assert len(freezes_not_over(10)) == 2


def test_a_promotion_that_runs_waits_until_the_end(
    in_tenant: Tenant, memory: MemoryEndpoint, running: Promotion, run_jobs: RunJobs
) -> None:
    freeze(in_tenant)
    due_now()
    step_once()
    job = Job.objects.get(kind="promotion")
    assert (job.state, job.phase, job.error_code) == (State.RUNNING, "frozen", "promotion:frozen")
    assert "Quarter close" in job.error_text
    assert job.due_at > timezone.now() + dt.timedelta(minutes=50)
    assert not Route.objects.exists()
    Freeze.objects.update(starts_at=timezone.now() - 2 * HOUR, ends_at=timezone.now() - HOUR)
    due_now()
    run_jobs()
    job.refresh_from_db()
    assert (job.state, job.error_code) == (State.SUCCEEDED, "")
    assert Route.objects.get().active.version == running.version


def test_a_freeze_that_begins_during_the_check_is_still_in_time(
    in_tenant: Tenant, running: Promotion, monkeypatch: pytest.MonkeyPatch
) -> None:
    def freeze_meanwhile(version: AdapterVersion, limit: int) -> list[object]:
        freeze(in_tenant)
        return []

    monkeypatch.setattr("serving.endpoints.loading.known_answers", freeze_meanwhile)
    due_now()
    step_once()
    assert Job.objects.get(kind="promotion").phase == "frozen"
    assert not Route.objects.exists()


@pytest.mark.parametrize("whose", ["own", "site"])
def test_its_early_end_wakes_what_waits(in_tenant: Tenant, running: Promotion, run_jobs: RunJobs, whose: str) -> None:
    if whose == "own":
        own = freeze(in_tenant)
    else:
        site = add_site_freeze(starts_at=None, ends_at=timezone.now() + HOUR, reason="Move")
    due_now()
    step_once()
    assert Job.objects.get(kind="promotion").phase == "frozen"
    if whose == "own":
        end_freeze(freeze=own)
        end_freeze(freeze=own)
    else:
        end_site_freeze(freeze=site)
    run_jobs()
    assert Job.objects.get(kind="promotion").state == State.SUCCEEDED


def test_what_waits_can_be_stopped_and_holds_no_slot(in_tenant: Tenant, running: Promotion, run_jobs: RunJobs) -> None:
    Tenant.objects.filter(id=in_tenant.id).update(max_running_jobs=1)
    freeze(in_tenant)
    due_now()
    step_once()
    other = start_job(tenant=in_tenant, kind="evaluation", title="Another", spec={})
    jobs_to_step()
    other.refresh_from_db()
    assert other.state == State.RUNNING
    Job.objects.filter(id=other.id).delete()
    stop_job(job_id=running.job.id)
    run_jobs()
    running.refresh_from_db()
    assert running.job.state == State.STOPPED


def test_rollbacks_go_on_even_beside_a_promotion_that_waits(
    in_tenant: Tenant, make_version: MakeVersion, run_jobs: RunJobs
) -> None:
    versions = [make_version(in_tenant, "legal", seed) for seed in (1, 2, 3)]
    for version in versions[:2]:
        promote(version)
        run_jobs()
    waits = promote(versions[2])
    freeze(in_tenant)
    step_once()
    assert Job.objects.get(id=waits.job.id).phase == "frozen"
    route = Route.objects.get()
    assert roll_back(tenant=in_tenant, route=route, created_by=None).version == versions[0]
    route.refresh_from_db()
    # Through a job, too.
    type(route.previous).objects.filter(id=route.previous_id).update(state="deleted")
    again = roll_back(tenant=in_tenant, route=route, created_by=None)
    step_once()
    again.refresh_from_db()
    assert again.job.state == State.SUCCEEDED, again.job.error_text
    route.refresh_from_db()
    assert route.active.version == versions[1]


@pytest.mark.parametrize(
    ("start", "end", "reason", "field"),
    [
        (None, -HOUR, "Why", "ends_at"),
        (2 * HOUR, HOUR, "Why", "ends_at"),
        (HOUR, HOUR, "Why", "ends_at"),
        (None, HOUR, " \n ", "reason"),
    ],
)
def test_a_window_that_makes_no_sense_is_refused(
    in_tenant: Tenant, start: dt.timedelta | None, end: dt.timedelta, reason: str, field: str
) -> None:
    now = timezone.now()
    with pytest.raises(PortalError) as refused:
        add_freeze(
            tenant=in_tenant,
            adapter=None,
            starts_at=now + start if start else None,
            ends_at=now + end,
            reason=reason,
            created_by=None,
        )
    assert refused.value.field == field
    assert not Freeze.objects.exists()


def test_both_ends_are_recorded_without_the_reason(in_tenant: Tenant, alice: User) -> None:
    added = freeze(in_tenant)
    end_freeze(freeze=added)
    events = AuditEvent.objects.filter(action__startswith="freeze.").order_by("sequence")
    assert [event.action for event in events] == ["freeze.added", "freeze.ended"]
    assert {event.target_name for event in events} == {"Freeze of all adapters"}
    assert "Quarter close" not in str([(event.before, event.after) for event in events])


def test_the_operator_freezes_the_site(
    in_tenant: Tenant, make_version: MakeVersion, capsys: pytest.CaptureFixture[str]
) -> None:
    call_command("freeze", "add", "--until", "2099-12-24T12:00", "--reason", "Move")
    call_command("freeze", "list")
    lines = capsys.readouterr().out.splitlines()
    assert len(set(lines)) == 1
    assert lines[0].endswith("to 24 Dec 2099, 12:00 UTC  Move")
    version = make_version(in_tenant, "legal", 1)
    with pytest.raises(Conflict, match="Move"):
        promote(version)
    call_command("freeze", "end", str(SiteFreeze.objects.get().id))
    promote(version)
    with pytest.raises(CommandError, match="no such window"):
        call_command("freeze", "end", str(version.id))
    with pytest.raises(CommandError, match="must end in the future"):
        call_command("freeze", "add", "--until", "2001-01-01", "--reason", "Late")
