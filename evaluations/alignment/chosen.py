"""Which answers become examples: those on which experts and judge disagree most, spread over grades. Pure."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from evaluations.judges.prompts import Criterion

MOST = 5
"""Examples for a criterion: on the usual scale, one for each grade."""

APART = 0.25
"""How far apart experts and judge must be, as a share of the scale: one grade of five."""


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """An answer with the experts' whole grade and the judge's score by one criterion, both on its scale."""

    criterion: str
    answer: UUID
    cluster: str
    grade: int
    score: float
    apart: float
    comment: str = ""


def candidate(
    criterion: Criterion, *, answer: UUID, cluster: str, grade: float, score: float, comment: str = ""
) -> Candidate | None:
    """None where they agree. Experts' medians between two grades are rounded up."""
    whole = min(max(int(grade + 0.5), criterion.lowest), criterion.highest)
    apart = abs(whole - score) / (criterion.highest - criterion.lowest)
    if apart < APART:
        return None
    return Candidate(
        criterion=criterion.name,
        answer=answer,
        cluster=cluster,
        grade=whole,
        score=score,
        apart=apart,
        comment=comment.strip(),
    )


def chosen(candidates: Iterable[Candidate], *, most: int = MOST) -> list[Candidate]:
    """At most `most` for each criterion, and one for a prompt: of each grade the farthest apart, then the next ones."""
    by_criterion: dict[str, list[Candidate]] = defaultdict(list)
    for one in sorted(candidates, key=lambda one: (-one.apart, one.cluster, str(one.answer))):
        if all(one.cluster != other.cluster for other in by_criterion[one.criterion]):
            by_criterion[one.criterion].append(one)
    return [one for found in by_criterion.values() for one in _spread(found, most)]


def _spread(ordered: list[Candidate], most: int) -> list[Candidate]:
    """In rounds, each of which takes the first that is left of every grade; lowest grade first."""
    places: dict[int, int] = defaultdict(int)
    ranked = []
    for one in ordered:
        ranked.append((places[one.grade], -one.apart, one))
        places[one.grade] += 1
    taken = sorted(ranked, key=lambda item: item[:2])[:most]
    return sorted((one for _, _, one in taken), key=lambda one: (one.grade, -one.apart, one.cluster))
