"""The metrics of CloudWatch that the stand-in publishes itself."""

from bisect import bisect_left
from collections import defaultdict

from standin.cloudwatch.published import SAGEMAKER, check

KEPT_SECONDS = 455 * 86_400.0

Key = tuple[str, str, frozenset[tuple[str, str]]]
"""Namespace, name, and dimensions by name."""

Point = tuple[float, float]
"""Unix seconds and a value."""


def key(namespace: str, name: str, dimensions: dict[str, str]) -> Key:
    return namespace, name, frozenset(dimensions.items())


class Metrics:
    """Data points by metric, at Unix seconds; they are kept as long as CloudWatch keeps them."""

    def __init__(self) -> None:
        self._points: dict[Key, list[Point]] = defaultdict(list)

    def add(
        self, name: str, dimensions: dict[str, str], at: float, value: float = 1.0, *, namespace: str = SAGEMAKER
    ) -> None:
        """Publish a data point; `at` never goes back. Raises ValueError for a metric that SageMaker lacks."""
        check(namespace, name, dimensions)
        points = self._points[key(namespace, name, dimensions)]
        points.append((at, value))
        if points[0][0] < at - KEPT_SECONDS:
            del points[: bisect_left(points, (at - KEPT_SECONDS,))]

    def points(self, metric: Key, start: float, end: float) -> list[Point]:
        """The points at or after `start` and before `end`."""
        points = self._points.get(metric, [])
        return points[bisect_left(points, (start,)) : bisect_left(points, (end,))]

    def values(self, metric: Key, start: float, end: float) -> list[float]:
        """The values at or after `start` and before `end`."""
        return [value for _, value in self.points(metric, start, end)]

    def times(self, metric: Key, start: float) -> list[float]:
        """When there are values, at or after `start`."""
        points = self._points.get(metric, [])
        return [at for at, _ in points[bisect_left(points, (start,)) :]]
