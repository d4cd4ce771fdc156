"""Corrected answers of a round as a file for a dataset."""

import io
from uuid import UUID

import msgspec

from corpora.models import Upload
from corpora.uploads.receiving import append_to_upload
from corpora.uploads.services import create_upload
from evaluations.models import Review, ReviewRound
from rest.errors import Conflict
from tenants.models import Tenant, User


def corrections(review_round: ReviewRound) -> list[Review]:
    """One review with a corrected answer per row, by position: the adjudicator's, else the latest."""
    found = Review.objects.filter(round_item__round=review_round).exclude(correction="")
    by_row: dict[UUID, Review] = {}
    for review in found.select_related("round_item__item").order_by("is_adjudication", "updated_at"):
        by_row[review.round_item.item_id] = review
    return sorted(by_row.values(), key=lambda review: review.round_item.item.position)


def corrections_count(review_round: ReviewRound) -> int:
    """How many rows have one."""
    found = Review.objects.filter(round_item__round=review_round).exclude(correction="")
    return found.order_by().values("round_item__item").distinct().count()


def upload_corrections(*, tenant: Tenant, review_round: ReviewRound, created_by: User) -> Upload:
    """Start an upload of the corrections to the dataset of the evaluation; a person decides on its preview.

    Call it outside a transaction. Raises Conflict without corrections, and what uploads raise.
    """
    lines = [
        msgspec.json.encode(
            {
                "messages": [*review.round_item.item.messages, {"role": "assistant", "content": review.correction}],
                **({"tools": review.round_item.item.tools} if review.round_item.item.tools else {}),
            }
        )
        for review in corrections(review_round)
    ]
    if not lines:
        raise Conflict("Nobody has corrected an answer in this round.", code="review:no_corrections")
    file = b"\n".join(lines) + b"\n"
    upload = create_upload(
        tenant=tenant,
        file_name=f"corrections of round {review_round.number}.jsonl",
        size=len(file),
        dataset=review_round.run.dataset_version.dataset,
        # The dataset's own options may name columns or add instructions that these rows have already.
        options={},
        created_by=created_by,
    )
    return append_to_upload(upload=upload, source=io.BytesIO(file), offset=0, length=len(file))
