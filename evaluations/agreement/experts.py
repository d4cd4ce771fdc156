"""How far experts agree with each other. Pure."""

import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from lorakit.stats.agreement import Agreement, gwet_ac, krippendorff_alpha

GRADES = (1.0, 2.0, 3.0, 4.0, 5.0)


@dataclass(frozen=True, kw_only=True)
class Rating:
    """One expert's grade of one answer, 1 to 5, and by criterion on the criterion's own scale."""

    item: UUID
    reviewer: str
    grade: float
    criteria: dict[str, int]
    at: dt.datetime
    has_seen_judge: bool = False


@dataclass(frozen=True, kw_only=True)
class Line:
    """A coefficient of some of the ratings. `alpha` stands beside `ac`, for each misleads at times."""

    title: str
    ac: Agreement
    alpha: Agreement


def whole(grade: float) -> float:
    """The nearest whole grade, halves upwards: what coefficients and tables are stated for."""
    return float(min(max(int(grade + 0.5), 1), 5))


def overall(ratings: Sequence[Rating]) -> Line:
    """All experts, on the grade of the whole answer."""
    return _line("All experts", ratings, lambda rating: whole(rating.grade), GRADES)


def by_criterion(ratings: Sequence[Rating], scales: Mapping[str, Sequence[int]]) -> list[Line]:
    """One line for each criterion, on its own scale."""
    return [
        _line(name, [one for one in ratings if name in one.criteria], _criterion(name), [float(step) for step in scale])
        for name, scale in scales.items()
        if any(name in one.criteria for one in ratings)
    ]


def by_reviewer(ratings: Sequence[Rating]) -> list[Line]:
    """Each expert against the others, where an answer was graded by both."""
    pairs: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for given in _by_item(ratings).values():
        grades = [(one.reviewer, whole(one.grade)) for one in given]
        for reviewer, own in grades:
            pairs[reviewer] += [(own, other) for name, other in grades if name != reviewer]
    return [_of(reviewer, found, GRADES) for reviewer, found in sorted(pairs.items()) if found]


def by_week(ratings: Sequence[Rating]) -> list[Line]:
    """By the Monday of the week in which an answer got its last grade."""
    weeks: dict[dt.date, list[Rating]] = defaultdict(list)
    for given in _by_item(ratings).values():
        last = max(one.at for one in given).date()
        weeks[last - dt.timedelta(days=last.weekday())].extend(given)
    return [
        _line(f"{week:%d %b %Y}", found, lambda rating: whole(rating.grade), GRADES)
        for week, found in sorted(weeks.items())
    ]


def _criterion(name: str) -> Callable[[Rating], float]:
    return lambda rating: float(rating.criteria[name])


def _line(title: str, ratings: Iterable[Rating], value: Callable[[Rating], float], scale: Sequence[float]) -> Line:
    table = [[value(one) for one in given] for given in _by_item(ratings).values()]
    return _of(title, table, scale)


def _of(title: str, table: Sequence[Sequence[float]], scale: Sequence[float]) -> Line:
    return Line(
        title=title,
        ac=gwet_ac(table, scale, weights="quadratic"),
        alpha=krippendorff_alpha(table, scale, metric="interval"),
    )


def _by_item(ratings: Iterable[Rating]) -> dict[UUID, list[Rating]]:
    items: dict[UUID, list[Rating]] = defaultdict(list)
    for one in ratings:
        items[one.item].append(one)
    return items
