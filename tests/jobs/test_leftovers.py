"""Run directories hold copies of customers' rows, so they do not outlive their job for long."""

import datetime as dt
from collections.abc import Callable
from pathlib import Path

import pytest
from django.conf import settings
from django.utils import timezone

from jobs.leftovers import KEPT, discard_leftovers
from jobs.models import Job
from tenants.scope import tenant_scope

pytestmark = pytest.mark.django_db(transaction=True)


def test_an_ended_run_is_kept_for_a_while_and_then_cleared_away(
    start_toy: Callable[..., Job], run_jobs: Callable[..., None]
) -> None:
    job = start_toy()
    run_jobs()
    with tenant_scope(job.tenant_id):
        job = Job.objects.get(id=job.id)
        root = Path(settings.COMPUTE["default"]["OPTIONS"]["ROOT"])
        folders = [root / job.external_name, root / "checkpoints" / str(job.id)]
        assert discard_leftovers() == 0
        assert all(folder.exists() for folder in folders)
        ended = timezone.now() - KEPT - dt.timedelta(seconds=1)
        Job.objects.filter(id=job.id).update(finished_at=ended)
    assert discard_leftovers() == 1
    assert not any(folder.exists() for folder in folders)
    assert discard_leftovers() == 0
