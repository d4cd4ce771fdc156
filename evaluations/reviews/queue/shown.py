"""Items as their reviewer sees them."""

from collections.abc import Sequence
from uuid import UUID

from evaluations.models import Review, RoundItem, Turn
from evaluations.reviews.errors import NotYourItem
from tenants.models import User


def shown_items(ids: Sequence[UUID], reviewer: User) -> tuple[list[RoundItem], dict[UUID, Review]]:
    """(items in the order of `ids`, with all that is shown of them; {item's id: the reviewer's own review})."""
    found = RoundItem.objects.select_related("round__rubric_version", "item", "answer", "other").in_bulk(list(ids))
    own = Review.objects.filter(round_item__in=ids, reviewer=reviewer, is_adjudication=False)
    given = {review.round_item_id: review for review in own.select_related("round_item")}
    return [found[item_id] for item_id in ids if item_id in found], given


def own_item(item_id: UUID, reviewer: User) -> RoundItem:
    """An item that was handed to this reviewer. Raises NotYourItem for any other."""
    turn = Turn.objects.filter(round_item=item_id, reviewer=reviewer).select_related("round_item__round").first()
    if turn is None:
        raise NotYourItem
    item: RoundItem = turn.round_item
    return item
