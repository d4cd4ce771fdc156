"""Callers with OpenAI's client in an open loop: so many requests a second, whatever becomes of them.

They run in a process of their own, which nothing else holds up.
"""

import asyncio
import multiprocessing
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any

import httpx2
from openai import AsyncOpenAI, AsyncStream

from bench.promotion_site import TOKENS, Caller, messages

PER_SECOND = 50

_attempts: ContextVar[list[bool]] = ContextVar("attempts")


@dataclass(frozen=True, kw_only=True)
class Seen:
    """One request as its caller saw it; times in seconds since 1970. `error` is empty for an answer.

    `began_well` is false where the first attempt failed, of which the client's retries may have made an answer.
    """

    alias: str
    began: float
    ended: float
    streamed: bool
    text: str = ""
    version: int = 0
    request_id: str = ""
    error: str = ""
    began_well: bool = True


class _Counting(httpx2.AsyncHTTPTransport):
    """Notes of each attempt whether it got an answer."""

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        try:
            response = await super().handle_async_request(request)
        except httpx2.HTTPError:
            _attempts.get().append(False)
            raise
        _attempts.get().append(response.status_code < 400)
        return response


@contextmanager
def load(gateway: str, callers: list[Caller], *, per_second: int = PER_SECOND, people: int = 1) -> Iterator[list[Seen]]:
    """So many requests a second inside the block, whole and streamed by turns; the list is filled after it.

    Each API key asks for so many `people`, whom a trial tells apart.
    """
    seen: list[Seen] = []
    ours, theirs = multiprocessing.Pipe()
    keys = [(caller.alias, caller.token) for caller in callers]
    process = multiprocessing.get_context("spawn").Process(
        target=_run, args=(gateway, keys, theirs, per_second, people), daemon=True
    )
    process.start()
    theirs.close()
    # Until it has begun.
    ours.recv()
    try:
        yield seen
    finally:
        ours.send(None)
        seen.extend(ours.recv())
        process.join()


def _run(gateway: str, keys: list[tuple[str, str]], pipe: Connection, per_second: int, people: int) -> None:
    pipe.send(asyncio.run(_drive(gateway, keys, pipe, per_second, people)))


async def _drive(
    gateway: str, keys: list[tuple[str, str]], pipe: Connection, per_second: int, people: int
) -> list[Seen]:
    seen: list[Seen] = []
    clients = [
        AsyncOpenAI(
            base_url=f"{gateway}/v1",
            api_key=token,
            timeout=60,
            http_client=httpx2.AsyncClient(transport=_Counting(limits=httpx2.Limits(max_connections=None))),
        )
        for _, token in keys
    ]
    asked: set[asyncio.Task[None]] = set()
    start, count = time.monotonic(), 0
    pipe.send(None)
    while not pipe.poll():
        which = count % len(keys)
        streamed = count // len(keys) % 2 == 1
        person = f"person {count // len(keys) % people}"
        task = asyncio.create_task(_ask(clients[which], keys[which][0], seen, streamed=streamed, person=person))
        asked.add(task)
        task.add_done_callback(asked.discard)
        count += 1
        await asyncio.sleep(max(0.0, start + count / per_second - time.monotonic()))
    await asyncio.gather(*asked)
    for client in clients:
        await client.close()
    return seen


async def _ask(client: AsyncOpenAI, alias: str, seen: list[Seen], *, streamed: bool, person: str) -> None:
    attempts: list[bool] = []
    _attempts.set(attempts)
    began = time.time()
    text, version, request_id, error = "", 0, "", ""
    try:
        create = client.chat.completions.with_raw_response.create
        options: dict[str, Any] = {
            "model": alias, "messages": messages(), "max_tokens": TOKENS, "temperature": 0, "user": person,
        }  # fmt: skip
        raw = await create(**options, stream=streamed)
        version, request_id = int(raw.headers["x-adapter-version"]), raw.headers["x-request-id"]
        answer = raw.parse()
        if isinstance(answer, AsyncStream):
            async for event in answer:
                text += "".join(choice.delta.content or "" for choice in event.choices)
        else:
            text = answer.choices[0].message.content or ""
    except Exception as problem:
        status = getattr(problem, "status_code", "")
        error = f"{type(problem).__name__} {status}".strip()
    # Without a retry, an answer that broke off was the first attempt's.
    began_well = bool(attempts and attempts[0]) and not (error and len(attempts) == 1)
    seen.append(
        Seen(
            alias=alias, began=began, ended=time.time(), streamed=streamed, text=text, version=version,
            request_id=request_id, error=error, began_well=began_well,
        )
    )  # fmt: skip
