"""How long answers may take, and what they may cost."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil
from statistics import fmean
from typing import Any, ClassVar, Self

from lorakit.gates.case import Case
from lorakit.gates.conditions.base import Condition
from lorakit.gates.fields import fields, number
from lorakit.gates.outcome import Outcome


@dataclass(frozen=True, kw_only=True)
class Latency(Condition):
    """95% of answers took at most `p95_seconds` in the evaluation."""

    kind: ClassVar[str] = "latency"
    p95_seconds: float

    @classmethod
    def parsed(cls, value: Mapping[str, Any], where: str) -> Self:
        known = fields(value, where, known={"kind", "p95_seconds"}, needed={"p95_seconds"})
        return cls(p95_seconds=number(known["p95_seconds"], f"{where}: “p95_seconds”", low=0.001, high=3600))

    def check(self, case: Case) -> Outcome:
        title = f"p95 at most {self.p95_seconds:g} s"
        known = (row.answers["own"].seconds for row in case.counted)
        seconds = sorted(each for each in known if each is not None)
        if not seconds:
            return Outcome(state="not applicable", title=title, shown="n/a", evidence="evaluation",
                           why="The evaluation did not measure how long answers took.")  # fmt: skip
        slow = seconds[ceil(0.95 * len(seconds)) - 1]
        return Outcome(
            state="passes" if slow <= self.p95_seconds else "fails", title=title, shown=f"{slow:.2f} s",
            number=slow, limit=self.p95_seconds, evidence="evaluation", detail={"answers": len(seconds)},
        )  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Cost(Condition):
    """1,000 answers cost at most `usd_per_1000` in the evaluation."""

    kind: ClassVar[str] = "cost"
    usd_per_1000: float

    @classmethod
    def parsed(cls, value: Mapping[str, Any], where: str) -> Self:
        known = fields(value, where, known={"kind", "usd_per_1000"}, needed={"usd_per_1000"})
        return cls(usd_per_1000=number(known["usd_per_1000"], f"{where}: “usd_per_1000”", low=0, high=1e6))

    def check(self, case: Case) -> Outcome:
        title = f"1,000 answers cost at most ${self.usd_per_1000:,.2f}"
        known = [usd for row in case.counted if (usd := row.answers["own"].usd) is not None]
        if not known:
            return Outcome(state="not applicable", title=title, shown="n/a", evidence="evaluation",
                           why="What these answers cost is not known.")  # fmt: skip
        usd = 1000 * fmean(known)
        return Outcome(
            state="passes" if usd <= self.usd_per_1000 else "fails", title=title, shown=f"${usd:,.2f}",
            number=usd, limit=self.usd_per_1000, evidence="evaluation", detail={"answers": len(known)},
        )  # fmt: skip
