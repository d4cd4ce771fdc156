"""The contract of a classifier: a request's text in, a guess which model should answer it out, or none."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar
from uuid import UUID

from jobs.aliases import merge_options
from lorakit.route.router import Guess
from serving.routing.document import RouterDocument, Target

Prompts = Mapping[str, Sequence[str]]
"""Prompts by the model that should get them."""


@dataclass(frozen=True, kw_only=True)
class Situation:
    """Where a classifier is asked. `revision` is the router's; `learnt` is what `read` made of what was learnt."""

    tenant_id: UUID
    router_id: UUID
    revision: int
    targets: tuple[Target, ...]
    judge: str = ""
    learnt: Any = None


class RouteClassifier(ABC):
    """One classifier. `is_quick` says whether an event loop can wait for it.

    It is built once and asked by several threads. No text may reach a log, or a cache in clear.
    """

    label: ClassVar[str]
    is_quick: ClassVar[bool] = False
    asks_judge: ClassVar[bool] = False
    options: ClassVar[dict[str, Any]] = {}

    def __init__(self, alias: str, options: dict[str, Any]) -> None:
        self.alias = alias
        self.settings = merge_options("ROUTE_CLASSIFIERS", alias, self.options, options)

    def refusal(self, document: RouterDocument) -> str:
        """Why it can't serve this router, for the person who writes it; empty if it can. In the tenant's scope."""
        return ""

    @abstractmethod
    def guess(self, text: str, situation: Situation) -> Guess | None:
        """The model for a text, always the same for the same text and situation. Never raises: None where it can't say.

        In the tenant's scope, unless it is quick.
        """


class CannotLearn(Exception):
    """Why, for the person who wrote the router. A later try may succeed."""


@dataclass(frozen=True, kw_only=True)
class Lesson:
    """What is kept of prompts, for `read`, and the guesses at those held out, in their order."""

    data: bytes
    guesses: Mapping[str, Sequence[Guess | None]]


class LearningClassifier(RouteClassifier):
    """One that learns from prompts before it is asked, from at most `most_learnt` of each model."""

    most_learnt: ClassVar[int] = 500

    @property
    def learns_with(self) -> str:
        """Names what reads the prompts; with another, everything has to be learnt again. Empty: nothing but this."""
        return ""

    @abstractmethod
    def learn(self, prompts: Prompts, held_out: Prompts) -> Lesson:
        """Learn to tell the models of `prompts` apart; `held_out` has prompts of these and of other models.

        Raises ValueError where there are too few prompts, CannotLearn.
        """

    @abstractmethod
    def read(self, data: bytes) -> Any:
        """What `learn` kept, ready to be asked. Raises ValueError."""
