"""REST: jobs, their events, and stopping them."""

from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from jobs.models import Job, JobEvent
from jobs.states import State
from tenants.models import Tenant
from tenants.scope import tenant_scope
from tests.jobs.conftest import ToyKind

JOBS = "/api/v1/jobs/"


@pytest.fixture
def failed_job(tenant: Tenant) -> Job:
    with tenant_scope(tenant.id):
        job: Job = Job.objects.create(
            kind="toy",
            title="A job",
            state=State.FAILED,
            error_code="toy:broken",
            error_text="Mend the toy.",
            billable_seconds=1800.0,
            usd_per_hour="0.5",
            price_source="a test",
        )
        for attempt, seq in ((1, 1), (1, 2), (2, 1)):
            JobEvent.objects.create(
                job=job, attempt=attempt, seq=seq, at=timezone.now(), type="message", data={"text": f"{attempt}.{seq}"}
            )
    return job


def test_a_job_tells_its_error_cost_and_links(api: APIClient, failed_job: Job) -> None:
    job = api.get(f"{JOBS}{failed_job.id}/").json()
    assert job["state"] == "failed"
    assert job["error"] == {"code": "toy:broken", "text": "Mend the toy."}
    assert (job["cost_usd"], job["price_source"]) == (0.25, "a test")
    assert api.get(job["links"]["events"]).status_code == 200


def test_jobs_are_listed_by_state(api: APIClient, failed_job: Job, django_assert_max_num_queries: Any) -> None:
    with django_assert_max_num_queries(6):
        found = api.get(JOBS, {"state": "failed"}).json()["results"]
    assert [job["id"] for job in found] == [str(failed_job.id)]
    assert api.get(JOBS, {"state": "running"}).json()["results"] == []
    wrong = api.get(JOBS, {"state": "sleeping"})
    assert (wrong.status_code, wrong.json()["code"]) == (400, "request:invalid")


def test_events_go_on_after_a_cursor(api: APIClient, failed_job: Job) -> None:
    url = f"{JOBS}{failed_job.id}/events/"
    first = api.get(url).json()
    assert [event["data"]["text"] for event in first["events"]] == ["1.1", "1.2", "2.1"]
    later = api.get(url, {"after": first["events"][1]["cursor"]}).json()
    assert [event["cursor"] for event in later["events"]] == ["2.1"]
    assert api.get(url, {"after": later["next"]}).json() == {"events": [], "next": "2.1"}


@pytest.mark.parametrize("after", ["x", "1", "1.2.3", "-1.0", "1.99999999999"])
def test_a_wrong_cursor_is_refused(api: APIClient, failed_job: Job, after: str) -> None:
    response = api.get(f"{JOBS}{failed_job.id}/events/", {"after": after})
    assert (response.status_code, response.headers["Content-Type"]) == (400, "application/problem+json")


def test_a_queued_job_stops_at_once_and_a_second_call_changes_nothing(
    api: APIClient, start_toy: Callable[..., Job], toy: ToyKind
) -> None:
    url = f"{JOBS}{start_toy().id}/stop/"
    assert api.post(url).json()["state"] == "stopped"
    assert api.post(url).json()["state"] == "stopped"
    assert toy.ended == [("stopped", {})]


def test_an_ended_job_cannot_be_stopped(api: APIClient, failed_job: Job) -> None:
    response = api.post(f"{JOBS}{failed_job.id}/stop/")
    assert (response.status_code, response.json()["code"]) == (409, "job:already_ended")


def test_another_tenants_key_finds_nothing(other_api: APIClient, failed_job: Job) -> None:
    assert other_api.get(JOBS).json()["results"] == []
    for method, path in (("get", ""), ("get", "events/"), ("post", "stop/")):
        response = getattr(other_api, method)(f"{JOBS}{failed_job.id}/{path}")
        assert response.status_code == 404
        assert "A job" not in response.content.decode()
