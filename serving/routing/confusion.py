"""Where held-out prompts go: the learning's report as a table for people."""

from dataclasses import dataclass
from typing import Any

from lorakit.stats.interval import Interval
from lorakit.stats.shares import wilson_interval
from serving.routing.learning import NOT_ASKED, REFUSED


@dataclass(frozen=True, kw_only=True)
class Cell:
    """Prompts of an adapter that went somewhere."""

    count: int
    is_right: bool


@dataclass(frozen=True, kw_only=True)
class Line:
    """An adapter's held-out prompts. `interval` is of the share that came back to it, at 95%."""

    name: str
    cells: list[Cell]
    total: int
    right: int
    interval: Interval

    @property
    def share(self) -> float:
        return self.right / self.total


@dataclass(frozen=True, kw_only=True)
class Confusion:
    """`columns` are the models that prompts went to, for people."""

    columns: list[str]
    lines: list[Line]


def confusion_of(report: dict[str, Any]) -> Confusion | None:
    """None where nothing was held out, or nothing is measured yet."""
    table: dict[str, dict[str, int]] = report.get("table") or {}
    if not table:
        return None
    others = {target for counts in table.values() for target in counts} - set(table)
    columns = [*sorted(table), *sorted(others - {NOT_ASKED, REFUSED})]
    columns += [special for special in (NOT_ASKED, REFUSED) if special in others]
    lines = []
    for name in sorted(table):
        counts = table[name]
        total, right = sum(counts.values()), counts.get(name, 0)
        lines.append(
            Line(
                name=name,
                cells=[Cell(count=counts.get(column, 0), is_right=column == name) for column in columns],
                total=total,
                right=right,
                interval=wilson_interval(right, total),
            )
        )
    shown = {NOT_ASKED: "Left to the judge", REFUSED: "Refused"}
    return Confusion(columns=[shown.get(column, column) for column in columns], lines=lines)
