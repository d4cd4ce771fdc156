"""Whether a difference between two models that answered the same rows is real."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace
from statistics import fmean
from typing import Literal

from lorakit.stats.clusters import FEWEST_CLUSTERS, cluster_interval
from lorakit.stats.many import holm
from lorakit.stats.means import ends_interval
from lorakit.stats.pairs import newcombe_interval, sign_test

SURE = 0.05

Verdict = Literal["better", "worse", "unclear", "too few"]


@dataclass(frozen=True, kw_only=True)
class Difference:
    """The second model's mean minus the first's, with its 95% interval and the p-value of a two-sided paired test.

    `units` are the rows, or the clusters where rows repeat a prompt or conversation. `comparisons` is how many were
    made at once; `p_value` is corrected for them, the interval is not.
    """

    mean: float
    low: float
    high: float
    p_value: float
    rows: int
    units: int
    method: Literal["newcombe", "ends", "clusters"]
    comparisons: int = 1

    @property
    def verdict(self) -> Verdict:
        """Better or worse only if test and interval agree, and better only from 20 independent units on."""
        if self.p_value >= SURE or self.low <= 0 <= self.high:
            return "unclear"
        if self.mean < 0:
            return "worse"
        return "better" if self.units >= FEWEST_CLUSTERS else "too few"


def difference(
    pairs: Sequence[tuple[float, float]],
    *,
    lowest: float = 0.0,
    highest: float = 1.0,
    reach: float | None = None,
    clusters: Sequence[Hashable] | None = None,
) -> Difference | None:
    """Compare (first model's score, second's) over rows on a scale from `lowest` to `highest`.

    `clusters` says which rows belong together, by prompt or conversation; rows in a cluster of their own count as
    independent. Scores that are only ever lowest or highest are passes and fails: Newcombe's interval and the exact
    sign test. Others, and all with clusters, get pseudo-units at `reach` on either side, the whole scale by default (2
    for grades from 1 to 5). None if there are too few rows to say anything.
    """
    rows = len(pairs)
    if rows < 2:
        return None
    whole = highest - lowest
    groups: dict[Hashable, list[float]] = {}
    for place, (first, second) in enumerate(pairs):
        groups.setdefault(clusters[place] if clusters is not None else place, []).append(second - first)
    changes = [change for group in groups.values() for change in group]
    mean = fmean(changes)
    end = max(whole if reach is None else reach, *map(abs, changes))
    if len(groups) < rows:
        if len(groups) < 2:
            return None
        estimate = cluster_interval([*map(sum, groups.values())], [*map(len, groups.values())], low=-end, high=end)
        method: Literal["ends", "clusters"] = "clusters"
    elif all(score in (lowest, highest) for pair in pairs for score in pair):
        return _of_passes([(first == highest, second == highest) for first, second in pairs], whole)
    else:
        estimate = ends_interval(changes, low=-end, high=end)
        method = "ends"
    interval = estimate.interval()
    return Difference(
        mean=mean,
        low=interval.low,
        high=interval.high,
        p_value=estimate.p_value(),
        rows=rows,
        units=len(groups),
        method=method,
    )


def _of_passes(passed: Sequence[tuple[bool, bool]], whole: float) -> Difference:
    both, wins = passed.count((True, True)), passed.count((False, True))
    losses, neither = passed.count((True, False)), passed.count((False, False))
    rows = len(passed)
    interval = newcombe_interval(both, wins, losses, neither)
    return Difference(
        mean=whole * ((both + wins) / rows - (both + losses) / rows),
        low=whole * interval.low,
        high=whole * interval.high,
        p_value=sign_test(wins, losses)[1],
        rows=rows,
        units=rows,
        method="newcombe",
    )


def at_once(differences: Sequence[Difference]) -> list[Difference]:
    """The same comparisons with p-values corrected for their number by Holm's method."""
    corrected = holm([one.p_value for one in differences])
    return [
        replace(one, p_value=p_value, comparisons=len(differences))
        for one, p_value in zip(differences, corrected, strict=True)
    ]
