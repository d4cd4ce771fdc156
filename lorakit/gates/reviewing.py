"""What the reviews of one item come to."""

from collections import Counter
from collections.abc import Mapping, Sequence
from statistics import median
from typing import Any


def value_of(reviews: Sequence[Mapping[str, Any]]) -> float | None:
    """The adjudication if there is one, else the median grade, or the choice of the majority in pairs: 1, 0 or -1.

    Each review has a `value`, and `pair` and `adjudication` where they are true. Without a majority a pair is a tie.
    None without reviews.
    """
    if not reviews:
        return None
    settled = next((review for review in reviews if review["adjudication"]), None)
    if settled is not None:
        return float(settled["value"])
    if not reviews[0]["pair"]:
        return float(median(review["value"] for review in reviews))
    ((first, count),) = Counter(review["value"] for review in reviews).most_common(1)
    return float(first) if 2 * count > len(reviews) else 0.0
