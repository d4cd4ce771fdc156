"""The experts' mean over all rows, from few of their labels and a judge's scores of every row."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from statistics import NormalDist, fmean, pvariance, variance

from lorakit.stats.interval import Interval
from lorakit.stats.labelled import mean_with_judge
from lorakit.stats.means import ends_interval
from lorakit.stats.quantiles import t_quantile

FEWEST_LABELS = 200
"""With fewer, the normal interval of PPI++ is too narrow: it holds in 93% of samples of 100, and in 82% of 20."""


@dataclass(frozen=True)
class PoweredMean:
    """`weight` is the judge's, 0 to 1. `saved` is the share of labels that it saved, for an interval of that width."""

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

    The interval is that of `mean_with_judge`, which holds for any number of labels from 20 on. What the judge saves is
    measured against the interval of the labels alone, and 0 where that is narrower. Labels must be of random rows.
    Raises ValueError for fewer than three labels or two other rows.
    """
    if len(others) < 2:
        raise ValueError("at least two rows without labels are needed")
    estimate, weight = mean_with_judge(
        labels, judged, rows=len(others), mean=fmean(others), variance=variance(others), low=low, high=high
    )
    alone = ends_interval(labels, low=low, high=high)
    # Clipping to the scale would hide what was saved.
    width = t_quantile(0.975, estimate.degrees) * estimate.error
    width_alone = t_quantile(0.975, alone.degrees) * alone.error
    saved = max(0.0, 1 - (width / width_alone) ** 2)
    return PoweredMean(estimate.mean, estimate.interval(), weight, len(labels), saved)


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
