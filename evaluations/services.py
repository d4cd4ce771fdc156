"""Every write to evaluations and reviews."""

from django.db import IntegrityError, transaction

from adapters.models import AdapterVersion
from evaluations.kinds import EvaluationKind
from evaluations.models import EvaluationItem, EvaluationRun, EvaluationState, Review
from jobs.services import start_job
from rest.errors import Conflict, PortalError
from tenants.models import Tenant, User

JUDGE = "default"
MAX_COMMENT = 2000


def start_evaluation(*, tenant: Tenant, version: AdapterVersion, created_by: User | None = None) -> EvaluationRun:
    """Let base and adapter answer the test split of the version's own dataset version."""
    dataset_version = version.run.dataset_version
    if not dataset_version.test_count:
        raise Conflict(
            f"{dataset_version} has no held-out rows to ask. Upload a version with a test split and train on it.",
            code="evaluation:no_test_rows",
            field="version",
        )
    if EvaluationRun.objects.filter(version=version, state=EvaluationState.RUNNING).exists():
        raise _already_running(version)
    try:
        with transaction.atomic():
            job = start_job(
                tenant=tenant,
                kind=EvaluationKind.name,
                title=f"Evaluate {version}",
                spec={"version": str(version.id), "dataset_version": str(dataset_version.id), "judge": JUDGE},
                created_by=created_by,
            )
            return EvaluationRun.objects.create(
                tenant=tenant,
                version=version,
                dataset_version=dataset_version,
                job=job,
                judge=JUDGE,
                created_by=created_by,
            )
    except IntegrityError:
        raise _already_running(version) from None


def record_review(*, tenant: Tenant, item: EvaluationItem, reviewer: User, grade: int, comment: str = "") -> Review:
    """An expert's grade of one answer; the same expert's earlier grade of it is replaced."""
    if not 1 <= grade <= 5:
        raise PortalError("Choose a grade from 1 to 5.", code="review:grade", field="grade")
    if len(comment) > MAX_COMMENT:
        raise PortalError(
            f"A comment has at most {MAX_COMMENT} characters; this one has {len(comment)}.",
            code="review:comment_too_long",
            field="comment",
        )
    if item.run.state != EvaluationState.READY:
        raise Conflict("This evaluation is not ready for review.", code="review:not_ready")
    review, _ = Review.objects.update_or_create(
        tenant=tenant, item=item, reviewer=reviewer, defaults={"grade": grade, "comment": comment.strip()}
    )
    return review


def _already_running(version: AdapterVersion) -> Conflict:
    return Conflict(
        f"{version} is being evaluated already. Wait for that evaluation, or stop its job first.",
        code="evaluation:already_running",
        field="version",
    )
