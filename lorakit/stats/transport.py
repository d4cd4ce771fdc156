"""Whether a judge that fits one model's answers fits another's too."""

from collections import defaultdict
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import sqrt

from lorakit.stats.clusters import FEWEST_CLUSTERS
from lorakit.stats.interval import Interval, spread
from lorakit.stats.quantiles import t_quantile

EDGE = 5
"""The fifth lowest and highest labelled score are the range: one stray label must not widen it."""

MOST_OUTSIDE = 0.05


class Transport(StrEnum):
    PASS = "PASS"  # noqa: S105 - a verdict
    FAIL = "FAIL"
    INCONCLUSIVE = "INCONCLUSIVE"
    NOT_GRADED = "NOT GRADED"


@dataclass(frozen=True)
class Audit:
    """`mean` is of the experts' grade less the mapped judge's; the interval holds for all models at once, in 95%."""

    verdict: Transport
    mean: float
    interval: Interval
    clusters: int


def transport_audit(
    residuals: Sequence[float], clusters: Sequence[Hashable], *, margin: float | None, models: int = 1
) -> Audit:
    """`residuals` are expert less mapped judge, on fresh random rows of one of `models`; `clusters` name their prompts.

    PASS where Student's interval lies within `margin` of 0, FAIL where it lies wholly outside, else INCONCLUSIVE; NOT
    GRADED without a margin. Fewer than 20 clusters never pass. A judge exactly `margin` off passes in 2.5% of cases (3%
    where residuals are skewed), of three models in 0.9%.
    Raises ValueError for fewer than two clusters.
    """
    sums: dict[Hashable, float] = defaultdict(float)
    sizes: dict[Hashable, int] = defaultdict(int)
    for cluster, residual in zip(clusters, residuals, strict=True):
        sums[cluster] += residual
        sizes[cluster] += 1
    count, rows = len(sums), len(residuals)
    if count < 2:
        raise ValueError("an audit needs at least two clusters")
    mean = sum(residuals) / rows
    errors = [total - mean * sizes[cluster] for cluster, total in sums.items()]
    error = spread(errors, 0.0) * sqrt(count / (count - 1)) / rows
    half = t_quantile(1 - 0.025 / models, count - 1) * error
    interval = Interval(mean - half, mean + half)
    return Audit(_verdict(interval, margin, count), mean, interval, count)


def _verdict(interval: Interval, margin: float | None, clusters: int) -> Transport:
    if margin is None:
        return Transport.NOT_GRADED
    if interval.low > margin or interval.high < -margin:
        return Transport.FAIL
    if -margin <= interval.low and interval.high <= margin and clusters >= FEWEST_CLUSTERS:
        return Transport.PASS
    return Transport.INCONCLUSIVE


def outside_labelled(scores: Sequence[float], labelled: Sequence[float]) -> float:
    """Share of a model's scores beyond the fifth lowest and highest that experts have labelled; 1 with fewer than nine.

    Above 0.05, say nothing about how good the model is. Raises ValueError without scores.
    """
    if not scores:
        raise ValueError("without scores there is nothing to compare")
    if len(labelled) < 2 * EDGE - 1:
        return 1.0
    ordered = sorted(labelled)
    low, high = ordered[EDGE - 1], ordered[-EDGE]
    return sum(not low <= score <= high for score in scores) / len(scores)
