"""Every write to reviews."""

from django.db import transaction

from evaluations.models import EvaluationItem, EvaluationState, Review
from rest.errors import Conflict, PortalError
from tenants.audit.services import record_event
from tenants.models import Tenant, User

MAX_COMMENT = 2000


@transaction.atomic
def record_review(*, tenant: Tenant, item: EvaluationItem, reviewer: User, grade: int, comment: str = "") -> Review:
    """Store an expert's grade of one answer, replacing that expert's earlier grade."""
    if not 1 <= grade <= 5:
        raise PortalError("Choose a grade from 1 to 5.", code="review:grade", field="grade")
    if len(comment) > MAX_COMMENT:
        raise PortalError(
            f"A comment can have up to {MAX_COMMENT} characters. Yours has {len(comment)}.",
            code="review:comment_too_long",
            field="comment",
        )
    if item.run.state != EvaluationState.READY:
        raise Conflict("This evaluation is not ready for review.", code="review:not_ready")
    before = Review.objects.filter(item=item, reviewer=reviewer).values("grade").first()
    review: Review
    review, _ = Review.objects.update_or_create(
        tenant=tenant, item=item, reviewer=reviewer, defaults={"grade": grade, "comment": comment.strip()}
    )
    record_event(
        "review.graded", review, before=before, after={"item": item.id, "reviewer": reviewer.email, "grade": grade}
    )
    return review
