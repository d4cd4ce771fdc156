"""Pages of jobs: the list, one job live, stopping it, and nothing of another tenant's."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from jobs.models import Job, JobEvent
from jobs.states import State
from jobs.views import PAGE_SIZE
from tenants.models import Tenant
from tenants.scope import tenant_scope
from tests.jobs.conftest import ToyKind

LIST = reverse("jobs:list")


@pytest.fixture
def add_job(tenant: Tenant) -> Callable[..., Job]:
    def add(state: State, **columns: Any) -> Job:
        started = None if state == State.QUEUED else timezone.now() - dt.timedelta(minutes=3)
        with tenant_scope(tenant.id):
            values = {"kind": "toy", "title": f"A {state} job", "started_at": started} | columns
            return Job.objects.create(state=state, **values)

    return add


def report(job: Job, *events: dict[str, Any]) -> None:
    with tenant_scope(job.tenant_id):
        for seq, event in enumerate(events, start=1):
            data = {key: value for key, value in event.items() if key != "type"}
            JobEvent.objects.create(job=job, attempt=1, seq=seq, at=timezone.now(), type=event["type"], data=data)


def test_the_list_filters_by_state(as_bob: Client, add_job: Callable[..., Job]) -> None:
    add_job(State.SUCCEEDED)
    add_job(State.FAILED, error_text="Choose a smaller batch.")
    everything = as_bob.get(LIST).content.decode()
    assert "A succeeded job" in everything
    assert "Choose a smaller batch." in everything
    failed = as_bob.get(LIST, {"state": "failed"}).content.decode()
    assert "A failed job" in failed
    assert "A succeeded job" not in failed


def test_an_empty_list_says_what_to_do(as_alice: Client) -> None:
    assert reverse("corpora:upload") in as_alice.get(LIST).content.decode()


def test_the_list_polls_only_while_something_runs(as_alice: Client, add_job: Callable[..., Job]) -> None:
    add_job(State.SUCCEEDED)
    assert "data-live" not in as_alice.get(LIST).content.decode()
    add_job(State.RUNNING)
    assert "data-live" in as_alice.get(LIST).content.decode()


def test_a_full_list_takes_few_queries(
    as_alice: Client, add_job: Callable[..., Job], django_assert_max_num_queries: Any
) -> None:
    for _ in range(PAGE_SIZE + 1):
        add_job(State.SUCCEEDED)
    with django_assert_max_num_queries(8):
        page = as_alice.get(LIST).content.decode()
    assert page.count("A succeeded job") == PAGE_SIZE
    assert "?page=2" in page


def test_a_running_job_shows_how_it_goes(as_alice: Client, add_job: Callable[..., Job]) -> None:
    job = add_job(State.RUNNING, phase="training", fraction=0.4, eta_seconds=95.0, usd_per_hour="0.1")
    metric = {"type": "metric", "step": 40, "total": 100, "loss": 1.25, "tokens_per_second": 900.0}
    report(job, {"type": "phase", "phase": "loading"}, metric)
    page = as_alice.get(reverse("jobs:detail", args=[job.id])).content.decode()
    for text in ("Training", "40%", "about 1 min 35 s left", "Step 40 of 100", "1.2500", "900 tokens/s", "Loading"):
        assert text in page
    assert '"y": [1.25]' in page
    assert f'hx-get="{reverse("jobs:live", args=[job.id])}"' in page


def test_a_running_job_that_waits_says_for_what(as_alice: Client, add_job: Callable[..., Job]) -> None:
    job = add_job(State.RUNNING, error_code="platform:disk_full", error_text="There is no room on the disk.")
    page = as_alice.get(reverse("jobs:detail", args=[job.id])).content.decode()
    assert "There is no room on the disk." in page


def test_polling_stops_at_the_end(as_alice: Client, add_job: Callable[..., Job]) -> None:
    running, ended = add_job(State.RUNNING), add_job(State.SUCCEEDED, finished_at=timezone.now())
    assert as_alice.get(reverse("jobs:live", args=[running.id])).status_code == 200
    response = as_alice.get(reverse("jobs:live", args=[ended.id]))
    assert response.status_code == 200
    assert "data-live" not in response.content.decode()
    assert "<html" not in response.content.decode()


def test_a_failed_job_says_why_and_what_to_do(as_alice: Client, add_job: Callable[..., Job]) -> None:
    job = add_job(State.FAILED, error_code="training:out_of_memory", error_text="Choose a smaller batch.")
    page = as_alice.get(reverse("jobs:detail", args=[job.id])).content.decode()
    assert "Choose a smaller batch." in page
    assert "training:out_of_memory" in page


def test_a_queued_job_knows_its_place_and_can_be_stopped(
    as_alice: Client, start_toy: Callable[..., Job], toy: ToyKind
) -> None:
    start_toy()
    job = start_toy()
    assert "Position 2" in as_alice.get(reverse("jobs:detail", args=[job.id])).content.decode()
    response = as_alice.post(reverse("jobs:stop", args=[job.id]))
    assert response.headers["Location"] == reverse("jobs:detail", args=[job.id])
    with tenant_scope(job.tenant_id):
        assert Job.objects.get(id=job.id).state == State.STOPPED


def test_stopping_an_ended_job_says_why_not(as_alice: Client, add_job: Callable[..., Job]) -> None:
    response = as_alice.post(reverse("jobs:stop", args=[add_job(State.SUCCEEDED).id]))
    assert response.status_code == 409
    assert "already succeeded" in response.content.decode()


@pytest.mark.parametrize(("name", "method"), [("detail", "get"), ("live", "get"), ("stop", "post")])
def test_another_tenant_sees_nothing(as_charlie: Client, add_job: Callable[..., Job], name: str, method: str) -> None:
    job = add_job(State.RUNNING)
    response = getattr(as_charlie, method)(reverse(f"jobs:{name}", args=[job.id]))
    assert response.status_code == 404
    assert job.title not in response.content.decode()
    assert job.title not in as_charlie.get(LIST).content.decode()
    with tenant_scope(job.tenant_id):
        assert Job.objects.get(id=job.id).state == State.RUNNING


def test_a_reviewer_has_no_jobs_page(as_rita: Client) -> None:
    assert as_rita.get(LIST).status_code == 403
