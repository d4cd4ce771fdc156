"""The experts' mean where a judge has graded far more rows than they have."""

from collections.abc import Sequence
from math import sqrt
from statistics import fmean

from lorakit.stats.interval import Estimate, spread


def mean_with_judge(
    labels: Sequence[float],
    judged: Sequence[float],
    *,
    rows: int,
    mean: float,
    variance: float,
    low: float,
    high: float,
) -> tuple[Estimate, float]:
    """Returns the estimate and the judge's weight, 0 to 1; prediction-powered inference with two pseudo-units.

    `judged` are the judge's scores of the rows that experts labelled; `rows`, `mean` and `variance` are of its scores
    of rows without labels. Labels must be of random rows. Raises ValueError for fewer than three labels.
    """
    n = len(labels)
    if n < 3 or n != len(judged):
        raise ValueError("at least three labels are needed, and a judge's score for each")
    of_labels, of_judge = fmean(labels), fmean(judged)
    square = sum((score - of_judge) ** 2 for score in judged)
    product = sum((label - of_labels) * (score - of_judge) for label, score in zip(labels, judged, strict=True))
    weight = min(max(product / square / (1 + n / rows), 0.0), 1.0) if square else 0.0
    errors = [label - weight * (score - of_judge) for label, score in zip(labels, judged, strict=True)]
    padded = [*errors, low, high]
    middle = fmean(padded)
    shift = weight * (mean - of_judge)
    error = sqrt(spread(padded, middle) ** 2 / (n * (n + 2)) + weight**2 * variance / rows)
    return Estimate(of_labels + shift, middle + shift * n / (n + 2), error, n - 2, low, high), weight
