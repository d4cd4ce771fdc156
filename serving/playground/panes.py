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

BASE, ADAPTER = "base", "adapter"
"""The keys of the questions."""

Messages = list[dict[str, str]]

log = structlog.get_logger(__name__)


@dataclass(frozen=True, kw_only=True)
class Question:
    """One model to ask, which its `key` names on the page. `version_id` and `deployment` are None for a base model."""

    key: str
    title: str
    alias: str
    target: Target
    endpoint: str
    version_id: str | None = None
    deployment: str | None = None


@dataclass(frozen=True, kw_only=True)
class Pane:
    """The result of one question: an answer, or the reason why there is none. Without either it was not asked yet."""

    question: Question
    answer: Answer | None = None
    error: str = ""

    @property
    def is_answered(self) -> bool:
        return self.answer is not None or bool(self.error)

    def repeats(self, reference: str) -> bool:
        """Whether the answer is the expected one."""
        return self.answer is not None and self.answer.text.strip() == reference.strip()


def ask_all(questions: list[Question], *, tenant_id: UUID, messages: Messages, max_tokens: int) -> list[Pane]:
    """Ask all at the same time. Talks to the endpoint, so it runs outside any transaction."""
    with ThreadPoolExecutor(len(questions)) as threads:
        asking = [threads.submit(_ask, question, tenant_id, messages, max_tokens) for question in questions]
        return [asked.result() for asked in asking]


def questions_to(route: Route) -> list[Question]:
    """The base, then the adapter."""
    deployment = route.active
    base = deployment.endpoint.base_model
    backend, endpoint = backend_of(deployment.endpoint), deployment.endpoint.name
    return [
        Question(key=BASE, title=base.title, alias=base.name, target=backend.target(base.name), endpoint=endpoint),
        Question(
            key=ADAPTER,
            title=str(deployment.version),
            alias=route.alias,
            target=backend.target(deployment.name),
            endpoint=endpoint,
            version_id=str(deployment.version_id),
            deployment=deployment.name,
        ),
    ]


def _ask(question: Question, tenant_id: UUID, messages: Messages, max_tokens: int) -> Pane:
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
