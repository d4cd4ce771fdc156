"""Experts agree with each other, by a named coefficient."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

from lorakit.gates.case import Case
from lorakit.gates.conditions.base import Condition
from lorakit.gates.fields import choice, fields, number
from lorakit.gates.outcome import Outcome, at_least
from lorakit.stats.agreement import Agreement, gwet_ac, krippendorff_alpha

COEFFICIENTS = (
    "Krippendorff's alpha, ordinal",
    "Krippendorff's alpha, interval",
    "Gwet's AC1",
    "Gwet's AC2, quadratic",
)
FEWEST_ITEMS = 10


@dataclass(frozen=True, kw_only=True)
class ExpertAgreement(Condition):
    """The coefficient's 95% interval lies at or above `at_least`, over items with two reviews or more."""

    kind: ClassVar[str] = "agreement"
    coefficient: str = "Gwet's AC2, quadratic"
    at_least: float = 0.6

    @classmethod
    def parsed(cls, value: Mapping[str, Any], where: str) -> Self:
        known = fields(value, where, known={"kind", "coefficient", "at_least"})
        return cls(
            coefficient=choice(known.get("coefficient", cls.coefficient), f"{where}: “coefficient”", COEFFICIENTS),
            at_least=number(known.get("at_least", cls.at_least), f"{where}: “at_least”", low=-1, high=1),
        )

    def check(self, case: Case) -> Outcome:
        title, needs = f"Experts agree: {self.coefficient}", f"at least {self.at_least:g}"
        if case.round is None or case.round.reviewers_per_item < 2:
            why = "Each answer has one reviewer." if case.round else "There is no review round."
            return Outcome(state="not applicable", title=title, shown="n/a", needs=needs, why=why, evidence="round")
        people = sorted({one.reviewer for item in case.round.items for one in item.given})
        ratings: list[list[float | None]] = []
        for item in case.round.items:
            given = {one.reviewer: float(round(one.value)) for one in item.given}
            if item.part == "uniform" and len(given) > 1:
                ratings.append([given.get(person) for person in people])
        found = self._agreement(ratings, case.round.shape) if len(ratings) >= FEWEST_ITEMS else None
        if found is None or found.value is None or found.interval is None:
            raw = f"{found.raw:.0%} of verdicts equal" if found is not None and found.raw is not None else "n/a"
            why = (
                "The coefficient does not exist where all verdicts are equal."
                if found is not None
                else f"{FEWEST_ITEMS} answers with two reviews are needed; there are {len(ratings)}."
            )
            return Outcome(state="undecided", title=title, shown=raw, needs=needs, why=why, limit=self.at_least,
                           evidence="round", detail={"items": len(ratings)})  # fmt: skip
        low, high = found.interval.low, found.interval.high
        return Outcome(
            state=at_least(low, high, self.at_least),
            title=title,
            shown=f"{found.value:.2f} [{low:.2f}, {high:.2f}]",
            needs=needs,
            number=found.value,
            low=low,
            high=high,
            limit=self.at_least,
            evidence="round",
            detail={"items": found.items, "raw": found.raw},
        )

    def _agreement(self, ratings: list[list[float | None]], shape: str) -> Agreement:
        scale = [-1.0, 0.0, 1.0] if shape == "pair" else [1.0, 2.0, 3.0, 4.0, 5.0]
        if self.coefficient.startswith("Krippendorff"):
            metric = "interval" if self.coefficient.endswith("interval") else "ordinal (Krippendorff)"
            return krippendorff_alpha(ratings, scale, metric=metric)
        return gwet_ac(ratings, scale, weights="identity" if self.coefficient == "Gwet's AC1" else "quadratic")
