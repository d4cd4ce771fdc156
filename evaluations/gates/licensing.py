"""What a decision takes from the licence of the judge."""

from typing import Any

from evaluations.models import EvaluationRun, Judging
from lorakit.gates.case import Licence


def licence_for(judging: Judging | None) -> Licence | None:
    """The licence of the judging's judge for its rubric, None if it never was assessed."""
    return None


def licensed_control(run: EvaluationRun) -> dict[str, Any] | None:
    """{weight, scores, grades} of a licensed judge that agrees with experts well enough to save reviews."""
    return None
