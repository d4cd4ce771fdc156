"""Where a request for one model goes, and how it is put there."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

import msgspec

JSON = {"content-type": "application/json"}
FAIRNESS_HEADER = "x-gateway-inference-fairness-id"
"""The name that the Gateway API's inference extension gives it."""

Decoder = Callable[[bytes], bytes]
"""From the bytes of a streamed answer as they come to those of server-sent events. Raises EndpointError."""


@dataclass(frozen=True, kw_only=True)
class Call:
    """A POST request, ready to be sent."""

    url: str
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True, kw_only=True)
class Refused:
    """What an endpoint's error says, with the HTTP status that an OpenAI-compatible server would give it."""

    status: int
    text: str = ""
    code: str = ""
    param: str | None = None
    retry_after: int | None = None


class Target(ABC):
    """One model at one endpoint. `model` is the endpoint's own name for it, which callers must not see.

    Nothing here talks to anybody, but a target that `may_wait` may fetch credentials when it makes a call. One that
    `may_repeat` bills no request, so a call that was lost may be made again.
    """

    model: str
    may_wait: ClassVar[bool] = False
    may_repeat: ClassVar[bool] = False

    @abstractmethod
    def call(self, path: str, document: Mapping[str, Any], *, request_id: str = "", tenant: str = "") -> Call:
        """A request as OpenAI's API has it: `path` is `/chat/completions` or `/completions`, `document` its body.

        The model is this target's, whatever `document` says. A server that shares its work among tenants goes by
        `tenant`.
        """

    def has_another(self, *, was_away: bool) -> bool:
        """After a call that found nobody, or no such adapter: whether the next call goes to a server not asked yet."""
        return False

    @abstractmethod
    def cancelling(self, request_id: str) -> Call | None:
        """What makes the endpoint send what it has of an answer; None if it can't."""

    @abstractmethod
    def refused(self, status: int, headers: Mapping[str, str], body: bytes) -> Refused:
        """What an unsuccessful response means."""

    def component(self) -> tuple[str, str] | None:
        """The endpoint and the inference component by which AWS's own clients reach it; None outside SageMaker."""
        return None

    def decoder(self) -> Decoder:
        """For the bytes of one streamed answer."""
        return bytes


@dataclass(frozen=True, kw_only=True)
class OpenAITarget(Target):
    """A model of an OpenAI-compatible server; `url` ends in /v1."""

    url: str
    model: str
    headers: dict[str, str] = field(default_factory=dict)
    may_repeat: ClassVar[bool] = True

    def call(self, path: str, document: Mapping[str, Any], *, request_id: str = "", tenant: str = "") -> Call:
        named = {"x-request-id": request_id, FAIRNESS_HEADER: tenant}
        named = {name: value for name, value in named.items() if value}
        body = msgspec.json.encode({**document, "model": self.model})
        return Call(url=f"{self.url}{path}", headers={**self.headers, **JSON, **named}, body=body)

    def cancelling(self, request_id: str) -> Call | None:
        return Call(url=f"{self.url}/requests/{request_id}/cancel", headers=self.headers, body=b"")

    def refused(self, status: int, headers: Mapping[str, str], body: bytes) -> Refused:
        wait = headers.get("retry-after", "")
        return read_refusal(status, body, retry_after=int(wait) if wait.isdecimal() else None)


def read_refusal(status: int, body: bytes, *, retry_after: int | None = None) -> Refused:
    """An error in OpenAI's shape, as far as its parts are there."""
    try:
        document = msgspec.json.decode(body)
        error = document.get("error", document)
        param = error.get("param")
        return Refused(
            status=status,
            text=str(error.get("message") or ""),
            code=str(error.get("code") or ""),
            param=str(param) if param else None,
            retry_after=retry_after,
        )
    except (ValueError, RecursionError, AttributeError):
        return Refused(status=status, retry_after=retry_after)
