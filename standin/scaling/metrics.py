"""The metrics of CloudWatch that the stand-in publishes itself."""

from bisect import bisect_left
from collections import defaultdict

NAMESPACE = "AWS/SageMaker"
KEPT_SECONDS = 86_400.0

Key = tuple[str, str, frozenset[tuple[str, str]]]
"""Namespace, name, and dimensions by name."""


def key(namespace: str, name: str, dimensions: dict[str, str]) -> Key:
    return namespace, name, frozenset(dimensions.items())


class Metrics:
    """Data points by metric, at Unix seconds; those of a day are kept, as long as an alarm may look back."""

    def __init__(self) -> None:
        self._points: dict[Key, list[tuple[float, float]]] = defaultdict(list)

    def add(self, name: str, dimensions: dict[str, str], at: float, value: float = 1.0) -> None:
        """Publish a data point of the namespace AWS/SageMaker; `at` never goes back."""
        points = self._points[key(NAMESPACE, name, dimensions)]
        points.append((at, value))
        del points[: bisect_left(points, (at - KEPT_SECONDS,))]

    def values(self, metric: Key, start: float, end: float) -> list[float]:
        """The values at or after `start` and before `end`."""
        points = self._points.get(metric, [])
        return [value for _, value in points[bisect_left(points, (start,)) : bisect_left(points, (end,))]]

    def times(self, metric: Key) -> list[float]:
        """When there are values."""
        return [at for at, _ in self._points.get(metric, [])]
