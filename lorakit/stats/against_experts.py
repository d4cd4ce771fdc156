"""A judge's grades of rows that experts graded too: where they differ, and by how much."""

from collections import defaultdict
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from statistics import fmean

from lorakit.stats.agreement.ratings import Rating, numbered, placed
from lorakit.stats.clusters import cluster_interval
from lorakit.stats.interval import Estimate, Interval
from lorakit.stats.means import ends_interval
from lorakit.stats.shares import clopper_pearson_interval


@dataclass(frozen=True)
class Share:
    """`count` of `trials`, with its exact 95% interval; `value` and `interval` are None without trials."""

    count: int
    trials: int

    @property
    def value(self) -> float | None:
        return self.count / self.trials if self.trials else None

    @property
    def interval(self) -> Interval | None:
        return clopper_pearson_interval(self.count, self.trials) if self.trials else None


@dataclass(frozen=True)
class Confusion:
    """`counts[expert][judge]`, by place on the scale."""

    scale: tuple[Rating, ...]
    counts: tuple[tuple[int, ...], ...]

    @property
    def accuracy(self) -> Share:
        """Rows that the judge graded as the experts did."""
        return Share(sum(row[place] for place, row in enumerate(self.counts)), sum(map(sum, self.counts)))

    def sensitivity(self, lowest: int) -> Share:
        """Of rows that experts passed, those that the judge passed; values from place `lowest` of the scale on pass."""
        passed = self.counts[lowest:]
        return Share(sum(sum(row[lowest:]) for row in passed), sum(map(sum, passed)))

    def specificity(self, lowest: int) -> Share:
        """Of rows that experts failed, those that the judge failed."""
        failed = self.counts[:lowest]
        return Share(sum(sum(row[:lowest]) for row in failed), sum(map(sum, failed)))


def confusion(experts: Sequence[Rating], judged: Sequence[Rating], scale: Sequence[Rating]) -> Confusion:
    """Both graded the same rows, in the same order. Raises ValueError for a grade that is not on the scale."""
    places = numbered(scale)
    counts = [[0] * len(scale) for _ in scale]
    for expert, judge in zip(experts, judged, strict=True):
        counts[placed(expert, places)][placed(judge, places)] += 1
    return Confusion(tuple(scale), tuple(map(tuple, counts)))


def judge_bias(
    experts: Sequence[float],
    judged: Sequence[float],
    *,
    low: float,
    high: float,
    clusters: Sequence[Hashable] | None = None,
) -> Estimate:
    """Mean of the judge's grade less the experts', on their scale `low` to `high`: above 0 where the judge is lenient.

    `clusters` names each row's cluster, such as its prompt, where rows are not independent. Raises ValueError for fewer
    than two rows or clusters, or a difference that the scale rules out.
    """
    differences = [judge - expert for expert, judge in zip(experts, judged, strict=True)]
    width = high - low
    if clusters is None:
        return ends_interval(differences, low=-width, high=width)
    if any(abs(difference) > width for difference in differences):
        raise ValueError("a value lies off the scale")
    grouped: dict[Hashable, list[float]] = defaultdict(list)
    for cluster, difference in zip(clusters, differences, strict=True):
        grouped[cluster].append(difference)
    return cluster_interval(
        [sum(group) for group in grouped.values()], [len(group) for group in grouped.values()], low=-width, high=width
    )


@dataclass(frozen=True)
class Level:
    """What experts gave the rows to which the judge gave `score`; `estimate` is None for a single row."""

    score: float
    rows: int
    mean: float
    estimate: Estimate | None


def calibration(experts: Sequence[float], judged: Sequence[float], *, low: float, high: float) -> list[Level]:
    """The calibration curve: one level for each of the judge's scores, from lowest to highest.

    Scores between grades should be rounded or binned before. Raises ValueError for an expert's grade off the scale.
    """
    grouped: dict[float, list[float]] = defaultdict(list)
    for expert, judge in zip(experts, judged, strict=True):
        grouped[judge].append(expert)
    return [
        Level(
            score,
            len(grades),
            fmean(grades),
            ends_interval(grades, low=low, high=high) if len(grades) > 1 else None,
        )
        for score, grades in sorted(grouped.items())
    ]
