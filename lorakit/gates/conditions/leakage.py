"""Test rows whose prompts the version was trained on."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

from lorakit.gates.case import Case
from lorakit.gates.conditions.base import Condition
from lorakit.gates.fields import fields, number
from lorakit.gates.outcome import Outcome


@dataclass(frozen=True, kw_only=True)
class Leakage(Condition):
    """At most a share `at_most` of test rows has the prompt of a training row, or one much like it.

    A decision that leaves such rows out passes: nothing is judged on them.
    """

    kind: ClassVar[str] = "leakage"
    at_most: float = 0.0

    @classmethod
    def parsed(cls, value: Mapping[str, Any], where: str) -> Self:
        known = fields(value, where, known={"kind", "at_most"})
        return cls(at_most=number(known.get("at_most", 0), f"{where}: “at_most”", low=0, high=1))

    def check(self, case: Case) -> Outcome:
        title = "No test row is much like training"
        needs = f"at most {self.at_most:.0%}" if self.at_most else "none"
        leaked, rows = sum(row.leaked for row in case.rows), len(case.rows)
        if not case.leaks_known:
            return Outcome(state="not applicable", title=title, shown="n/a", needs=needs, evidence="data",
                           why="The training rows are no longer stored, so test rows were not compared.")  # fmt: skip
        share = leaked / rows if rows else 0.0
        passes = share <= self.at_most or case.leaves_out_leaks
        left_out = "They are left out of everything here." if leaked and case.leaves_out_leaks else ""
        return Outcome(
            state="passes" if passes else "fails",
            title=title,
            shown=f"{leaked:,} of {rows:,}",
            needs=needs,
            why=left_out,
            number=share,
            limit=self.at_most,
            evidence="data",
            detail={"leaked": leaked, "rows": rows, "left_out": bool(leaked and case.leaves_out_leaks)},
        )
