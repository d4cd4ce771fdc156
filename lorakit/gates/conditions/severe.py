"""Few severe losses among experts' verdicts."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

from lorakit.gates.case import Case
from lorakit.gates.conditions.base import Condition
from lorakit.gates.fields import fields, number
from lorakit.gates.outcome import Outcome, at_most
from lorakit.stats.shares import clopper_pearson_interval

SEVERE_LOSS = -2.0


@dataclass(frozen=True, kw_only=True)
class SevereLosses(Condition):
    """At most a share `at_most` of random answers get grade 1, or 2 grades or more below the other model's answer.

    The exact 95% interval must lie at or below it. In pairs a loss is severe.
    """

    kind: ClassVar[str] = "severe_losses"
    at_most: float = 0.1

    @classmethod
    def parsed(cls, value: Mapping[str, Any], where: str) -> Self:
        known = fields(value, where, known={"kind", "at_most"})
        return cls(at_most=number(known.get("at_most", 0.1), f"{where}: “at_most”", low=0, high=1))

    def check(self, case: Case) -> Outcome:
        title, needs = "Few severe failures", f"at most {self.at_most:.0%}"
        values = case.uniform().values
        if case.round is None or not values:
            return Outcome(state="undecided", title=title, shown="no reviews yet", needs=needs, limit=self.at_most,
                           why="Experts’ verdicts are needed.", evidence="round")  # fmt: skip
        pairs = case.round.shape == "pair"
        severe = sum(_is_severe(own, other, pairs) for own, other in values)
        found = clopper_pearson_interval(severe, len(values))
        state = at_most(found.low, found.high, self.at_most)
        return Outcome(
            state=state,
            title=title,
            shown=f"{severe} of {len(values)} [{found.low:.0%}, {found.high:.0%}]",
            needs=needs,
            why="More reviews make the interval narrower." if state == "undecided" else "",
            number=severe / len(values),
            low=found.low,
            high=found.high,
            limit=self.at_most,
            evidence="round",
            detail={"severe": severe, "reviewed": len(values)},
        )


def _is_severe(own: float, other: float | None, pairs: bool) -> bool:
    if pairs:
        return own < 0
    return own == 1.0 or (other is not None and own - other <= SEVERE_LOSS)
