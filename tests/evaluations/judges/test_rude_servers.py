"""Whatever a judge's server sends, it is a verdict or an error, in time and in little memory."""

import gzip
import json
import socket
import time
import tracemalloc
from collections.abc import Callable
from typing import Any

import pytest

from evaluations.judges.backends.base import Completion, Verdict
from evaluations.judges.backends.errors import JudgeError, Malformed, Rejected, TimedOut, Unavailable
from evaluations.judges.backends.openai import OpenAIJudge
from evaluations.judges.prompts import CORRECT, prompt_for
from tests.evaluations.judges.rude_server import Send, response, rude_server

SECONDS = 0.5
CHAT = [{"role": "user", "content": "Which shelf?"}]
PROMPT = prompt_for(CORRECT, messages=CHAT, reference="SHELF 1", answer="SHELF 1")
GOOD = '{"reason": "r", "score": 5}'
OK = b"HTTP/1.1 200 OK\r\n"


def chat(content: Any = GOOD, *, usage: Any = None, **choice: Any) -> bytes:
    return json.dumps({"choices": [{"message": {"content": content}, **choice}], "usage": usage}).encode()


def probable(log_probability: Any) -> dict[str, Any]:
    """Probabilities of a reply in one token for each of its parts."""
    parts = ('{"reason": "r", "score": ', "5", "}")
    tokens = [{"token": one, "logprob": log_probability, "top_logprobs": [
        {"token": one, "logprob": log_probability}]} for one in parts]  # fmt: skip
    return {"content": tokens}


def sends(*parts: bytes, again: bytes = b"", pause: float = 0.05) -> Send:
    """The parts, and then `again` for ever."""

    def send(connection: socket.socket) -> None:
        for part in parts:
            connection.sendall(part)
        while again:
            connection.sendall(again)
            time.sleep(pause)

    return send


def ask(url: str) -> Verdict:
    return judge_at(url).ask(PROMPT)


def complete(url: str) -> Completion:
    return judge_at(url).complete(CHAT, max_tokens=9)


def judge_at(url: str) -> OpenAIJudge:
    return OpenAIJudge("test", {"URL": url, "MODEL": "m", "API_KEY": "sk-1", "TIMEOUT_SECONDS": SECONDS})


both = pytest.mark.parametrize("call", [ask, complete])


@both
@pytest.mark.parametrize(
    "send",
    [
        sends(OK, again=b"X: y\r\n", pause=0.1),
        sends(OK + b"X: ", again=b"y", pause=0.1),
        sends(again=b"HTTP/1.1 103 Early Hints\r\n\r\n"),
        sends(OK + b"Content-Length: 99999\r\n\r\n", again=b" ", pause=0.1),
        sends(OK + b"Content-Length: 9\r\n\r\n", again=b"", pause=0.1),
    ],
    ids=["headers", "a header", "hints", "a body", "nothing"],
)
def test_one_that_never_ends_is_left(call: Callable[[str], object], send: Send) -> None:
    started = time.monotonic()
    with rude_server(send) as url, pytest.raises((TimedOut, Unavailable)):
        call(url)
    assert time.monotonic() - started < 20 * SECONDS


@both
@pytest.mark.parametrize(
    "send",
    [
        sends(OK + b"Content-Length: 2147483648\r\n\r\n", again=b"x" * 2**20, pause=0),
        sends(OK + b"Transfer-Encoding: chunked\r\n\r\n", again=b"100000\r\n" + b"x" * 2**20 + b"\r\n", pause=0),
        sends(response(gzip.compress(gzip.compress(bytes(2**26))), "Content-Encoding: gzip, gzip")),
    ],
    ids=["2 GB", "chunks", "packed twice"],
)
def test_one_that_sends_too_much_takes_little_memory(call: Callable[[str], object], send: Send) -> None:
    with rude_server(send) as url:
        tracemalloc.start()
        try:
            with pytest.raises(Malformed):
                call(url)
            assert tracemalloc.get_traced_memory()[1] < 16 * 2**20
        finally:
            tracemalloc.stop()


@both
@pytest.mark.parametrize(
    ("sent", "error"),
    [
        (response(b"", "Location: http://169.254.169.254/latest/", status="302 Found"), Rejected),
        (response(b"", "Location: http://10.0.0.1/", status="308 Moved"), Rejected),
        (response(b"<html>Welcome</html>", "Content-Type: text/html"), Malformed),
        (response(b"[" * 100_000), Malformed),
        (response(b'{"choices":' * 100_000), Malformed),
        (response(b'{"choices": ' + b"9" * 5000 + b"}"), Malformed),
        (response(b'{"choices": "x"}'), Malformed),
        (response(b'{"choices": [{"message": null}]}'), Malformed),
        (response(b"\xff\xfe\x00"), Malformed),
        (b"\x00\xff" * 1000, Unavailable),
        (b"", Unavailable),
        (response(b"", status="999 Odd"), Unavailable),
    ],
    ids=lambda value: str(value)[:40],
)
def test_what_is_no_reply_is_an_error(call: Callable[[str], object], sent: bytes, error: type[JudgeError]) -> None:
    with rude_server(sends(sent)) as url, pytest.raises(error):
        call(url)


@pytest.mark.parametrize("score", ["99", "NaN", "Infinity", "-1", "1e999", "5.5", "[" * 100_000])
def test_what_is_off_the_scale_is_no_grade(score: str) -> None:
    content = f'{{"reason": "r", "score": {score}}}'
    with rude_server(sends(response(chat(content)))) as url, pytest.raises(Malformed):
        ask(url)


@pytest.mark.parametrize("odd", [10**400, -(10**400), float("nan"), float("inf"), float("-inf"), "x", None, 1e308])
def test_odd_probabilities_say_nothing(odd: Any) -> None:
    with rude_server(sends(response(chat(logprobs=probable(odd))))) as url:
        assert ask(url).score == 5
        assert complete(url).log_probability is None


@pytest.mark.parametrize("odd", [10**30, -1, True, 1.5, "9", None, float("nan")])
def test_odd_counts_of_tokens_are_not_known(odd: Any) -> None:
    with rude_server(sends(response(chat(usage={"prompt_tokens": odd, "completion_tokens": 3})))) as url:
        for usage in (ask(url).usage, complete(url).usage):
            assert (usage.tokens_in, usage.tokens_out) == (None, 3)


def test_what_cannot_be_stored_is_replaced() -> None:
    with rude_server(sends(response(chat('{"reason": "a\\u0000b\\ud800", "score": 5}')))) as url:
        assert ask(url).reason == "a\ufffdb\ufffd"
    with rude_server(sends(response(chat("a\x00b\ud800")))) as url:
        assert complete(url).text == "a\ufffdb\ufffd"
        with pytest.raises(Malformed) as malformed:
            ask(url)
        assert malformed.value.raw == "a\ufffdb\ufffd"
    with rude_server(sends(response(b'{"error": {"message": "a\\u0000\\n\\nb\\ud800"}}', status="418 Tea"))) as url:
        with pytest.raises(Rejected) as rejected:
            ask(url)
        assert rejected.value.text.endswith("(status 418): a\ufffd b\ufffd")


def test_calls_with_odd_arguments_are_no_answer() -> None:
    call = {"function": {"name": "f", "arguments": "[" * 100_000}}
    message = {"choices": [{"message": {"content": "", "tool_calls": [call]}}]}
    with rude_server(sends(response(json.dumps(message).encode()))) as url, pytest.raises(Malformed):
        complete(url)


@pytest.mark.parametrize("value", ["1e999", "-inf", "nan", "Fri, 31 Dec 9999 23:59:59 -2359", "Mon, 01 Jan 0001", "x"])
def test_an_odd_time_to_wait_is_bounded(value: str) -> None:
    with (
        rude_server(sends(response(b"{}", f"Retry-After: {value}", status="429 Slow down"))) as url,
        pytest.raises(JudgeError) as raised,
    ):
        ask(url)
    assert raised.value.retry_after is None or 0 <= raised.value.retry_after <= 120
