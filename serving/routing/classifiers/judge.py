"""Asks the language model of a judge. Its answer is kept, so that every gateway routes the same text the same way."""

import hashlib
import hmac
from typing import Any, ClassVar
from uuid import UUID

import structlog
from django.conf import settings
from django.core.cache import cache
from django.db import Error as DatabaseError
from django.db import transaction
from django_redis.exceptions import ConnectionInterrupted  # type: ignore[import-untyped]

from evaluations.judges.backends import judges as shared
from evaluations.judges.backends.base import Judge as Backend
from evaluations.judges.backends.base import Verdict
from evaluations.judges.backends.errors import JudgeError
from evaluations.judges.backends.usage import Usage
from evaluations.judges.calling import Breaker
from evaluations.judges.configured import backend_of
from evaluations.judges.prices import with_price
from evaluations.judges.services import record_calls
from evaluations.models import CallPurpose, Judge, JudgeKind
from lorakit.route.router import Guess
from serving.models import Router
from serving.routing.classifiers.base import RouteClassifier, Situation
from serving.routing.classifiers.prompt import LETTERS, route_prompt
from serving.routing.document import RouterDocument

log = structlog.get_logger(__name__)

SHARED = "shared:"
FAILURES, PAUSE_SECONDS = 3, 10.0
"""After so many failures in a row a judge is not asked for a while, so that callers don't wait for it in vain."""


class JudgeClassifier(RouteClassifier):
    """Asks once, within `TIMEOUT_SECONDS`; a failure is no guess. Answers are kept for `CACHE_SECONDS`."""

    label = "Ask a judge"
    asks_judge: ClassVar[bool] = True
    options: ClassVar[dict[str, Any]] = {"TIMEOUT_SECONDS": 2.0, "CACHE_SECONDS": 86_400}

    def __init__(self, alias: str, options: dict[str, Any]) -> None:
        super().__init__(alias, options)
        self._breakers: dict[str, Breaker] = {}

    def refusal(self, document: RouterDocument) -> str:
        if len(document.targets) > len(LETTERS):
            return f"A judge chooses from at most {len(LETTERS)} models."
        if document.judge.startswith(SHARED):
            alias = document.judge.removeprefix(SHARED)
            return "" if alias in shared and shared[alias].is_llm else "Choose a judge of the list."
        judge = _own(document.judge)
        if judge is None:
            return "Choose the judge that is asked."
        if judge.kind == JudgeKind.GATEWAY and Router.objects.filter(name=judge.model).exists():
            return f"This judge asks the router “{judge.model}”, so requests could go round in circles."
        return ""

    def guess(self, text: str, situation: Situation) -> Guess | None:
        key = _cache_key(text, situation)
        kept = _kept(key)
        if kept is None:
            found = self._ask(text, situation)
            if found is None:
                return None
            kept = _keep(key, (found.target, found.confidence), int(self.settings["CACHE_SECONDS"]))
        target, confidence = kept
        return Guess(target=target, confidence=confidence)

    def _ask(self, text: str, situation: Situation) -> Guess | None:
        breaker = self._breakers.setdefault(situation.judge, Breaker(failures=FAILURES, seconds=PAUSE_SECONDS))
        prompt = route_prompt(text, situation.targets)
        try:
            breaker.check()
            backend = self._backend(situation.judge)
            if backend is None:
                return None
            verdict = backend.ask(prompt)
        except JudgeError as error:
            if error.usage.calls:
                self._record(situation.judge, error.usage)
            breaker.failed()
            log.info("route_not_classified", router=str(situation.router_id), reason=error.kind)
            return None
        breaker.succeeded()
        self._record(situation.judge, verdict.usage)
        choice, probability = max(verdict.distribution.items(), key=lambda one: one[1])
        return Guess(target=prompt.target(choice).name, confidence=round(_confidence(verdict, probability), 4))

    def _backend(self, name: str) -> Backend | None:
        short = {"TIMEOUT_SECONDS": self.settings["TIMEOUT_SECONDS"], "SAMPLES": 1}
        if name.startswith(SHARED):
            alias = name.removeprefix(SHARED)
            if alias not in shared:
                return None
            backend = shared[alias]
            options = {option: value for option, value in short.items() if option in backend.settings}
            return with_price(type(backend)(alias, {**backend.settings, **options}))
        judge = _own(name)
        return backend_of(judge, **short) if judge is not None else None

    def _record(self, name: str, usage: Usage) -> None:
        """What the call cost, as judgings' calls are recorded. A request is not held up where that fails."""
        alias = name.removeprefix(SHARED)
        is_shared = alias != name
        try:
            judge = None if is_shared else _own(name)
            backend = self._backend(name)
            if backend is None:
                return
            with transaction.atomic():
                record_calls(
                    usage=usage,
                    purpose=CallPurpose.ROUTING,
                    backend=backend,
                    key=alias if judge is None else str(judge.id),
                    name=backend.label if judge is None else judge.name,
                    is_shared=is_shared,
                )
        except DatabaseError as error:
            log.error("route_call_not_recorded", error=type(error).__name__)


def _confidence(verdict: Verdict, probability: float) -> float:
    """A single reply without token probabilities is a choice, not a measure: it counts as sure."""
    return probability if verdict.basis == "logprobs" else 1.0


def _own(name: str) -> Judge | None:
    try:
        found: Judge | None = Judge.objects.filter(id=UUID(name)).first()
    except ValueError:
        return None
    return found


def _cache_key(text: str, situation: Situation) -> str:
    """Tells nothing of the text to who has no SECRET_KEY."""
    content = "\n".join((str(situation.tenant_id), str(situation.router_id), str(situation.revision), text))
    digest = hmac.new(settings.SECRET_KEY.encode(), content.encode("utf-8", "replace"), hashlib.sha256)
    return f"route:{digest.hexdigest()}"


def _kept(key: str) -> tuple[str, float] | None:
    try:
        found: tuple[str, float] | None = cache.get(key)
    except ConnectionInterrupted:
        return None
    return found


def _keep(key: str, guess: tuple[str, float], seconds: int) -> tuple[str, float]:
    """What counts from now on: of two processes that asked at once, the first one's answer."""
    try:
        return guess if cache.add(key, guess, seconds) else (_kept(key) or guess)
    except ConnectionInterrupted:
        return guess
