"""A metric's difference from another model, on the same rows."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

from lorakit.gates.case import Case, Role
from lorakit.gates.conditions.base import Condition
from lorakit.gates.fields import choice, fields, name, number
from lorakit.gates.outcome import Outcome, State
from lorakit.stats.clusters import FEWEST_CLUSTERS
from lorakit.stats.difference import difference

AGAINST = ("live", "base")
NEEDS = ("better", "not_worse", "not_shown_worse")


@dataclass(frozen=True, kw_only=True)
class MetricDifference(Condition):
    """`better`: the 95% interval of the difference lies above 0; `not_worse`: above -`margin`; `not_shown_worse`: not
    wholly below 0. Applies from 20 different prompts on.
    """

    kind: ClassVar[str] = "metric"
    metric: str
    against: str = "live"
    needs: str = "better"
    margin: float = 0.0

    @classmethod
    def parsed(cls, value: Mapping[str, Any], where: str) -> Self:
        known = fields(value, where, known={"kind", "metric", "against", "needs", "margin"}, needed={"metric"})
        return cls(
            metric=name(known["metric"], f"{where}: “metric”"),
            against=choice(known.get("against", "live"), f"{where}: “against”", AGAINST),
            needs=choice(known.get("needs", "better"), f"{where}: “needs”", NEEDS),
            margin=number(known.get("margin", 0), f"{where}: “margin”", low=0, high=100),
        )

    def check(self, case: Case) -> Outcome:
        role: Role = "live" if self.against == "live" else "base"
        measure = case.titles.get(self.metric, self.metric)
        other = case.names.get(role, "")
        who = "base" if role == "base" else other or "the live version"
        title = {
            "better": f"Better than {who}: {measure}",
            "not_worse": f"Not worse than {who}: {measure}",
            "not_shown_worse": f"Not shown to be worse than {who}: {measure}",
        }[self.needs]
        limit = -self.margin if self.needs == "not_worse" else 0.0
        if not other:
            why = "No version is live." if role == "live" else "The base is not in this evaluation."
            return self._without(title, why)
        pairs, prompts = [], []
        for row in case.counted:
            if role not in row.answers:
                return self._without(title, f"{other} is not in this evaluation.")
            before, own = row.answers[role].scores.get(self.metric), row.answers["own"].scores.get(self.metric)
            if before is not None and own is not None:
                pairs.append((before, own))
                prompts.append(row.prompt)
        lowest, highest = case.scales.get(self.metric, (0.0, 1.0))
        found = difference(pairs, lowest=lowest, highest=highest, clusters=prompts)
        if found is None:
            return self._without(title, "These answers do not have this metric.")
        shown = f"{_points(found.mean)} [{_points(found.low)}, {_points(found.high)}]"
        states: dict[str, State] = {
            "better": "passes" if found.low > 0 else "fails" if found.high < 0 else "undecided",
            "not_worse": "passes" if found.low > limit else "fails" if found.high < limit else "undecided",
            "not_shown_worse": "fails" if found.high < 0 else "passes",
        }
        state, why = states[self.needs], ""
        if found.units < FEWEST_CLUSTERS and state != "fails":
            state, why = "not applicable", f"{FEWEST_CLUSTERS} different prompts are needed; there are {found.units}."
        elif state == "undecided":
            why = "This may be chance. More test rows are needed to tell them apart."
        needs = {"better": "above 0", "not_worse": f"above {_points(limit)}", "not_shown_worse": "not below 0"}
        return Outcome(
            state=state,
            title=title,
            shown=f"{shown} points on {found.rows:,} rows",
            needs=needs[self.needs],
            why=why,
            number=found.mean,
            low=found.low,
            high=found.high,
            limit=limit,
            evidence="evaluation",
            detail={"rows": found.rows, "units": found.units, "method": found.method, "p_value": found.p_value},
        )

    def _without(self, title: str, why: str) -> Outcome:
        return Outcome(state="not applicable", title=title, shown="n/a", why=why, evidence="evaluation")


def _points(share: float) -> str:
    # Adding zero turns -0.0 into 0.0.
    return f"{round(100 * share, 1) + 0.0:+.1f}"
