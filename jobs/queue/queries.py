"""Where a job stands in the queue."""

from jobs.models import Job


def place_in_line(job: Job) -> int:
    """The job's position in its tenant's queue for its backend, counted from 1."""
    return Job.objects.queued().filter(backend=job.backend, created_at__lt=job.created_at).count() + 1
