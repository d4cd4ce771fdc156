"""A judge behind any server that speaks OpenAI's chat completions: OpenAI, Azure, vLLM, Ollama, llama.cpp.

It asks for a JSON schema and for token probabilities, and does without where the server refuses either.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, ClassVar
from urllib.parse import urlencode

from evaluations.judges.backends.base import Completion
from evaluations.judges.backends.chats import answer_of, log_probability_of, sent
from evaluations.judges.backends.errors import (
    CutOff,
    JudgeError,
    Malformed,
    Refused,
    Rejected,
    Throttled,
    TimedOut,
    Unauthorised,
    Unavailable,
)
from evaluations.judges.backends.posting import Response, post
from evaluations.judges.backends.replies import Token, distribution, parsed
from evaluations.judges.backends.sampling import Reply, SamplingJudge
from evaluations.judges.backends.usage import Usage
from evaluations.judges.prompts import Prompt
from evaluations.texts import storable
from tenants.outbound.destinations import Reach

TOP = 10
"""Alternatives for each token; servers allow 20 at most, some fewer."""

SHOWN = 300

MOST_TOKENS = 10_000_000
"""Of one call: a server that reports more is not believed."""

OPTIONAL: Mapping[str, tuple[str, ...]] = {
    "schema": ("response_format", "json_schema", "structured output"),
    "logprobs": ("logprobs",),
    "temperature": ("temperature",),
    "max_tokens": ("max_tokens", "max_completion_tokens"),
}
"""What a server may refuse, by the words with which it does."""


class OpenAIJudge(SamplingJudge):
    """`URL` ends before `/chat/completions`. With `API_VERSION` it is Azure's, whose key has a header of its own."""

    options: ClassVar[dict[str, Any]] = {
        **SamplingJudge.options,
        "URL": "",
        "API_KEY": "",
        "API_VERSION": "",
        "REACH": Reach.ANY,
    }

    def __init__(self, alias: str, options: dict[str, Any]) -> None:
        super().__init__(alias, options)
        if not self.settings["URL"]:
            raise ValueError(f"JUDGES[{alias!r}] names no URL")
        # What the server has refused so far. Threads may add to it at once; a lost addition is only asked again.
        self._refused: frozenset[str] = frozenset()

    def reply(self, prompt: Prompt) -> Reply:
        return self._read(self._exchange(partial(self.body, prompt)), prompt)

    def complete(
        self, messages: Sequence[Mapping[str, Any]], tools: Sequence[Mapping[str, Any]] = (), *, max_tokens: int
    ) -> Completion:
        """The model's own greedy answer to a chat, as `lorakit.rows` has it. Raises JudgeError.

        An answer that declines, or is cut off, is an answer.
        """
        started = time.perf_counter()
        try:
            document = self._exchange(partial(self._chat, messages, tools, max_tokens))
            usage = _usage(document.get("usage"))
            try:
                choice = document["choices"][0]
                text = answer_of(choice["message"])
            except (KeyError, IndexError, TypeError, AttributeError, ValueError, RecursionError):
                raise Malformed("The server did not respond with a chat completion.", usage=usage) from None
        except JudgeError as error:
            error.usage = self._charged(error.usage, started)
            raise
        return Completion(text=text, log_probability=log_probability_of(choice), usage=self._charged(usage, started))

    def _exchange(self, body: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        """The server's document, without optional parts that it turns out to refuse. `body` is made for each try."""
        for _ in OPTIONAL:
            response = self._post(body())
            refused = self._newly_refused(response)
            if refused is None:
                break
            self._refused |= {refused}
        else:
            response = self._post(body())
        if response.status != 200:
            raise self._failure(response)
        return response.document()

    def _chat(
        self, messages: Sequence[Mapping[str, Any]], tools: Sequence[Mapping[str, Any]], max_tokens: int
    ) -> dict[str, Any]:
        body: dict[str, Any] = {
            "model": self.settings["MODEL"],
            "messages": [sent(message) for message in messages],
            "max_completion_tokens" if "max_tokens" in self._refused else "max_tokens": max_tokens,
        }
        if "temperature" not in self._refused:
            body["temperature"] = 0
        if "logprobs" not in self._refused:
            body["logprobs"] = True
        return body | ({"tools": list(tools)} if tools else {})

    def body(self, prompt: Prompt) -> dict[str, Any]:
        """The request's body, without what the server refused before."""
        refused = self._refused
        body: dict[str, Any] = {
            "model": self.settings["MODEL"],
            "messages": [{"role": "system", "content": prompt.system}, {"role": "user", "content": prompt.user}],
            # OpenAI's newer models refuse the older name, and other servers know only that one.
            "max_completion_tokens" if "max_tokens" in refused else "max_tokens": self.settings["MAX_TOKENS"],
        }
        if "temperature" not in refused:
            body["temperature"] = self.settings["TEMPERATURE"]
        if "schema" not in refused:
            schema = {"name": "verdict", "strict": True, "schema": prompt.schema}
            body["response_format"] = {"type": "json_schema", "json_schema": schema}
        if "logprobs" not in refused:
            body |= {"logprobs": True, "top_logprobs": TOP}
        return body

    def _post(self, body: dict[str, Any]) -> Response:
        key, version = self.settings["API_KEY"], self.settings["API_VERSION"]
        headers = {"api-key": key} if version else {"Authorization": f"Bearer {key}"}
        query = f"?{urlencode({'api-version': version})}" if version else ""
        return post(
            f"{self.settings['URL'].rstrip('/')}/chat/completions{query}",
            body,
            headers=headers if key else {},
            seconds=self.settings["TIMEOUT_SECONDS"],
            reach=self.settings["REACH"],
        )

    def _newly_refused(self, response: Response) -> str | None:
        """The optional part that the server refuses with this response."""
        if response.status not in (400, 422, 501):
            return None
        text = response.body.decode("utf-8", "replace").lower()
        for part, words in OPTIONAL.items():
            if part not in self._refused and any(word in text for word in words):
                return part
        return None

    def _failure(self, response: Response) -> JudgeError:
        status, said = response.status, self._said(response)
        if status in (401, 403):
            return Unauthorised("The judge’s server refused the secret, or it may not use this model.")
        if status == 429:
            if "insufficient_quota" in said:
                return Unauthorised("The judge’s account has no credit left.")
            return Throttled("The judge’s server limits requests.", retry_after=response.retry_after)
        if status in (408, 504):
            return TimedOut("The judge’s server took too long.", retry_after=response.retry_after)
        if status >= 500:
            return Unavailable(
                f"The judge’s server returned an error (status {status}).", retry_after=response.retry_after
            )
        if "content_filter" in said:
            return Refused("A content filter of the judge’s server declined the prompt.")
        if "context_length" in said or "context length" in said:
            return CutOff("The prompt is longer than the judge’s model allows.")
        return Rejected(f"The judge’s server refused the request (status {status}): {said or 'without a reason'}")

    def _said(self, response: Response) -> str:
        """The server's code and message, short and without the secret."""
        try:
            error = response.document().get("error")
        except Malformed:
            return ""
        parts = [error.get("code"), error.get("message")] if isinstance(error, dict) else [error]
        text = " ".join(part for part in parts if isinstance(part, str))
        return storable(self._without_secret(" ".join(text.split())))[:SHOWN]

    def _without_secret(self, text: str) -> str:
        key = self.settings["API_KEY"]
        return text.replace(key, "…") if key else text

    def _read(self, document: dict[str, Any], prompt: Prompt) -> Reply:
        usage = _usage(document.get("usage"))
        try:
            choice = document["choices"][0]
            message, finish = choice["message"], choice.get("finish_reason")
            text, refusal = message.get("content"), message.get("refusal")
        except (KeyError, IndexError, TypeError, AttributeError):
            raise Malformed("The judge’s server did not respond with a chat completion.", usage=usage) from None
        if refusal or finish == "content_filter":
            raise Refused("The judge’s model declined to grade.", usage=usage)
        if finish == "length":
            raise CutOff("The judge’s reply was cut off. Allow it more tokens.", usage=usage)
        if not isinstance(text, str):
            raise Malformed("The judge’s reply has no text.", usage=usage)
        text = storable(text)
        try:
            found = parsed(text, prompt)
        except JudgeError as error:
            error.usage = usage
            raise
        weights = distribution(_tokens(choice), prompt)
        return Reply(parsed=replace(found, distribution=weights), raw=text, usage=usage)


def _tokens(choice: dict[str, Any]) -> list[Token]:
    """The reply's tokens; empty if the server sent no probabilities, or in another form."""
    try:
        return [
            Token(
                text=str(token["token"]),
                alternatives=[(str(one["token"]), float(one["logprob"])) for one in token["top_logprobs"]],
            )
            for token in choice["logprobs"]["content"]
        ]
    except (KeyError, TypeError, ValueError, OverflowError):
        return []


def _usage(reported: Any) -> Usage:
    if not isinstance(reported, dict):
        return Usage(tokens_in=None, tokens_out=None)
    counts = [reported.get(name) for name in ("prompt_tokens", "completion_tokens")]
    known = [count if type(count) is int and 0 <= count <= MOST_TOKENS else None for count in counts]
    return Usage(tokens_in=known[0], tokens_out=known[1])


class GatewayJudge(OpenAIJudge):
    """A model on our own endpoint, asked through the gateway with an API key of the organisation.

    The gateway lets a key ask only its own organisation's models, and meters what it asks.
    """
