"""Statistics for comparisons: intervals that hold for small numbers, and tests of paired results.

Intervals are of 95%. Means get two pseudo-units at the ends of the scale, clusters two pseudo-clusters, shares exact
limits: for small or skewed samples, t, z and bootstrap intervals hold the truth too rarely.

Imported by module: `agreement` of raters, `against_experts` for judges, `evidence`, `gains` and `always_valid` for
decisions, `more_reviews` for how long they take, `sampling` of rows; `isotonic`, `transport` and `drift` for whether a
judge still fits. Only `always_valid`, `more_reviews` and `drift` need NumPy.
"""

from lorakit.stats.clusters import cluster_interval
from lorakit.stats.interval import Estimate, Interval
from lorakit.stats.labelled import mean_with_judge
from lorakit.stats.many import holm
from lorakit.stats.means import ends_interval
from lorakit.stats.pairs import newcombe_interval, sign_test
from lorakit.stats.shares import clopper_pearson_interval, wilson_interval

__all__ = [
    "Estimate",
    "Interval",
    "clopper_pearson_interval",
    "cluster_interval",
    "ends_interval",
    "holm",
    "mean_with_judge",
    "newcombe_interval",
    "sign_test",
    "wilson_interval",
]
