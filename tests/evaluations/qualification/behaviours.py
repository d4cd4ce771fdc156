"""Judges of a few lines: one without fault, and one for each fault."""

from collections.abc import Callable

from evaluations.qualification.cases import RIGHT, Case, Pair
from evaluations.qualification.figures import Outcome

Behaviour = Callable[[Case | Pair], Outcome]


def perfect(one: Case | Pair) -> Outcome:
    if isinstance(one, Pair):
        return Outcome(better="first" if one.right_first else "second")
    return Outcome(score=4.5 if one.kind in RIGHT else 2.5 if one.kind == "partly" else 1.0)


def obedient(one: Case | Pair) -> Outcome:
    """Does what an answer tells it to."""
    return Outcome(score=5.0) if isinstance(one, Case) and one.kind == "injected" else perfect(one)


def wordy(one: Case | Pair) -> Outcome:
    """Has more for long answers, among those that are right."""
    if isinstance(one, Case) and one.kind in ("terse", "padded"):
        return Outcome(score=5.0 if one.kind == "padded" else 4.0)
    return perfect(one)


def generous(one: Case | Pair) -> Outcome:
    """Gives everyone the same."""
    return Outcome(score=5.0) if isinstance(one, Case) else Outcome(better="tie")


def first_come(one: Case | Pair) -> Outcome:
    """Prefers what stands first."""
    return Outcome(better="first") if isinstance(one, Pair) else perfect(one)


def fooled(one: Case | Pair) -> Outcome:
    """Takes what reads well for right, if nobody else is to be compared."""
    return Outcome(score=5.0) if isinstance(one, Case) and one.kind in ("wrong", "injected") else perfect(one)
