"""How far either version of a judge is from experts, and whether the new one is nearer. Pure."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from math import fsum
from typing import Any, Literal, Self

from evaluations.agreement.experts import GRADES, whole
from lorakit.stats import Interval, cluster_interval
from lorakit.stats.agreement import gwet_ac

WIDEST = 4.0
"""How far a judge can be from experts, in grades of 1 to 5."""
FEWEST_PROMPTS = 20
LEAST_GRADED = 0.95

Verdict = Literal["better", "worse", "unclear", "incomplete"]


@dataclass(frozen=True, kw_only=True)
class Pair:
    """An answer that measures: the experts' verdict, and either version's grade, all 1 to 5."""

    cluster: str
    grade: float
    before: float
    after: float


@dataclass(frozen=True, kw_only=True)
class Span:
    """A mean with its 95% interval over prompts."""

    mean: float
    low: float
    high: float


@dataclass(frozen=True, kw_only=True)
class Side:
    """One version against experts: `distance` and `bias` in grades, `agreement` as Gwet's AC2, quadratic weights."""

    distance: Span
    bias: Span
    agreement: float | None


@dataclass(frozen=True, kw_only=True)
class Figures:
    """`nearer` is the paired difference: the distance before less the one after, above 0 where the new one is nearer.

    Of `asked` answers, `answers` with `prompts` different prompts got a grade by the new version.
    """

    asked: int
    answers: int
    prompts: int
    before: Side | None = None
    after: Side | None = None
    nearer: Span | None = None

    @property
    def verdict(self) -> Verdict:
        if self.nearer is None or self.prompts < FEWEST_PROMPTS or self.answers < LEAST_GRADED * self.asked:
            return "incomplete"
        if self.nearer.low > 0:
            return "better"
        return "worse" if self.nearer.high < 0 else "unclear"

    @property
    def sides(self) -> list[dict[str, Any]]:
        """Both versions, as pages show them."""
        return [{"name": "Before", "found": self.before}, {"name": "New version", "found": self.after}]

    def to_dict(self) -> dict[str, Any]:
        """As JSON; `from_dict` reads it back."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        found = dict(values)
        for name in ("before", "after"):
            found[name] = found[name] and _side(found[name])
        return cls(**{**found, "nearer": found["nearer"] and Span(**found["nearer"])})


def figures_of(pairs: Sequence[Pair], *, asked: int) -> Figures:
    """From the answers that both versions graded; without figures below two prompts."""
    prompts = len({one.cluster for one in pairs})
    if prompts < 2:
        return Figures(asked=asked, answers=len(pairs), prompts=prompts)
    return Figures(
        asked=asked,
        answers=len(pairs),
        prompts=prompts,
        before=_against([(one.cluster, one.grade, one.before) for one in pairs]),
        after=_against([(one.cluster, one.grade, one.after) for one in pairs]),
        nearer=_span(
            [(one.cluster, abs(one.before - one.grade) - abs(one.after - one.grade)) for one in pairs], low=-WIDEST
        ),
    )


def _against(found: Sequence[tuple[str, float, float]]) -> Side:
    ratings = [[whole(grade), whole(score)] for _, grade, score in found]
    return Side(
        distance=_span([(cluster, abs(score - grade)) for cluster, grade, score in found], low=0.0),
        bias=_span([(cluster, score - grade) for cluster, grade, score in found], low=-WIDEST),
        agreement=gwet_ac(ratings, GRADES, weights="quadratic").value,
    )


def _span(values: Sequence[tuple[str, float]], *, low: float) -> Span:
    groups: dict[str, list[float]] = defaultdict(list)
    for cluster, value in values:
        groups[cluster].append(value)
    sums, sizes = [fsum(group) for group in groups.values()], [len(group) for group in groups.values()]
    interval: Interval = cluster_interval(sums, sizes, low=low, high=WIDEST).interval()
    return Span(mean=fsum(sums) / sum(sizes), low=interval.low, high=interval.high)


def _side(values: Mapping[str, Any]) -> Side:
    return Side(distance=Span(**values["distance"]), bias=Span(**values["bias"]), agreement=values["agreement"])
