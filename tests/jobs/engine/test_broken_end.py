"""A kind whose end cannot be written down fails for good after its attempts, and half of it is never there."""

from collections.abc import Callable

import pytest

from jobs.models import Job, QueueShare
from jobs.states import State
from tenants.scope import tenant_scope
from tests.jobs.conftest import ToyKind

pytestmark = pytest.mark.django_db(transaction=True)


def test_it_is_tried_again_and_then_given_up(
    toy: ToyKind, start_toy: Callable[..., Job], run_jobs: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    tried = []

    def write_half_and_break(job: Job) -> None:
        QueueShare.objects.filter(tenant_id=job.tenant_id).update(credit=99.0)
        tried.append(job.attempt)
        raise ZeroDivisionError

    monkeypatch.setattr(toy, "max_attempts", 2)
    monkeypatch.setattr(toy, "on_succeeded", write_half_and_break)
    job = start_toy(steps=1)
    run_jobs()
    with tenant_scope(job.tenant_id):
        job = Job.objects.get(id=job.id)
        assert (job.state, job.error_code) == (State.FAILED, "platform:unexpected")
        assert QueueShare.objects.get().credit != 99.0
    assert tried == [1, 1, 1], "the run itself ended well and is not made again"
    assert toy.ended == [("failed", {"code": "platform:unexpected"})]
