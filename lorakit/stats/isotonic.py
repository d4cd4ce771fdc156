"""A judge's scores mapped to what experts give: the best map that never falls."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean


@dataclass(frozen=True)
class Map:
    """Linear between the scores that were labelled, flat outside them; `grades` never fall."""

    scores: tuple[float, ...]
    grades: tuple[float, ...]

    def __call__(self, score: float) -> float:
        place = bisect_right(self.scores, score)
        if place == 0:
            return self.grades[0]
        if place == len(self.scores):
            return self.grades[-1]
        low, high = self.scores[place - 1], self.scores[place]
        part = (score - low) / (high - low)
        return self.grades[place - 1] * (1 - part) + self.grades[place] * part


def isotonic_map(judged: Sequence[float], experts: Sequence[float]) -> Map:
    """Least squares by pooling neighbours that fall (Ayer and others 1955). Raises ValueError without labels."""
    if not judged:
        raise ValueError("without labels there is no map")
    grouped: dict[float, list[float]] = defaultdict(list)
    for score, grade in zip(judged, experts, strict=True):
        grouped[score].append(grade)
    scores = sorted(grouped)
    # Each pool: its mean, its labels, its scores.
    pools: list[tuple[float, int, int]] = []
    for score in scores:
        mean, labels, size = fmean(grouped[score]), len(grouped[score]), 1
        while pools and pools[-1][0] >= mean:
            before, more, others = pools.pop()
            mean = (before * more + mean * labels) / (more + labels)
            labels, size = labels + more, size + others
        pools.append((mean, labels, size))
    return Map(tuple(scores), tuple(mean for mean, _, size in pools for _ in range(size)))
