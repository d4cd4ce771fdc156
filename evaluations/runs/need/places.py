"""Where most of the rows lie on which one model wins against another: in which slices, labels or languages."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from evaluations.runs.grid.columns import column_title, value_title
from evaluations.runs.report import difference_of
from evaluations.runs.stages.held_out import ALL
from evaluations.runs.stages.scoring import RIGHT

FEWEST_WINS = 4
"""Fewer lie somewhere by chance."""

MOST_VALUES = 3
MOSTLY = 0.5
MORE_THAN_USUAL = 1.5
"""Wins are said to lie where their share is so many times that of the rows."""

Counts = list[tuple[str, int, int]]
"""(value, rows, rows won)"""


@dataclass(frozen=True, kw_only=True)
class Place:
    """Values of a column (`slice` for slices), of which most has the rows that were won, as people read them."""

    column: str
    values: list[str]


def places_won(summary: Mapping[str, Any], own: str, against: str) -> Place | None:
    """At most three values of one column with at least half of the wins, which they would not have by chance.

    None where there are too few wins, or they lie everywhere.
    """
    total = difference_of(summary[ALL], RIGHT, own, against)
    if total is None or total["better"] < FEWEST_WINS:
        return None
    wins, rows = total["better"], summary[ALL]["rows"]
    found = []
    for column, counts in _columns(summary, own, against):
        chosen: list[str] = []
        won = seen = 0
        for value, here, better in sorted(counts, key=lambda one: (-one[2], one[1], one[0]))[:MOST_VALUES]:
            chosen.append(value)
            won, seen = won + better, seen + here
            if won >= MOSTLY * wins:
                break
        if won >= MOSTLY * wins and won / wins >= MORE_THAN_USUAL * seen / rows:
            found.append((seen / rows, Place(column=column_title(column), values=chosen)))
    # The smallest part of the rows says most.
    return min(found, key=lambda one: one[0])[1] if found else None


def _columns(summary: Mapping[str, Any], own: str, against: str) -> Iterator[tuple[str, Counts]]:
    yield "slice", list(_counts({name: part for name, part in summary.items() if name != ALL}, own, against))
    for column, parts in summary[ALL].get("columns", {}).items():
        known = {value_title(column, value): part for value, part in parts.items() if "figures" in part}
        yield column, list(_counts(known, own, against))


def _counts(parts: Mapping[str, Any], own: str, against: str) -> Iterator[tuple[str, int, int]]:
    for value, part in parts.items():
        found = difference_of(part, RIGHT, own, against)
        if found is not None:
            yield value, part["rows"], found["better"]
