"""Reads of the active tenant's trials."""

from uuid import UUID

from django.db.models import QuerySet

from adapters.models import Adapter
from jobs.models import Job
from jobs.states import TERMINAL
from rest.errors import NotFound
from serving.models import Trial

TRIAL = "trial"
"""The kind of an A/B test's job."""


def trials() -> QuerySet[Trial]:
    """Newest first, with both versions, their job and who began them."""
    return Trial.objects.select_related(
        "adapter", "live__version__adapter", "candidate__version__adapter", "job", "created_by"
    ).defer("live__version__manifest", "candidate__version__manifest")


def trial_of(job: Job) -> Trial | None:
    """The trial that a job has begun."""
    return trials().filter(job=job).first()


def running_test(adapter: Adapter) -> Job | None:
    """The job of an A/B test of the adapter that has not ended, perhaps not begun."""
    tests = Job.objects.filter(kind=TRIAL, spec__adapter=str(adapter.id))
    return tests.exclude(state__in=TERMINAL).first()


def trial_named(trial_id: UUID) -> Trial:
    """Raises NotFound."""
    trial = trials().filter(id=trial_id).first()
    if trial is None:
        raise NotFound("Trial not found.")
    return trial
