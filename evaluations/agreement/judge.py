"""How far a judge agrees with experts on the answers of one evaluation. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from evaluations.agreement.experts import GRADES, whole
from lorakit.stats import Estimate, ends_interval
from lorakit.stats.against_experts import Confusion, Level, calibration, confusion, judge_bias
from lorakit.stats.agreement import Agreement, gwet_ac

FARTHEST = 10


@dataclass(frozen=True, kw_only=True)
class Both:
    """An answer with the experts' verdict and the judge's score, both 1 to 5. `row` is its place in the evaluation."""

    row: int
    model: str
    cluster: str
    grade: float
    score: float

    @property
    def apart(self) -> float:
        return abs(self.grade - self.score)


@dataclass(frozen=True, kw_only=True)
class AgainstExperts:
    """`bias` is the judge's grade less the experts'; None for a single prompt. `farthest` are the worst rows."""

    count: int
    agreement: Agreement
    confusion: Confusion
    bias: Estimate | None
    levels: list[Level]
    farthest: list[Both]


def against_experts(found: Sequence[Both]) -> AgainstExperts | None:
    """None without answers that both graded."""
    if not found:
        return None
    experts, judged = [one.grade for one in found], [one.score for one in found]
    clusters = [one.cluster for one in found]
    return AgainstExperts(
        count=len(found),
        agreement=gwet_ac([[whole(one.grade), whole(one.score)] for one in found], GRADES, weights="quadratic"),
        confusion=confusion([whole(grade) for grade in experts], [whole(score) for score in judged], GRADES),
        bias=judge_bias(experts, judged, low=1.0, high=5.0, clusters=clusters) if len(set(clusters)) > 1 else None,
        levels=calibration(experts, [round(2 * score) / 2 for score in judged], low=1.0, high=5.0),
        farthest=sorted((one for one in found if one.apart >= 1), key=lambda one: (-one.apart, one.row))[:FARTHEST],
    )


@dataclass(frozen=True, kw_only=True)
class Anchoring:
    """Mean distance of experts' grades from the judge's, of those who had seen it and of those who had not."""

    seen: Estimate | None
    blind: Estimate | None
    seen_count: int
    blind_count: int


def anchoring(seen: Sequence[float], blind: Sequence[float]) -> Anchoring:
    """From the distances, 0 to 4. None below two grades."""
    return Anchoring(seen=_mean(seen), blind=_mean(blind), seen_count=len(seen), blind_count=len(blind))


def _mean(distances: Sequence[float]) -> Estimate | None:
    return ends_interval(distances, low=0.0, high=4.0) if len(distances) > 1 else None
