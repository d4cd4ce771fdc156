"""Requests that wait for an endpoint to come back: none is lost, none is repeated that may not be."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any, ClassVar
from uuid import uuid4

import pytest

from adapters.models import AdapterVersion
from lorakit.contracts import InvocationRecord
from serving.backends.target import OpenAITarget
from serving.backends.vllm import VllmEndpoint
from serving.endpoints.deployments import package_of
from serving.gateway import waiting
from serving.gateway.body import Ask
from serving.gateway.database import Caller
from serving.gateway.errors import ClientClosed, GatewayError
from serving.gateway.forward import forwarded, new_client
from serving.gateway.hang_up import unless_gone
from serving.gateway.record import Tally
from serving.gateway.relay import relay
from serving.gateway.waiting import WaitingRoom
from serving.models import Endpoint
from tenants.models import Tenant
from tenants.scope import tenant_scope
from tests.serving.conftest import user
from tests.serving.gateway.gateway_client import PROMPT, new_line, put_live

ANSWER = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}"
NOT_LOADED = b"HTTP/1.1 404 Not Found\r\ncontent-length: 2\r\n\r\n{}"
RESET = b""
HEAD = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n"
STREAM = (
    b'HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\ndata: {"choices": [{"delta": {"content": "a"}}]}\n\n'
)


class Restarting:
    """An endpoint that says one thing after another, the last for ever; it closes each connection after it."""

    def __init__(self, *said: bytes) -> None:
        self.said = said
        self.asked = 0
        self.port = 0
        self.was_asked = asyncio.Event()

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b'{"model":"x"}')
        said = self.said[min(self.asked, len(self.said) - 1)]
        self.asked += 1
        self.was_asked.set()
        writer.write(said)
        await writer.drain()
        writer.close()

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        async with await asyncio.start_server(self.answer, "127.0.0.1", self.port) as server:
            self.port = server.sockets[0].getsockname()[1]
            yield

    def target(self) -> OpenAITarget:
        return OpenAITarget(url=f"http://127.0.0.1:{self.port}/v1", model="x")


class Billed(OpenAITarget):
    """Stands for a target of which every request costs money."""

    may_repeat: ClassVar[bool] = False


def new_tally() -> Tally:
    return Tally(caller=Caller(tenant_id=uuid4(), key_id=uuid4()))


async def ask(target: OpenAITarget, room: WaitingRoom, tally: Tally | None = None) -> bytes:
    async with (
        new_client() as client,
        forwarded(client, room, target, "/completions", {}, alias="legal", tally=tally or new_tally()) as begun,
    ):
        return await begun.body()


async def until(is_so: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not is_so():
            await asyncio.sleep(0.01)


def test_a_request_waits_through_a_restart_and_until_its_adapter_is_back() -> None:
    endpoint = Restarting(RESET, NOT_LOADED, NOT_LOADED, ANSWER)
    room, tally = WaitingRoom(), new_tally()

    async def run() -> None:
        async with endpoint.running():
            asking = asyncio.create_task(ask(endpoint.target(), room, tally))
            await endpoint.was_asked.wait()
        # Nobody listens now: what comes next is refused.
        await until(lambda: room.held == 1)
        assert not asking.done()
        assert tally.waited_ms() == 0
        async with endpoint.running():
            assert await asking == b"{}"

    asyncio.run(run())
    assert endpoint.asked == 4
    assert room.held == 0
    tally.end(200)
    record = tally.record()
    assert 0 < record.busy_ms < record.latency_ms, "what it waited is latency, and not the endpoint's time"


@pytest.mark.parametrize("failure", [NOT_LOADED, RESET])
def test_a_request_that_costs_money_is_sent_once(failure: bytes) -> None:
    endpoint, room = Restarting(failure, ANSWER), WaitingRoom()

    async def run() -> None:
        async with endpoint.running():
            await ask(Billed(url=endpoint.target().url, model="x"), room)

    with pytest.raises(GatewayError) as refused:
        asyncio.run(run())
    assert (refused.value.status, refused.value.code) == (503, "endpoint_unavailable")
    assert (endpoint.asked, room.held) == (1, 0)


def test_a_head_without_a_body_is_no_answer() -> None:
    endpoint, room = Restarting(HEAD, ANSWER), WaitingRoom()

    async def run() -> None:
        async with endpoint.running():
            assert await ask(endpoint.target(), room) == b"{}"

    asyncio.run(run())
    assert endpoint.asked == 2


def test_a_request_that_kills_its_endpoint_is_not_sent_for_ever() -> None:
    endpoint, room = Restarting(RESET), WaitingRoom()

    async def run() -> None:
        async with endpoint.running():
            await ask(endpoint.target(), room)

    with pytest.raises(GatewayError) as refused:
        asyncio.run(run())
    assert refused.value.status == 503
    assert (endpoint.asked, room.held) == (waiting.MOST_LOST, 0)


def test_an_adapter_that_never_comes_back_ends_the_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "HELD_SECONDS", 0.3)
    endpoint, room, tally = Restarting(NOT_LOADED), WaitingRoom(), new_tally()

    async def run() -> None:
        async with endpoint.running():
            await ask(endpoint.target(), room, tally)

    with pytest.raises(GatewayError) as refused:
        asyncio.run(run())
    assert (refused.value.status, refused.value.code, refused.value.retry_after) == (503, "endpoint_unavailable", 5)
    assert endpoint.asked > 1
    assert room.held == 0
    tally.end(503, "endpoint_unavailable")
    assert (tally.record().busy_ms, tally.record().latency_ms >= 300) == (0, True)


def test_a_stream_that_has_begun_is_never_repeated() -> None:
    endpoint, room, tally = Restarting(STREAM, ANSWER), WaitingRoom(), new_tally()
    asked = Ask(model="legal", document={}, streamed=True, wants_usage=False, wants_usage_always=False)
    events = 0

    async def run() -> None:
        nonlocal events
        async with (
            endpoint.running(),
            new_client() as client,
            forwarded(client, room, endpoint.target(), "/completions", {}, alias="legal", tally=tally) as begun,
        ):
            async for event in relay(begun, tally, asked, alias="legal", decode=bytes):
                events += bool(event)

    with pytest.raises(GatewayError) as broken:
        asyncio.run(run())
    assert broken.value.code == "stream_broken"
    assert (events, endpoint.asked) == (1, 1)


def test_a_caller_who_goes_away_no_longer_waits() -> None:
    endpoint, room, tally = Restarting(NOT_LOADED), WaitingRoom(), new_tally()

    async def run() -> None:
        async with endpoint.running():

            async def receive() -> dict[str, str]:
                await until(lambda: room.held == 1)
                return {"type": "http.disconnect"}

            with pytest.raises(ClientClosed):
                await unless_gone(ask(endpoint.target(), room, tally), receive)
            assert room.held == 0

    asyncio.run(run())
    assert tally.record().busy_ms == 0


def test_a_tenant_leaves_places_to_others_and_no_more_wait_than_there_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "MOST_HELD", 3)
    monkeypatch.setattr(waiting, "MOST_HELD_OF_TENANT", 2)
    endpoint, room, crowded, other = Restarting(NOT_LOADED), WaitingRoom(), new_tally().caller, new_tally().caller

    async def refused(caller: Caller) -> bool:
        """Whether one more is refused at once, while the others go on waiting."""
        before = room.held
        with pytest.raises(GatewayError):
            await ask(endpoint.target(), room, Tally(caller=caller))
        return room.held == before

    async def run() -> None:
        async with endpoint.running():
            held = [asyncio.create_task(ask(endpoint.target(), room, Tally(caller=crowded))) for _ in range(2)]
            await until(lambda: room.held == 2)
            assert await refused(crowded)
            held.append(asyncio.create_task(ask(endpoint.target(), room, Tally(caller=other))))
            await until(lambda: room.held == 3)
            assert await refused(other)
            endpoint.said = (ANSWER,)
            assert await asyncio.gather(*held) == [b"{}"] * 3
        assert room.held == 0

    asyncio.run(run())


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("stream", [True, False])
def test_a_caller_does_not_notice_that_the_engine_lost_the_adapter(
    tenant: Tenant,
    gateway: str,
    vllm: VllmEndpoint,
    endpoint: Endpoint,
    make_version: Callable[..., AdapterVersion],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    stream: bool,
) -> None:
    line, version = new_line(tenant), make_version(tenant, "legal", 1)
    put_live(line, vllm, endpoint, version)
    [name] = vllm.list()
    with tenant_scope(tenant.id):
        package = package_of(version)
    vllm.delete(name)

    def put_back(self: WaitingRoom, tenant_id: object) -> bool:
        vllm.deploy(name, package)
        took: bool = enter(self, tenant_id)
        return took

    enter: Any = WaitingRoom.enter
    monkeypatch.setattr(WaitingRoom, "enter", put_back)
    answer: Any = line.client(gateway).chat.completions.create(
        model="legal", messages=user(PROMPT), max_tokens=8, temperature=0, stream=stream
    )
    if stream:
        text = "".join(event.choices[0].delta.content or "" for event in answer if event.choices)
    else:
        text = answer.choices[0].message.content
    assert text == line.answers["legal", version.number]
    [record] = [
        InvocationRecord.from_json(line)
        for file in (tmp_path / "ledger").glob("*.jsonl")
        for line in file.read_bytes().splitlines()
    ]
    assert (record.status, record.streamed) == (200, stream)
    assert record.latency_ms > waiting.SHORTEST_PAUSE * 1000
    assert record.version_id == str(version.id)
