"""Ratings of the same items by several raters, and how many of them are equal."""

from collections.abc import Callable, Iterable, Sequence
from statistics import fmean
from typing import TypeVar

Rating = float | str
Ratings = Sequence[Sequence[Rating | None]]

Item = TypeVar("Item")
Found = TypeVar("Found")


def raw_agreement(ratings: Ratings) -> float | None:
    """Share of pairs of ratings of the same item that are equal, 0 to 1, as a mean over items with at least two.

    None where no item has two ratings.
    """
    shares = [share for share in for_each(_equal_share, map(tuple, ratings)) if share is not None]
    return fmean(shares) if shares else None


def _equal_share(item: tuple[Rating | None, ...]) -> float | None:
    given = [rating for rating in item if rating is not None]
    if len(given) < 2:
        return None
    equal = sum(given.count(rating) - 1 for rating in given)
    return equal / (len(given) * (len(given) - 1))


def for_each(work: Callable[[Item], Found], items: Iterable[Item]) -> list[Found]:
    """`work` of each item, done once for equal ones: of thousands of items, few are rated differently from all others.

    Items must be hashable.
    """
    known: dict[Item, Found] = {}
    found = []
    for item in items:
        if item not in known:
            known[item] = work(item)
        found.append(known[item])
    return found


def counted(ratings: Ratings, scale: Sequence[Rating]) -> list[tuple[int, ...]]:
    """For each item with a rating, how many raters gave each value of the scale.

    Raises ValueError for a scale of fewer than two values or with one twice, and for a rating that is not on it.
    """
    places = numbered(scale)

    def counts(item: tuple[Rating | None, ...]) -> tuple[int, ...]:
        row = [0] * len(scale)
        for rating in item:
            if rating is not None:
                row[placed(rating, places)] += 1
        return tuple(row)

    return [row for row in for_each(counts, map(tuple, ratings)) if any(row)]


def agreement_within(row: Sequence[int], matrix: Sequence[Sequence[float]]) -> float | None:
    """Mean weight of all pairs of ratings of one item; None for fewer than two."""
    given = sum(row)
    if given < 2:
        return None
    total = sum(
        count * (sum(weight * other for weight, other in zip(weights, row, strict=True)) - 1)
        for count, weights in zip(row, matrix, strict=True)
    )
    return total / (given * (given - 1))


def numbered(scale: Sequence[Rating]) -> dict[Rating, int]:
    places = {value: place for place, value in enumerate(scale)}
    if len(places) < 2 or len(places) < len(scale):
        raise ValueError("a scale needs at least two values, all different")
    return places


def placed(rating: Rating, places: dict[Rating, int]) -> int:
    if rating not in places:
        raise ValueError("a rating is not on the scale")
    return places[rating]
