"""Asking a cloud which machines an endpoint needs. The cloud tries them, which takes up to hours and costs money."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol, Self

if TYPE_CHECKING:
    from serving.backends.base import Package

Goal = Literal["ttft-ms", "throughput", "cost"]
GOALS: dict[str, str] = {
    "cost": "Lowest cost",
    "throughput": "Most tokens a second",
    "ttft-ms": "Shortest time to the first token",
}

MOST_ADAPTERS = 10
MOST_MACHINES = 3


@dataclass(frozen=True, kw_only=True)
class Question:
    """What is to be tried: adapters by name, requests of so many tokens, so many at a time, and on which machines.

    Without `machines` the cloud chooses.
    """

    goal: Goal
    adapters: "Mapping[str, Package]"
    input_tokens: int
    output_tokens: int
    concurrency: int
    machines: Sequence[str] = ()


@dataclass(frozen=True, kw_only=True)
class Recommendation:
    """One way to serve it. `memory_mb` is the machine's memory for each copy; `performance` is (metric, value)."""

    machine: str
    machines: int = 1
    copies: int = 1
    memory_mb: int | None = None
    performance: tuple[tuple[str, str], ...] = ()

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> Self:
        performance = tuple((metric, value) for metric, value in stored["performance"])
        return cls(**{**stored, "performance": performance})


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """How far it is. `text` says why it failed."""

    status: Literal["running", "completed", "failed", "stopped"]
    text: str = ""
    recommendations: tuple[Recommendation, ...] = ()


class Recommender(Protocol):
    """Every method may be called twice with the same arguments. Each raises EndpointError."""

    def start(self, name: str, question: Question) -> None:
        """Begin to try, under a name of our own that is used once."""

    def look(self, name: str) -> Outcome:
        """How far it is."""

    def clear(self, name: str) -> None:
        """Remove what was needed only to try."""
