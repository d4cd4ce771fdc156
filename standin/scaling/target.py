"""A scalable target: a base component whose copies Application Auto Scaling chooses, with its policies and actions."""

from dataclasses import dataclass, field
from typing import Any

from standin.scaling.schedule import Due

Request = dict[str, Any]


@dataclass(kw_only=True)
class Policy:
    """A scaling policy; its scaling has no effect before `cooled_at`."""

    arn: str
    request: Request
    created_at: float
    alarms: list[str] = field(default_factory=list)
    cooled_at: float = 0.0

    @property
    def kind(self) -> str:
        return str(self.request["PolicyType"])

    @property
    def settings(self) -> Request:
        found: Request = self.request[f"{self.kind}PolicyConfiguration"]
        return found


@dataclass(kw_only=True)
class ScheduledAction:
    """`due` says in which minutes the target gets the action's range."""

    arn: str
    request: Request
    created_at: float
    due: Due

    def is_due(self, minute: float) -> bool:
        start, end = self.request.get("StartTime", minute), self.request.get("EndTime", minute)
        return bool(start <= minute <= end) and self.due(minute)


@dataclass(kw_only=True)
class Target:
    """`wanted` copies are asked for as soon as the component lets itself be changed; None once it has them."""

    arn: str
    component: str
    least: int
    most: int
    created_at: float
    checked_minute: int
    suspended: dict[str, bool] = field(default_factory=dict)
    policies: dict[str, Policy] = field(default_factory=dict)
    actions: dict[str, ScheduledAction] = field(default_factory=dict)
    wanted: int | None = None
    scaled_at: float = 0.0

    def limited(self, copies: int) -> int:
        """The nearest number of copies in the target's range."""
        return min(max(copies, self.least), self.most)


def stepped(settings: Request, copies: int, beyond: float) -> int:
    """The copies after a step policy's answer to a metric that is `beyond` its alarm's threshold."""
    for step in settings["StepAdjustments"]:
        lower = step.get("MetricIntervalLowerBound", float("-inf"))
        upper = step.get("MetricIntervalUpperBound", float("inf"))
        if not lower <= beyond < upper:
            continue
        change = int(step["ScalingAdjustment"])
        if settings["AdjustmentType"] == "ExactCapacity":
            return change
        if settings["AdjustmentType"] == "PercentChangeInCapacity":
            share = copies * change / 100
            least = settings.get("MinAdjustmentMagnitude", 1)
            change = int(max(abs(share), least)) * (1 if change > 0 else -1)
        return max(0, copies + change)
    return copies
