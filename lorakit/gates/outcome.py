"""What a condition comes to, and the verdict of all of them."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

State = Literal["passes", "fails", "undecided", "not applicable"]


FEW_HOURS = 2


@dataclass(frozen=True, kw_only=True)
class Outlook:
    """How many more reviews a decision will take: median and the range of the middle 80%, None beyond the cap.

    `hours` are the experts', at their own median pace. Stopping is worth an offer where it is `hopeless`.
    """

    early: int | None
    median: int | None
    late: int | None
    promote: float
    decline: float
    neither: float
    hours: float | None
    hopeless: bool

    @property
    def time(self) -> str:
        """The experts' hours, in minutes below two hours; empty where no pace is known."""
        if self.hours is None:
            return ""
        if self.hours < FEW_HOURS:
            minutes = max(1, round(60 * self.hours))
            return f"{minutes} minute{'' if minutes == 1 else 's'}"
        return f"{self.hours:.0f} hours"


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """A condition checked: `shown` is the number with its interval as text, `needs` what it is held against.

    `evidence` names what a link should open: evaluation, figures, round, judge, data, approvals. `detail` has further
    figures.
    """

    state: State
    title: str
    shown: str
    needs: str = ""
    why: str = ""
    number: float | None = None
    low: float | None = None
    high: float | None = None
    limit: float | None = None
    evidence: str = ""
    detail: Mapping[str, Any] = field(default_factory=dict)
    outlook: Outlook | None = None

    @property
    def saved(self) -> str:
        """The share of labels that the judge saved, as measured; empty where it saved none."""
        share = self.detail.get("labels_saved") or 0.0
        return f"{share:.0%}" if share >= 0.005 else ""

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        return asdict(self) | {"detail": dict(self.detail)}


def verdict(outcomes: Sequence[Outcome]) -> State:
    """Fails if any condition does; passes if all that apply do, and one does."""
    states = [outcome.state for outcome in outcomes]
    if "fails" in states:
        return "fails"
    if "undecided" in states or "passes" not in states:
        return "undecided"
    return "passes"


def at_least(low: float, high: float, limit: float) -> State:
    """Whether an interval lies wholly at or above `limit`, or below it."""
    return "passes" if low >= limit else "fails" if high < limit else "undecided"


def at_most(low: float, high: float, limit: float) -> State:
    """Whether an interval lies wholly at or below `limit`, or above it."""
    return "passes" if high <= limit else "fails" if low > limit else "undecided"
