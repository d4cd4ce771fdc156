"""What webhooks hear of the end of a job."""

from jobs.models import Job
from jobs.states import State
from tenants.webhooks.kinds import EventKind
from tenants.webhooks.services import publish

EXAMPLE = {
    "job": "b8a4c6f2-7d0e-4a54-9d5e-2f1f6f3f9a10",
    "kind": "training",
    "title": "Train clause-summary",
    "attempts": 1,
    "billable_seconds": 61.4,
    "error": None,
}
FAILURE = {"code": "training:out_of_memory", "text": "The run needs more memory than there is."}
KINDS = (
    EventKind(name="job.succeeded", title="A job succeeded", example=EXAMPLE),
    EventKind(name="job.failed", title="A job failed", example={**EXAMPLE, "error": FAILURE}),
    EventKind(name="job.stopped", title="A job was stopped", example=EXAMPLE),
)
NAMES = {State.SUCCEEDED: "job.succeeded", State.FAILED: "job.failed", State.STOPPED: "job.stopped"}


def tell_of_end(job: Job) -> None:
    """Tell webhooks how a job ended. Call it in the transaction that ends the job."""
    failed = {"code": job.error_code, "text": job.error_text} if job.state == State.FAILED else None
    data = {
        "job": str(job.id),
        "kind": job.kind,
        "title": job.title,
        "attempts": job.attempt,
        "billable_seconds": job.billable_seconds,
        "error": failed,
    }
    publish(NAMES[State(job.state)], data)
