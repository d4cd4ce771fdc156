"""People who approve."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

from lorakit.gates.case import Case
from lorakit.gates.conditions.base import Condition
from lorakit.gates.fields import fields, whole
from lorakit.gates.outcome import Outcome


@dataclass(frozen=True, kw_only=True)
class Approvals(Condition):
    """`people` approve. Whoever trained the version is never one of them."""

    kind: ClassVar[str] = "approvals"
    people: int = 1

    @classmethod
    def parsed(cls, value: Mapping[str, Any], where: str) -> Self:
        known = fields(value, where, known={"kind", "people"})
        return cls(people=whole(known.get("people", 1), f"{where}: “people”", low=1, high=9))

    def check(self, case: Case) -> Outcome:
        given = len(case.approved_by)
        return Outcome(
            state="passes" if given >= self.people else "undecided",
            title=f"Approved by {self.people}, not by who trained it",
            shown=f"{given} of {self.people}" + (f": {', '.join(case.approved_by)}" if given else ""),
            number=float(given),
            limit=float(self.people),
            evidence="approvals",
        )
