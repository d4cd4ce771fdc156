"""How far experts agree with each other. Pure."""

import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from lorakit.stats.agreement import Agreement, gwet_ac, krippendorff_alpha

GRADES = (1.0, 2.0, 3.0, 4.0, 5.0)


@dataclass(frozen=True, slots=True)
class Rating:
    """One expert's grade of an answer, 1 to 5, and by criterion on the criterion's own scale."""

    reviewer: str
    grade: float
    criteria: Mapping[str, int]
    at: dt.datetime


Items = Collection[Sequence[Rating]]
"""The ratings of each answer."""


@dataclass(frozen=True, kw_only=True)
class Line:
    """A coefficient of some of the ratings. `alpha` stands beside `ac`, for each misleads at times."""

    title: str
    ac: Agreement
    alpha: Agreement


@lru_cache
def whole(grade: float) -> float:
    """The nearest whole grade, halves upwards: what coefficients and tables are stated for."""
    return float(min(max(int(grade + 0.5), 1), 5))


def overall(items: Items) -> Line:
    """All experts, on the grade of the whole answer."""
    return _line("All experts", items, _whole_grade, GRADES)


def by_criterion(items: Items, scales: Mapping[str, Sequence[int]]) -> list[Line]:
    """One line for each criterion that somebody graded, on its own scale."""
    lines = []
    for name, scale in scales.items():
        graded = [[one for one in given if name in one.criteria] for given in items]
        if any(graded):
            lines.append(_line(name, graded, _criterion(name), [float(step) for step in scale]))
    return lines


def by_reviewer(items: Items) -> list[Line]:
    """Each expert against the others, where an answer was graded by both."""
    pairs: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for given in items:
        grades = [(one.reviewer, whole(one.grade)) for one in given]
        for reviewer, own in grades:
            pairs[reviewer] += [(own, other) for name, other in grades if name != reviewer]
    return [_of(reviewer, found, GRADES) for reviewer, found in sorted(pairs.items()) if found]


def by_week(items: Items) -> list[Line]:
    """By the Monday of the week in which an answer got its last grade."""
    weeks: dict[dt.date, list[Sequence[Rating]]] = defaultdict(list)
    for given in items:
        last = max(one.at for one in given).date()
        weeks[last - dt.timedelta(days=last.weekday())].append(given)
    return [_line(f"{week:%d %b %Y}", found, _whole_grade, GRADES) for week, found in sorted(weeks.items())]


def _whole_grade(rating: Rating) -> float:
    return whole(rating.grade)


def _criterion(name: str) -> Callable[[Rating], float]:
    return lambda rating: float(rating.criteria[name])


def _line(title: str, items: Items, value: Callable[[Rating], float], scale: Sequence[float]) -> Line:
    return _of(title, [[value(one) for one in given] for given in items], scale)


def _of(title: str, table: Sequence[Sequence[float]], scale: Sequence[float]) -> Line:
    return Line(
        title=title,
        ac=gwet_ac(table, scale, weights="quadratic"),
        alpha=krippendorff_alpha(table, scale, metric="interval"),
    )
