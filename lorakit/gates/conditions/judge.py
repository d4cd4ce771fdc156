"""The judge's mean grade over all rows, corrected by experts' grades of some."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

from lorakit.gates.case import Case
from lorakit.gates.conditions.base import Condition
from lorakit.gates.fields import fields, number
from lorakit.gates.outcome import Outcome, at_least
from lorakit.stats.prediction_powered import prediction_powered_mean

FEWEST_GRADES = 20


@dataclass(frozen=True, kw_only=True)
class JudgeScore(Condition):
    """The corrected mean, 1 to 5, is at least `at_least`: the whole 95% interval is. A judge alone never passes it."""

    kind: ClassVar[str] = "judge"
    at_least: float

    @classmethod
    def parsed(cls, value: Mapping[str, Any], where: str) -> Self:
        known = fields(value, where, known={"kind", "at_least"}, needed={"at_least"})
        return cls(at_least=number(known["at_least"], f"{where}: “at_least”", low=1, high=5))

    def check(self, case: Case) -> Outcome:
        title, needs = "Judge’s grade, corrected by experts", f"at least {self.at_least:g} of 5"
        if not case.is_judged:
            why = "No language model has judged these answers."
            return Outcome(state="not applicable", title=title, shown="n/a", needs=needs, why=why, evidence="figures")
        judged = {row.number: row.answers["own"].judge for row in case.counted if "own" in row.answers}
        units = case.uniform()
        single = case.round is not None and case.round.shape == "single"
        labels = {
            row: own
            for row, (own, _) in zip(units.rows, units.values, strict=True)
            if single and judged.get(row) is not None
        }
        others = [score for row, score in judged.items() if row not in labels and score is not None]
        if len(labels) < FEWEST_GRADES or len(others) < 2:
            why = (
                f"{FEWEST_GRADES} experts’ grades of random answers are needed to correct the judge; "
                f"there are {len(labels)}."
            )
            return Outcome(
                state="undecided", title=title, shown="n/a", needs=needs, why=why, evidence="round",
                limit=self.at_least, detail={"labels": len(labels)},
            )  # fmt: skip
        scores = [score for row in labels if (score := judged[row]) is not None]
        found = prediction_powered_mean(list(labels.values()), scores, others, low=1.0, high=5.0)
        low, high = found.interval.low, found.interval.high
        state = at_least(low, high, self.at_least)
        return Outcome(
            state=state,
            title=title,
            shown=f"{found.mean:.2f} [{low:.2f}, {high:.2f}] from {found.labels} experts’ grades",
            needs=needs,
            why="More experts’ grades make the interval narrower." if state == "undecided" else "",
            number=found.mean,
            low=low,
            high=high,
            limit=self.at_least,
            evidence="figures",
            detail={"labels": found.labels, "weight": found.weight, "labels_saved": found.saved},
        )
