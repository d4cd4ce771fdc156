"""The contract of a metric: how close an answer is to the reference."""

from abc import ABC, abstractmethod
from typing import Any, ClassVar

from jobs.aliases import merge_options


class Metric(ABC):
    """One metric. `title` is what people read, `note` says how it is computed."""

    title: ClassVar[str]
    note: ClassVar[str]
    options: ClassVar[dict[str, Any]] = {}

    def __init__(self, alias: str, options: dict[str, Any]) -> None:
        self.alias = alias
        self.settings = merge_options("METRICS", alias, self.options, options)

    @abstractmethod
    def score(self, reference: str, answer: str) -> float | None:
        """0..1, or None if the metric does not apply to this reference."""
