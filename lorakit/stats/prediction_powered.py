"""The experts' mean over all rows, from few of their labels and a judge's scores of every row."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from statistics import NormalDist, fmean, pvariance, variance

from lorakit.stats.interval import Interval
from lorakit.stats.labelled import mean_with_judge
from lorakit.stats.quantiles import t_quantile

TINY = 1e-9

FEWEST_LABELS = 200
"""With fewer, the normal interval of PPI++ is too narrow: it holds in 93% of samples of 100, and in 82% of 20."""


@dataclass(frozen=True)
class PoweredMean:
    """`weight` is the judge's, 0 to 1. `saved` is about the share of labels that it saved: no promise."""

    mean: float
    interval: Interval
    weight: float
    labels: int
    saved: float

    @property
    def few(self) -> bool:
        """Too few labels for the normal interval; what is shown should say that more labels are wanted."""
        return self.labels < FEWEST_LABELS


def prediction_powered_mean(
    labels: Sequence[float], judged: Sequence[float], others: Sequence[float], *, low: float, high: float
) -> PoweredMean:
    """`judged` are the judge's scores of the labelled rows, `others` those of the rows without; all on `low` to `high`.

    The interval is that of `mean_with_judge`, which holds for any number of labels from 20 on. What the judge saves
    compares intervals with and without it, each label foretold from the others, and is 0 where the judge does not
    help. Labels must be of random rows. Raises ValueError for fewer than three labels or two other rows.
    """
    if len(others) < 2:
        raise ValueError("at least two rows without labels are needed")
    estimate, weight = mean_with_judge(
        labels, judged, rows=len(others), mean=fmean(others), variance=variance(others), low=low, high=high
    )
    n = len(labels)
    of_labels = fmean(labels)
    ends = (low - of_labels) ** 2 + (high - of_labels) ** 2
    with_judge = (sum(_left_out(labels, judged, weight)) + ends) / (n * (n + 2)) + weight**2 * variance(others) / len(
        others
    )
    alone = (sum(_left_out(labels, judged, 0.0)) + ends) / ((n + 1) * (n + 2))
    ratio = (t_quantile(0.975, n - 2) / t_quantile(0.975, n - 1)) ** 2 * with_judge / alone
    return PoweredMean(estimate.mean, estimate.interval(), weight, n, max(0.0, 1 - ratio))


def _left_out(labels: Sequence[float], judged: Sequence[float], weight: float) -> list[float]:
    """Squared error of each label as foretold from the others.

    The errors of the labels that chose the weight are too small: by them a weak judge saves more than it does.
    """
    n, of_labels, of_judge = len(labels), fmean(labels), fmean(judged)
    square = sum((score - of_judge) ** 2 for score in judged)
    found = []
    for label, score in zip(labels, judged, strict=True):
        error, left = label - of_labels - weight * (score - of_judge), 1 - 1 / n
        if weight:
            left -= (score - of_judge) ** 2 / square
        if left < TINY:
            # The one row that the judge scored otherwise: without it there is no weight.
            error, left = label - of_labels, 1 - 1 / n
        found.append((error / left) ** 2)
    return found


def ppi_plus_plus(
    labels: Sequence[float], judged: Sequence[float], others: Sequence[float], *, weight: float | None = None
) -> PoweredMean:
    """PPI++ (arXiv 2311.01453) with its normal interval of 95%, to compare with published figures.

    Use `prediction_powered_mean` for what people see: below `FEWEST_LABELS` this is too narrow. `weight` is chosen from
    the data unless given. Raises ValueError for fewer than two labels or other rows.
    """
    n, rows = len(labels), len(others)
    if n < 2 or n != len(judged) or rows < 2:
        raise ValueError("at least two labels, a judge's score for each, and two other rows are needed")
    if weight is None:
        of_labels, of_judge = fmean(labels), fmean(judged)
        shared = fmean((label - of_labels) * (score - of_judge) for label, score in zip(labels, judged, strict=True))
        spread = variance([*judged, *others])
        weight = min(max(shared / ((1 + n / rows) * spread), 0.0), 1.0) if spread else 0.0
    errors = [label - weight * score for label, score in zip(labels, judged, strict=True)]
    mean = weight * fmean(others) + fmean(errors)
    error = sqrt(weight**2 * pvariance(others) / rows + pvariance(errors) / n)
    half = NormalDist().inv_cdf(0.975) * error
    alone = pvariance(labels) / n
    saved = max(0.0, 1 - error**2 / alone) if alone else 0.0
    return PoweredMean(mean, Interval(mean - half, mean + half), weight, n, saved)
