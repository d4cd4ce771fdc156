"""Sends the same prompt to base model and adapter, and records both as usage as the gateway does."""

import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from uuid import UUID

import structlog
from django.conf import settings

from lorakit.contracts import InvocationRecord
from serving.backends.errors import EndpointError
from serving.backends.target import Target
from serving.endpoints.asking import Answer, ask
from serving.endpoints.queries import backend_of
from serving.gateway.ledger import Ledger
from serving.models import Route

log = structlog.get_logger(__name__)


@dataclass(frozen=True, kw_only=True)
class Question:
    """One model to ask. `version_id` and `deployment` are None for a base model."""

    title: str
    alias: str
    target: Target
    endpoint: str
    version_id: str | None = None
    deployment: str | None = None


@dataclass(frozen=True, kw_only=True)
class Pane:
    """The result of one question: an answer, or the reason why there is none."""

    question: Question
    answer: Answer | None = None
    error: str = ""

    def repeats(self, reference: str) -> bool:
        """Whether the answer is the expected one."""
        return self.answer is not None and self.answer.text.strip() == reference.strip()


def ask_both(*, route: Route, messages: list[dict[str, str]], max_tokens: int) -> list[Pane]:
    """The base's pane, then the adapter's. Talks to the endpoint, so it runs outside any transaction."""
    questions = _questions(route)
    with ThreadPoolExecutor(len(questions)) as threads:
        return list(threads.map(lambda q: _ask(q, route.tenant_id, messages, max_tokens), questions))


def _questions(route: Route) -> list[Question]:
    deployment = route.active
    base = deployment.endpoint.base_model
    backend, endpoint = backend_of(deployment.endpoint), deployment.endpoint.name
    return [
        Question(title=base.title, alias=base.name, target=backend.target(base.name), endpoint=endpoint),
        Question(
            title=str(deployment.version),
            alias=route.alias,
            target=backend.target(deployment.name),
            endpoint=endpoint,
            version_id=str(deployment.version_id),
            deployment=deployment.name,
        ),
    ]


def _ask(question: Question, tenant_id: UUID, messages: list[dict[str, str]], max_tokens: int) -> Pane:
    at, started = time.time(), time.perf_counter()
    try:
        pane = Pane(question=question, answer=ask(question.target, messages, max_tokens=max_tokens))
        status, code = 200, ""
    except EndpointError as error:
        pane = Pane(question=question, error=error.text)
        status, code = 503 if error.temporary else 400, error.code
    answer = pane.answer
    record = InvocationRecord(
        request_id=f"play-{uuid.uuid4().hex}",
        at=at,
        tenant_id=str(tenant_id),
        key_id="",
        alias=question.alias,
        version_id=question.version_id,
        deployment=question.deployment,
        status=status,
        error_code=code,
        prompt_tokens=answer.prompt_tokens if answer else 0,
        completion_tokens=answer.completion_tokens if answer else 0,
        latency_ms=round((time.perf_counter() - started) * 1000, 3),
        first_token_ms=None,
        busy_ms=round(answer.busy_ms, 3) if answer else 0.0,
        streamed=False,
        endpoint=question.endpoint,
    )
    try:
        _ledger().append(record)
    except OSError as error:
        log.error("ledger_not_written", error=error.strerror)
        return Pane(question=question, error="The request can’t be recorded right now. Try again in a few seconds.")
    return pane


@cache
def _ledger() -> Ledger:
    return Ledger(settings.LEDGER_DIR, writer="playground")
