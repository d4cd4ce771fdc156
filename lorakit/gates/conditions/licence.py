"""The judge is licensed for the rubric."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

from lorakit.gates.case import Case
from lorakit.gates.conditions.base import Condition
from lorakit.gates.fields import fields
from lorakit.gates.outcome import Outcome, State


@dataclass(frozen=True, kw_only=True)
class LicensedJudge(Condition):
    """The judge that graded the evaluation holds a licence for its rubric."""

    kind: ClassVar[str] = "licence"

    @classmethod
    def parsed(cls, value: Mapping[str, Any], where: str) -> Self:
        fields(value, where, known={"kind"})
        return cls()

    def check(self, case: Case) -> Outcome:
        title = "Judge is licensed for this rubric"
        if not case.is_judged:
            why = "No language model has judged these answers."
            return Outcome(state="not applicable", title=title, shown="n/a", why=why, evidence="judge")
        if case.licence is None:
            return Outcome(state="undecided", title=title, shown="no licence", evidence="judge",
                           why="The judge has not been compared with experts by this rubric.")  # fmt: skip
        state: State = (
            "passes" if case.licence.state == "licensed"
            else "undecided" if case.licence.state == "provisional" else "fails"
        )  # fmt: skip
        return Outcome(
            state=state,
            title=title,
            shown=f"{case.licence.judge}: {case.licence.state}",
            why=case.licence.reason,
            evidence="judge",
            detail={"state": case.licence.state},
        )
