"""Experts' reviews as a decision's evidence."""

from evaluations.models import Decision
from lorakit.gates.case import Control, Round


def round_of(decision: Decision) -> Round | None:
    """The decision's review round, None without one."""
    return None


def control_of(decision: Decision) -> Control | None:
    """The judge as control variate, as it was fixed at the opening."""
    if not decision.control:
        return None
    return Control(
        weight=decision.control["weight"],
        scores=tuple(decision.control["scores"]),
        grades=tuple(decision.control["grades"]),
    )
