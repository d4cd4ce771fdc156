"""Sends one prompt to a deployment and waits for the answer, for fingerprints and the playground."""

import time
from dataclasses import dataclass
from typing import Any

import httpx

from serving.backends.errors import EndpointError
from serving.backends.target import Target
from serving.backends.tls import trusted

TIMEOUT = httpx.Timeout(45.0, connect=2.0)


@dataclass(frozen=True, kw_only=True)
class Answer:
    """The answer; `busy_ms` is the endpoint's own time if it reports it, else the whole latency."""

    text: str
    prompt_tokens: int
    completion_tokens: int
    latency_ms: float
    busy_ms: float
    finish: str = "stop"


def ask(target: Target, messages: list[dict[str, str]], *, max_tokens: int | None = None) -> Answer:
    """The greedy answer to chat `messages`, whose last one is the user's; raises EndpointError."""
    body: dict[str, Any] = {"messages": messages, "temperature": 0}
    if max_tokens is not None:
        body["max_tokens"] = max_tokens
    started = time.perf_counter()
    response = _asked(target, body)
    latency_ms = (time.perf_counter() - started) * 1000
    if not response.is_success:
        raise _refusal(response, target)
    return _answer(response, latency_ms)


def _asked(target: Target, body: dict[str, Any]) -> httpx.Response:
    """The response of the first server that has the model. Raises EndpointError where none is there."""
    while True:
        call = target.call("/chat/completions", body)
        try:
            response = httpx.post(
                call.url, content=call.body, headers=call.headers, timeout=TIMEOUT, verify=trusted(), trust_env=False
            )
        except httpx.ReadTimeout as error:
            raise EndpointError("endpoint:timeout", "The response took too long.", temporary=True) from error
        except httpx.HTTPError as error:
            if target.has_another(was_away=True):
                continue
            raise EndpointError(
                "platform:endpoint_unreachable", "The endpoint is not responding.", temporary=True
            ) from error
        if response.status_code != 404 or not target.has_another(was_away=False):
            return response


def _answer(response: httpx.Response, latency_ms: float) -> Answer:
    try:
        document = response.json()
        choice, usage = document["choices"][0], document["usage"]
        return Answer(
            text=choice["message"]["content"] or "",
            prompt_tokens=usage["prompt_tokens"],
            completion_tokens=usage["completion_tokens"],
            latency_ms=latency_ms,
            busy_ms=float(response.headers.get("x-busy-ms", latency_ms)),
            finish=choice.get("finish_reason") or "stop",
        )
    except (ValueError, KeyError, TypeError, IndexError) as error:
        raise EndpointError(
            "platform:endpoint_answer", "The endpoint’s response is not an OpenAI completion.", temporary=False
        ) from error


def _refusal(response: httpx.Response, target: Target) -> EndpointError:
    told = target.refused(response.status_code, response.headers, response.content)
    if told.status == 404:
        return EndpointError("endpoint:not_deployed", "This model is not on the endpoint right now.", temporary=True)
    text = told.text or f"The endpoint returned status {told.status}."
    temporary = told.status >= 500 or told.status in (408, 429)
    return EndpointError("endpoint:refused", text.replace(target.model, "this model")[:500], temporary=temporary)
