"""Experts' reviews as a decision's evidence."""

import hashlib
from collections import defaultdict
from collections.abc import Iterator
from statistics import median
from typing import Any
from uuid import UUID

from evaluations.models import Choice, Decision, Review, ReviewRound, RoundItem, RoundShape
from evaluations.reviews.queries import left_out
from lorakit.gates.case import Control, Role, Round
from lorakit.gates.reviewing import value_of
from lorakit.verify.packed import item_of

CHOICES = {Choice.CANDIDATE: 1.0, Choice.TIE: 0.0, Choice.OTHER: -1.0}
RECENT = 200
"""Reviews of earlier rounds that say how long one takes, before the round has any."""


def round_of(decision: Decision, roles: dict[UUID, Role]) -> Round | None:
    """The decision's review round, None without one."""
    if decision.round is None:
        return None
    return Round(
        number=decision.round.number,
        shape="pair" if decision.round.shape == RoundShape.PAIR else "single",
        items=[item_of(line) for line in packed_items(decision, roles)],
        against=roles.get(decision.round.against_id) if decision.round.against_id else None,
        reviewers_per_item=decision.round.reviewers_per_item,
        seconds=_seconds(decision.round),
    )


def packed_items(decision: Decision, roles: dict[UUID, Role]) -> Iterator[dict[str, Any]]:
    """The items of the round with their reviews, in the order in which they count, as an evidence pack has them."""
    found = decision.round
    if found is None:
        return
    skipped = set(left_out(found).values_list("id", flat=True))
    reviews: dict[UUID, list[Review]] = defaultdict(list)
    for review in Review.objects.filter(round_item__round=found).order_by("created_at", "id"):
        reviews[review.round_item_id].append(review)
    items = RoundItem.objects.filter(round=found).order_by("position")
    for item in items.values(
        "id", "position", "part", "probability", "item__position", "answer__model_id", "is_decided"
    ):
        given = [packed_review(review, found) for review in reviews[item["id"]]]
        counted = [one for one in given if one["counts"]]
        is_decided = item["is_decided"] and bool(counted)
        yield {
            "position": item["position"],
            "part": item["part"],
            "probability": item["probability"],
            "row": item["item__position"],
            "role": roles.get(item["answer__model_id"], "live"),
            "state": "decided" if is_decided else "skipped" if item["id"] in skipped else "open",
            "value": value_of(counted) if is_decided else None,
            "reviews": given,
        }


def packed_review(review: Review, found: ReviewRound) -> dict[str, Any]:
    """A review; one that was given by an earlier rubric does not count. Experts have pseudonyms."""
    return {
        "reviewer": pseudonym(found, review.reviewer_id),
        "value": CHOICES[Choice(review.choice)] if review.choice else review.grade,
        "pair": bool(review.choice),
        "adjudication": review.is_adjudication,
        "counts": review.rubric_version_id == found.rubric_version_id,
        "grades": review.grades,
        "comment": review.comment,
        "marks": review.marks,
        "correction": review.correction,
        "seconds": review.seconds,
        "has_seen_judge": review.has_seen_judge,
        "at": review.updated_at.isoformat(),
    }


def pseudonym(found: ReviewRound, reviewer_id: int) -> str:
    """The same for all of a person's reviews in a round."""
    return f"expert-{hashlib.sha256(f'{found.id}:{reviewer_id}'.encode()).hexdigest()[:10]}"


def _seconds(found: ReviewRound) -> float | None:
    """The median time for a review, of this round or of recent ones."""
    own = Review.objects.filter(round_item__round=found, seconds__isnull=False).values_list("seconds", flat=True)
    seconds: list[Any] = list(own) or list(
        Review.objects.filter(seconds__isnull=False).order_by("-created_at").values_list("seconds", flat=True)[:RECENT]
    )
    return median(seconds) if seconds else None


def control_of(decision: Decision) -> Control | None:
    """The judge as control variate, as it was fixed with the round."""
    if not decision.control:
        return None
    return Control(
        weight=decision.control["weight"],
        scores=tuple(decision.control["scores"]),
        grades=tuple(decision.control["grades"]),
    )
