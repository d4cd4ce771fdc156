"""Means over rows that come in clusters, such as those that repeat a prompt or a conversation."""

from collections.abc import Sequence
from math import sqrt

from lorakit.stats.interval import Estimate, spread

FEWEST_CLUSTERS = 20
"""Fewer do not show that something is better, whatever the interval says."""


def cluster_interval(sums: Sequence[float], sizes: Sequence[int], *, low: float, high: float) -> Estimate:
    """The mean of all rows, from each cluster's sum of values and its number of rows.

    Two pseudo-clusters of mean size, one with every row at either end of the scale, then t with G - 1 degrees for G
    clusters. Holds the truth in 94% or more of samples of 10 to 80 clusters, where intervals that take rows as
    independent hold it in 62% to 84%. Raises ValueError for fewer than two clusters or an empty one.
    """
    count = len(sums)
    if count < 2 or count != len(sizes) or min(sizes) < 1:
        raise ValueError("an interval over clusters needs at least two clusters, each with a row")
    return ratio_interval(sums, sizes, low=low, high=high)


def ratio_interval(sums: Sequence[float], sizes: Sequence[float], *, low: float, high: float) -> Estimate:
    """The same where sizes are weights above 0 of any kind: the sums' total over the sizes' total.

    Raises ValueError for fewer than two.
    """
    count = len(sums)
    if count < 2:
        raise ValueError("an interval needs at least two rows")
    size = sum(sizes) / count
    all_sums = [*sums, high * size, low * size]
    all_sizes = [*sizes, size, size]
    rows = sum(all_sizes)
    centre = sum(all_sums) / rows
    residuals = [total - centre * n for total, n in zip(all_sums, all_sizes, strict=True)]
    error = spread(residuals, 0.0) * sqrt((count + 2) / (count + 1)) / rows
    return Estimate(sum(sums) / sum(sizes), centre, error, count - 1, low, high)
