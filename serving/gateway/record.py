"""What is written down of one request, gathered while it runs."""

import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from lorakit.contracts import InvocationRecord
from lorakit.route.header import route_header
from lorakit.route.router import Decision
from serving.gateway.database import Caller, Model

CLIENT_CLOSED = 499


@dataclass(frozen=True, kw_only=True)
class Routed:
    """What a router decided about a request. It holds no text of the caller's, nor of the rule."""

    router: str
    revision: int
    decision: Decision
    rule_id: str

    def header(self) -> str:
        """What the caller is told."""
        return route_header(self.router, self.revision, self.decision)


@dataclass(kw_only=True)
class Tally:
    """A request under way: begins when it arrives, becomes a record when it ends.

    `said` gathers the answer's text where `other` is to be asked the same.
    """

    caller: Caller
    request_id: str = field(default_factory=lambda: f"req-{uuid.uuid4().hex}")
    at: float = field(default_factory=time.time)
    started: float = field(default_factory=time.perf_counter)
    asked: float | None = None
    """When the endpoint was asked; None while it does not have the request."""
    model: Model | None = None
    streamed: bool = False
    status: int = CLIENT_CLOSED
    error_code: str = "client_closed"
    prompt_tokens: int = 0
    completion_tokens: int = 0
    first_token_ms: float | None = None
    busy_ms: float | None = None
    queue_ms: float | None = None
    cold_start: bool = False
    cached_tokens: int = 0
    trial_id: str | None = None
    caller_mark: str = ""
    failed_over: bool = False
    routed: Routed | None = None
    other: Model | None = None
    said: list[str] | None = None

    def elapsed_ms(self) -> float:
        """Milliseconds since the request arrived."""
        return (time.perf_counter() - self.started) * 1000

    def waited_ms(self) -> float:
        """Milliseconds since the endpoint was asked, 0 where it does not have the request."""
        return 0.0 if self.asked is None else (time.perf_counter() - self.asked) * 1000

    def count(self, usage: Any) -> None:
        """Take over an answer's `usage`."""
        if isinstance(usage, dict):
            self.prompt_tokens = int(usage.get("prompt_tokens") or 0)
            self.completion_tokens = int(usage.get("completion_tokens") or 0)
            details = usage.get("prompt_tokens_details")
            if isinstance(details, dict):
                self.cached_tokens = min(int(details.get("cached_tokens") or 0), self.prompt_tokens)

    def take_times(self, told: Mapping[str, Any]) -> None:
        """Take over what the endpoint says of its own times: a header or an event's field for each."""
        if told.get("busy_ms") is not None:
            self.busy_ms = float(told["busy_ms"])
        if told.get("queue_ms") is not None:
            self.queue_ms = float(told["queue_ms"])
        self.cold_start = bool(int(told.get("cold_start") or 0))

    def end(self, status: int, error_code: str = "") -> None:
        """Say how the request ended."""
        self.status, self.error_code = status, error_code

    def record(self) -> InvocationRecord:
        """The line for the ledger. An endpoint that does not tell its own time was busy as long as we waited."""
        latency_ms = self.elapsed_ms()
        waited_ms = self.waited_ms() if self.status < 400 or self.completion_tokens else 0.0
        return InvocationRecord(
            request_id=self.request_id,
            at=self.at,
            tenant_id=str(self.caller.tenant_id),
            key_id=str(self.caller.key_id),
            # A name that is nobody's is not kept: it is the caller's own text.
            alias=self.model.alias if self.model else "",
            version_id=self.model.version_id if self.model else None,
            deployment=self.model.deployment if self.model else None,
            status=self.status,
            error_code=self.error_code,
            prompt_tokens=self.prompt_tokens,
            completion_tokens=self.completion_tokens,
            latency_ms=round(latency_ms, 3),
            first_token_ms=None if self.first_token_ms is None else round(self.first_token_ms, 3),
            busy_ms=round(waited_ms if self.busy_ms is None else self.busy_ms, 3),
            streamed=self.streamed,
            endpoint=self.model.endpoint if self.model and self.asked is not None else "",
            cached_tokens=self.cached_tokens,
            queue_ms=None if self.queue_ms is None else round(self.queue_ms, 3),
            cold_start=self.cold_start,
            trial_id=self.trial_id,
            caller=self.caller_mark,
            failed_over=self.failed_over,
            router=self.routed.router if self.routed else "",
            routed_by=self.routed.decision.by if self.routed else "",
            rule_id=self.routed.rule_id if self.routed else "",
        )
