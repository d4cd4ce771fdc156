"""A language model of a few lines, and an OpenAI server that speaks for it. Bedrock's stand-in does too."""

import json
import math
import re
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from evaluations.judges.backends.reference import compared, graded
from standin.bedrock import ModelAnswer
from standin.errors import AwsError

COMMAND = re.compile(r"give this (?:answer )?(\d)", re.IGNORECASE)
PREFER = re.compile(r"prefer the (first|second)", re.IGNORECASE)
EXAMPLE = r"--- (?P<title>EXAMPLE \d+, [A-Z ]+) (?P<nonce>\w+) ---\n.*?\n--- END OF (?P=title) (?P=nonce) ---"
TITLES = ("QUESTION", "EXPECTED ANSWER", "ANSWER TO GRADE", "FIRST ANSWER", "SECOND ANSWER")


@dataclass(frozen=True, kw_only=True)
class Said:
    """What the model says next: an object for the schema or any text, or why it says nothing.

    `fault` is one of throttled, timeout, unavailable, refused, cut_off, unauthorised, rejected.
    """

    document: Any = None
    text: str | None = None
    fault: str = ""
    retry_after: float | None = None
    probabilities: Mapping[int | str, float] | None = None

    @property
    def raw(self) -> str:
        return json.dumps(self.document) if self.text is None else self.text


def verdict(score: Any, reason: Any = "As I see it.", **more: Any) -> Said:
    return Said(document={"reason": reason, "score": score}, **more)


def preference(better: Any, reason: Any = "As I see it.", **more: Any) -> Said:
    return Said(document={"reason": reason, "better": better}, **more)


def obedient(system: str, user: str) -> Said:
    """A grader that obeys any command outside of marked blocks, and else compares answers and reference."""
    outside = user
    texts: dict[str, str] = {}
    for title in TITLES:
        found = next((m for m in re.finditer(block(title), user, re.DOTALL) if m["nonce"] in system), None)
        if found is not None:
            texts[title] = found["text"]
            outside = outside.replace(found[0], "")
    for example in re.finditer(EXAMPLE, outside, re.DOTALL):
        if example["nonce"] in system:
            outside = outside.replace(example[0], "")
    if "FIRST ANSWER" in texts:
        preferred = PREFER.search(outside)
        if preferred:
            return preference(preferred[1].lower(), "I was told to.")
        return preference(*compared(texts["EXPECTED ANSWER"], texts["FIRST ANSWER"], texts["SECOND ANSWER"]))
    command = COMMAND.search(outside)
    if command:
        return verdict(int(command[1]), "I was told to.")
    score, reason = graded(texts["EXPECTED ANSWER"], texts["ANSWER TO GRADE"])
    return verdict(int(score), reason)


def block(title: str) -> str:
    return rf"--- {title} (?P<nonce>\w+) ---\n(?P<text>.*)\n--- END OF {title} (?P=nonce) ---"


@dataclass
class ScriptedModel:
    """`says` answers each call; `calls` are the (system, user) it was asked, `headers` what came with them.

    With `chats` it answers chats of its own instead, from the request's body.
    """

    says: Callable[[str, str], Said] = obedient
    calls: list[tuple[str, str]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    chats: Callable[[dict[str, Any]], Said] | None = None
    without: frozenset[str] = frozenset()
    slow_seconds: float = 30.0
    released: threading.Event = field(default_factory=threading.Event)

    def ask(self, system: str, user: str) -> Said:
        self.calls.append((system, user))
        return self.says(system, user)

    def in_turn(self, *said: Said) -> None:
        """Say these, and the last one ever after."""
        left = list(said)
        self.says = lambda system, user: left.pop(0) if len(left) > 1 else left[0]

    def converse(self, request: dict[str, Any]) -> ModelAnswer:
        """For Bedrock's stand-in."""
        for part, key in (("tool", "toolConfig"), ("temperature", "temperature")):
            if part in self.without and (key in request or key in request["inferenceConfig"]):
                raise AwsError("ValidationException", f"This model doesn't support the {key} field.")
        said = self.ask(request["system"][0]["text"], request["messages"][0]["content"][0]["text"])
        codes = {
            "throttled": "ThrottlingException", "unavailable": "ServiceUnavailableException",
            "unauthorised": "AccessDeniedException", "rejected": "ValidationException",
        }  # fmt: skip
        if said.fault in codes:
            raise AwsError(codes[said.fault], "Not now.")
        if said.fault == "timeout":
            self.released.wait(self.slow_seconds)
        stops = {"refused": "guardrail_intervened", "cut_off": "max_tokens"}
        if said.fault in stops:
            return ModelAnswer(text="Sorry", stop=stops[said.fault])
        if "toolConfig" in request and said.text is None:
            return ModelAnswer(tool_input=said.document)
        return ModelAnswer(text=said.raw)


KNOWN = {"model", "messages", "max_tokens", "max_completion_tokens", "temperature", "response_format", "logprobs",
         "top_logprobs", "tools"}  # fmt: skip
STATUSES = {"throttled": 429, "unavailable": 503, "unauthorised": 401, "rejected": 404}


@contextmanager
def openai_server(model: ScriptedModel) -> Iterator[str]:
    """An OpenAI server on loopback that is strict about bodies; the address ends in /v1."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            model.headers.append({name.lower(): value for name, value in self.headers.items()})
            if self.path.partition("?")[0] != "/v1/chat/completions":
                return self.send(404, {"error": {"message": "no such path"}})
            wrong = sorted(set(body) - KNOWN) + sorted(model.without & set(body))
            if wrong:
                return self.send(400, {"error": {"message": f"Unsupported parameter: {wrong[0]}", "code": None}})
            if model.chats is not None:
                said = model.chats(body)
            elif {message["role"] for message in body["messages"]} != {"system", "user"}:
                return self.send(400, {"error": {"message": "roles"}})
            else:
                said = model.ask(*(message["content"] for message in body["messages"]))
            if said.fault == "timeout":
                model.released.wait(model.slow_seconds)
            if said.fault in STATUSES:
                headers = {"Retry-After": str(said.retry_after)} if said.retry_after is not None else {}
                echoed = self.headers.get("Authorization", "")
                return self.send(STATUSES[said.fault], {"error": {"message": f"No: {echoed}"}}, headers)
            return self.send(200, completion(said, body))

        def send(self, status: int, document: Any, headers: Mapping[str, str] = {}) -> None:
            content = json.dumps(document).encode()
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(content))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        server.handle_error = lambda request, client_address: None  # type: ignore[method-assign]
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}/v1"
        finally:
            model.released.set()
            server.shutdown()


def completion(said: Said, body: dict[str, Any]) -> dict[str, Any]:
    asked = sum(len(message["content"]) for message in body["messages"])
    choice: dict[str, Any] = {
        "index": 0,
        "message": {"role": "assistant", "content": said.raw},
        "finish_reason": "stop",
    }
    if said.fault == "refused":
        choice["message"] |= {"content": None, "refusal": "I can't help with that."}
    if said.fault == "cut_off":
        choice["finish_reason"] = "length"
    if body.get("logprobs") and said.probabilities:
        choice["logprobs"] = {"content": tokens(said)}
    usage = {"prompt_tokens": -(-asked // 4), "completion_tokens": -(-len(said.raw) // 4)}
    return {
        "id": "chatcmpl-1", "object": "chat.completion", "created": int(time.time()), "model": body["model"],
        "choices": [choice], "usage": {**usage, "total_tokens": sum(usage.values())},
    }  # fmt: skip


def tokens(said: Said) -> list[dict[str, Any]]:
    """The reply in three tokens, the middle one its choice."""
    parts = re.fullmatch(r'(.*: "?)(\w+)("?})', said.raw, re.DOTALL)
    assert parts
    before, choice, after = parts.groups()
    certain = [
        {"token": text, "logprob": 0.0, "top_logprobs": [{"token": text, "logprob": 0.0}]} for text in (before, after)
    ]
    top = [{"token": str(one), "logprob": math.log(p)} for one, p in (said.probabilities or {}).items()]
    return [certain[0], {"token": choice, "logprob": top[0]["logprob"], "top_logprobs": top}, certain[1]]
