"""Series of samples that were scraped from containers."""

from bisect import bisect_right
from collections.abc import Mapping

Labels = frozenset[tuple[str, str]]
Sample = tuple[float, float]
KEPT_SECONDS = 15 * 86_400.0


class Series:
    """Samples (Unix seconds and value) by name and labels, the oldest first."""

    def __init__(self) -> None:
        self._samples: dict[tuple[str, Labels], list[Sample]] = {}

    def add(self, name: str, labels: Mapping[str, str], at: float, value: float) -> None:
        """Keep a sample; `at` never goes back."""
        samples = self._samples.setdefault((name, frozenset(labels.items())), [])
        samples.append((at, value))
        if samples[0][0] < at - KEPT_SECONDS:
            del samples[: bisect_right(samples, (at - KEPT_SECONDS, 0.0))]

    def find(self, name: str, labels: Mapping[str, str], start: float, end: float) -> dict[Labels, list[Sample]]:
        """The samples after `start` and up to `end` of each series with these labels; only series that have some."""
        wanted, found = labels.items(), {}
        for (known, own), samples in self._samples.items():
            if known == name and wanted <= own:
                first = bisect_right(samples, (start, float("inf")))
                last = bisect_right(samples, (end, float("inf")))
                if first < last:
                    found[own] = samples[first:last]
        return found
