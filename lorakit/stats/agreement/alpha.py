"""Krippendorff's alpha."""

from collections.abc import Callable, Sequence
from statistics import fmean

from lorakit.stats.agreement.coefficient import Agreement, missing, with_interval
from lorakit.stats.agreement.ratings import Rating, Ratings, agreement_within, counted, for_each, raw_agreement
from lorakit.stats.agreement.weights import Matrix, from_distances, identity, linear, numbers, ordinal, quadratic


def cumulative(scale: Sequence[Rating], totals: Sequence[int]) -> Matrix:
    """Krippendorff's ordinal metric: distance is the squared number of ratings given between the two values."""

    def distance(one: int, other: int) -> float:
        low, high = min(one, other), max(one, other)
        return (sum(totals[low : high + 1]) - (totals[low] + totals[high]) / 2) ** 2

    return from_distances([[distance(row, column) for column in range(len(scale))] for row in range(len(scale))])


def ratio(scale: Sequence[Rating]) -> Matrix:
    """Distance is the squared share that the difference has in the sum, for scales with a true zero."""
    values = numbers(scale)
    if min(values) < 0:
        raise ValueError("the ratio metric needs a scale without negative numbers")
    return from_distances(
        [[((row - column) / (row + column)) ** 2 if row != column else 0.0 for column in values] for row in values]
    )


METRICS: dict[str, Callable[[Sequence[Rating], Sequence[int]], Matrix]] = {
    "nominal": lambda scale, totals: identity(scale),
    "ordinal (Krippendorff)": cumulative,
    "ordinal (Gwet)": lambda scale, totals: ordinal(scale),
    "linear": lambda scale, totals: linear(scale),
    "interval": lambda scale, totals: quadratic(scale),
    "ratio": lambda scale, totals: ratio(scale),
}
"""By name. The two called ordinal differ: Krippendorff's depends on how often each value was given."""


def krippendorff_alpha(ratings: Ratings, scale: Sequence[Rating], *, metric: str) -> Agreement:
    """Alpha (Krippendorff 2004) of any number of raters; chance is drawing two of all ratings given.

    Items with fewer than two ratings do not count. Missing where all ratings are equal. Standard error as in Gwet's
    handbook, which for Krippendorff's ordinal metric takes its distances as given. Raises ValueError for an unknown
    metric and as `counted` does.
    """
    name = "Krippendorff's alpha"
    if metric not in METRICS:
        raise ValueError(f"unknown metric: {metric}")
    table = [row for row in counted(ratings, scale) if sum(row) > 1]
    n, size = len(table), range(len(scale))
    totals = [sum(row[place] for row in table) for place in size]
    raw = raw_agreement(ratings)
    if sum(count > 0 for count in totals) < 2:
        return missing(name, metric, raw, n)
    matrix = METRICS[metric](scale, totals)
    given = sum(totals)
    mean = given / n

    def agreed(row: tuple[int, ...]) -> float:
        return sum(row) / mean * (agreement_within(row, matrix) or 0.0)

    within = fmean(for_each(agreed, table))
    used = [count / given for count in totals]
    near = [sum(matrix[place][other] * used[other] for other in size) for place in size]
    expected = sum(used[place] * near[place] for place in size)
    observed = within + (1 - within) / given
    value = (observed - expected) / (1 - expected)
    before = (within - expected) / (1 - expected)

    def share_of(row: tuple[int, ...]) -> float:
        excess = (sum(row) - mean) / mean
        chance = sum(row[place] * near[place] for place in size) / mean - expected * excess
        own = agreed(row) - within * excess - expected
        return (own - 2 * (1 - before) * (chance - expected)) / (1 - expected)

    shares = for_each(share_of, table)
    return with_interval(name, metric, value=value, raw=raw, observed=observed, expected=expected, shares=shares)
