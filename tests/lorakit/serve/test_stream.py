"""When the first event of a stream is sent, which decides until when a request may be repeated."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

from lorakit.base import load_tokenizer
from lorakit.serve.answers.replies import Choice, Reply, Spelling
from lorakit.serve.requests.protocol import parse_ask
from lorakit.serve.server import stream_events
from tests.lorakit.conftest import BASE

REPLY = Reply(id="chatcmpl-1", model="legal", fingerprint="f", chat=True, spelling=Spelling(load_tokenizer(BASE)))
ASK = parse_ask(
    json.dumps({"model": "legal", "messages": [{"role": "user", "content": "Hi"}], "stream": True}).encode(),
    chat=True,
    vocabulary=1024,
)


class Slow:
    """An answer whose first text has to be waited for."""

    completion_tokens, busy_ms = 1, 1.0

    def __init__(self, *texts: str) -> None:
        self.texts = texts
        self.may_begin = asyncio.Event()

    async def pieces(self) -> AsyncIterator[Choice]:
        await self.may_begin.wait()
        for text in self.texts:
            yield Choice(0, text, None)
        yield Choice(0, "", "stop")

    def cancel(self) -> None:
        pass


def deltas(answer: Any) -> list[Any]:
    """What the events change, once it was seen that none comes before the answer begins."""

    async def run() -> list[Any]:
        events = stream_events(REPLY, answer, ASK, 3)
        first = asyncio.ensure_future(anext(events))
        for _ in range(10):
            await asyncio.sleep(0)
        assert not first.done()
        answer.may_begin.set()
        sent = [await first] + [event async for event in events]
        assert sent.pop() == "data: [DONE]\n\n"
        return [json.loads(event.removeprefix("data: "))["choices"][0]["delta"] for event in sent]

    return asyncio.run(run())


def test_nothing_is_sent_before_there_is_text() -> None:
    assert deltas(Slow("Yes", ".")) == [
        {"role": "assistant", "content": ""},
        {"content": "Yes"},
        {"content": "."},
        {},
    ]


def test_an_answer_without_text_has_its_role_too() -> None:
    assert deltas(Slow()) == [{"role": "assistant", "content": ""}, {}]
