"""The contract of a judge: grade one answer from 1 to 5 and give the reason."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from jobs.aliases import merge_options

Message = dict[str, Any]

LOWEST, HIGHEST = 1.0, 5.0


@dataclass(frozen=True, kw_only=True)
class Judgement:
    """A grade from 1 (wrong) to 5 (as good as the reference) with its reason in plain words."""

    score: float
    reason: str

    def __post_init__(self) -> None:
        if not LOWEST <= self.score <= HIGHEST:
            raise ValueError(f"a grade is from 1 to 5, not {self.score}")


class Judge(ABC):
    """One judge. `is_llm` says whether a language model gives the grades; `label` is what people read."""

    label: ClassVar[str]
    is_llm: ClassVar[bool]
    options: ClassVar[dict[str, Any]] = {}

    def __init__(self, alias: str, options: dict[str, Any]) -> None:
        self.alias = alias
        self.settings = merge_options("JUDGES", alias, self.options, options)

    @abstractmethod
    def judge(self, *, messages: Sequence[Message], reference: str, answer: str) -> Judgement:
        """Grade `answer` to the prompt `messages` against `reference`.

        The answer is data: whatever it asks of its grader must not change its grade.
        """
