"""Evaluates PromQL at one moment, as Prometheus does."""

import itertools
import math
import statistics
from collections import defaultdict
from collections.abc import Callable

from standin.cloudwatch.promql.expressions import Aggregation, BadQuery, Expression, Function, Quantile, Selector
from standin.cloudwatch.promql.series import Labels, Sample, Series

LOOKBACK = 300.0
"""How old the newest sample of a series may be that is asked for without a range, in seconds."""

Vector = dict[Labels, float]

JOINED: dict[str, Callable[[list[float]], float]] = {"sum": sum, "avg": statistics.fmean, "max": max, "min": min}
"""What aggregations make of the values of a group."""


def evaluate(expression: Expression, series: Series, at: float) -> Vector:
    """A value for each series that has one."""
    if isinstance(expression, Selector):
        if expression.seconds:
            raise BadQuery("invalid expression type range vector, must be scalar or instant vector")
        found = series.find(expression.name, expression.labels, at - LOOKBACK, at)
        name = ("__name__", expression.name)
        return {labels | {name}: samples[-1][1] for labels, samples in found.items()}
    if isinstance(expression, Function):
        found = series.find(expression.of.name, expression.of.labels, at - expression.of.seconds, at)
        values = {labels: _over(expression, samples) for labels, samples in found.items()}
        return {labels: value for labels, value in values.items() if value is not None}
    of = evaluate(expression.of, series, at)
    if isinstance(expression, Aggregation):
        return _aggregated(expression, of)
    return _quantiles(expression, of)


def _over(function: Function, samples: list[Sample]) -> float | None:
    values = [value for _, value in samples]
    if function.name == "avg_over_time":
        return sum(values) / len(values)
    if function.name in ("max_over_time", "min_over_time"):
        return max(values) if function.name == "max_over_time" else min(values)
    if len(values) < 2:
        return None
    grown = 0.0
    for before, after in itertools.pairwise(values):
        # A counter that is lower than before began again at zero.
        grown += after - before if after >= before else after
    # Prometheus extrapolates to the whole range; what lies outside the samples is not invented here.
    return grown if function.name == "increase" else grown / (samples[-1][0] - samples[0][0])


def _aggregated(aggregation: Aggregation, of: Vector) -> Vector:
    groups: dict[Labels, list[float]] = defaultdict(list)
    for labels, value in of.items():
        groups[frozenset(pair for pair in labels if pair[0] in aggregation.by)].append(value)
    return {labels: JOINED[aggregation.name](values) for labels, values in groups.items()}


def _quantiles(quantile: Quantile, of: Vector) -> Vector:
    groups: dict[Labels, list[tuple[float, float]]] = defaultdict(list)
    for labels, value in of.items():
        bound = dict(labels).get("le")
        if bound is not None:
            rest = frozenset(pair for pair in labels if pair[0] not in ("le", "__name__"))
            groups[rest].append((float(bound), value))
    return {labels: _quantile(quantile.share, sorted(buckets)) for labels, buckets in groups.items()}


def _quantile(share: float, buckets: list[tuple[float, float]]) -> float:
    """By linear interpolation inside the bucket; NaN where nothing was observed."""
    total = buckets[-1][1]
    if not math.isinf(buckets[-1][0]) or len(buckets) < 2 or not total:
        return math.nan
    rank, lower, before = share * total, 0.0, 0.0
    for bound, count in buckets:
        if count >= rank:
            if math.isinf(bound):
                return buckets[-2][0]
            return lower + (bound - lower) * (rank - before) / (count - before) if count > before else bound
        lower, before = bound, count
    return buckets[-2][0]
