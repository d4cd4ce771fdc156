"""Injects faults: throttling, responses lost after the work was done, unavailable services."""

import random
import threading
from dataclasses import dataclass, field

from standin.errors import AwsError


@dataclass
class Faults:
    """`throttled` and `answers_lost` are shares of the requests (0 to 1). `away` names services whose connections are
    cut, `denied` those that the credentials may not use.

    Only `services` are throttled and lose responses. A seeded generator chooses them, so a run can be repeated.
    """

    throttled: float = 0.0
    answers_lost: float = 0.0
    services: frozenset[str] = frozenset(
        {"sagemaker", "logs", "s3", "bedrock", "application-autoscaling", "monitoring", "pricing"}
    )
    away: set[str] = field(default_factory=set)
    denied: set[str] = field(default_factory=set)
    seed: int = 0

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)
        self._lock = threading.Lock()
        self.count = {"throttled": 0, "answers_lost": 0, "away": 0}

    def cut(self, service: str) -> bool:
        """Whether to cut the connection before anything is done."""
        return service in self.away and self._happens("away", 1.0)

    def throttle(self, service: str) -> bool:
        """Whether to throttle this request."""
        return service in self.services and self._happens("throttled", self.throttled)

    def lose_answer(self, service: str) -> bool:
        """Whether to lose the response to this request."""
        return service in self.services and self._happens("answers_lost", self.answers_lost)

    def _happens(self, name: str, share: float) -> bool:
        with self._lock:
            happens = self._random.random() < share
            self.count[name] += happens
        return happens


@dataclass
class ComponentFaults:
    """What becomes of adapters' components: `refused` answers the request to make one, those in Creating fail with a
    `reason`, or stay there while `stick` is set."""

    refused: AwsError | None = None
    reason: str = ""
    stick: bool = False


@dataclass
class RuntimeFaults:
    """What goes wrong with invocations of `only` one component, or of any where that is empty.

    `seconds` is how long a model may take, and `slow` how many it takes longer; a stream `breaks_after` so many pieces,
    with an error in it or, where `cuts` is set, without a word; `error` is the answer to every invocation.
    """

    only: str = ""
    seconds: float = 60.0
    slow: float = 0.0
    breaks_after: int | None = None
    cuts: bool = False
    error: AwsError | None = None

    def of(self, component: str) -> "RuntimeFaults":
        """Those of a component."""
        return self if self.only in ("", component) else RuntimeFaults()


@dataclass
class MetricFaults:
    """What goes wrong with GetMetricData: points come `late_seconds` late, and at most `page_points` to a page.

    `forbidden` names metrics that may not be read. `internal_errors` is how often the next queries for a metric of that
    name fail. `gaps` are pairs of Unix seconds between which nothing was ever published, `unpublished` are metrics that
    were not published so far.
    """

    late_seconds: float = 60.0
    page_points: int = 100_800
    forbidden: set[str] = field(default_factory=set)
    internal_errors: dict[str, int] = field(default_factory=dict)
    gaps: list[tuple[float, float]] = field(default_factory=list)
    unpublished: set[str] = field(default_factory=set)

    def fails(self, name: str) -> bool:
        """Whether a query for this metric fails."""
        left = self.internal_errors.get(name, 0)
        if left:
            self.internal_errors[name] = left - 1
        return bool(left)

    def is_gap(self, at: float) -> bool:
        """Whether a point at that time is missing."""
        return any(start <= at < end for start, end in self.gaps)
