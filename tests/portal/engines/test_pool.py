"""Engines start when they are asked, once, and stop for want of use or room. The children here only answer /health."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

from lorakit.serve.adapters.memory import Memory
from lorakit.serve.requests.errors import ApiError
from portal.engines import pool as pools
from portal.engines.catalogue import Startable
from portal.engines.pool import Pool

GIB = 2**30
ANSWERS = """
import http.server, pathlib, sys
class Ok(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
    def log_message(self, *_):
        pass
with pathlib.Path(sys.argv[1]).open("a") as file:
    file.write("started ")
http.server.HTTPServer(("127.0.0.1", int(sys.argv[3])), Ok).serve_forever()
"""
ENDS = "import sys; sys.exit(3)"


class Starts:
    """What can be started, and how often each was."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.broken: set[str] = set()

    def find(self, name: str) -> Startable | None:
        if name.startswith("no-"):
            return None
        script = ENDS if name in self.broken else ANSWERS
        return Startable(
            name=name,
            argv=(sys.executable, "-c", script, str(self.folder / f"{name}.txt")),
            bytes=4 * GIB if name.startswith("large") else GIB,
            memory=self.memory(name),
        )

    def memory(self, name: str) -> Path:
        return self.folder / f"{name}.json"

    def count(self, name: str) -> int:
        path = self.folder / f"{name}.txt"
        return path.read_text().count("started") if path.exists() else 0


@pytest.fixture
def starts(tmp_path: Path) -> Starts:
    return Starts(tmp_path)


@asynccontextmanager
async def pool(starts: Starts, *, budget: int = 3 * GIB, idle_seconds: float = 600.0) -> AsyncIterator[Pool]:
    async with aiohttp.ClientSession() as client:
        made = Pool(starts.find, client, budget=budget, idle_seconds=idle_seconds)
        watching = asyncio.create_task(made.watch())
        try:
            yield made
        finally:
            watching.cancel()
            await made.close()


async def until(is_so: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not is_so():
            await asyncio.sleep(0.02)


async def touch(engines: Pool, name: str) -> None:
    async with engines.use(name):
        pass


def test_many_who_ask_at_once_start_one_engine(starts: Starts) -> None:
    async def scenario() -> None:
        async with pool(starts) as engines:
            assert engines.state("one") == "stopped"
            await asyncio.gather(*(touch(engines, "one") for _ in range(20)))
            assert engines.state("one") == "running"
            await touch(engines, "one")

    asyncio.run(scenario())
    assert starts.count("one") == 1


def test_a_start_goes_on_when_who_asked_for_it_goes_away(starts: Starts) -> None:
    async def scenario() -> None:
        async with pool(starts) as engines:
            asked = asyncio.create_task(touch(engines, "one"))
            await until(lambda: engines.state("one") == "starting")
            asked.cancel()
            await until(lambda: engines.state("one") == "running")

    asyncio.run(scenario())
    assert starts.count("one") == 1


def test_an_engine_that_nobody_uses_is_stopped_and_starts_again(starts: Starts) -> None:
    async def scenario() -> None:
        async with pool(starts, idle_seconds=0.0) as engines:
            async with engines.use("one") as child:
                # The watch stops the other, which nobody uses, and passes by this one.
                await touch(engines, "two")
                await until(lambda: engines.state("two") == "stopped")
                assert engines.running("one") is child
            await until(lambda: not child.is_alive)
            assert engines.state("one") == "stopped"
            await touch(engines, "one")

    asyncio.run(scenario())
    assert starts.count("one") == 2


def test_an_engine_with_a_pinned_adapter_stays(starts: Starts) -> None:
    Memory(starts.memory("pinned")).add("a", Path("/a"), "0" * 64, is_pinned=True)

    async def scenario() -> None:
        async with pool(starts, idle_seconds=0.0) as engines:
            await touch(engines, "other")
            await touch(engines, "pinned")
            await until(lambda: engines.running("other") is None)
            assert engines.running("pinned") is not None

    asyncio.run(scenario())


def test_the_one_asked_longest_ago_makes_room(starts: Starts) -> None:
    async def scenario() -> None:
        async with pool(starts, budget=2 * GIB) as engines:
            await touch(engines, "one")
            await touch(engines, "two")
            await touch(engines, "one")
            await touch(engines, "three")
            assert [engines.state(name) for name in ("one", "two", "three")] == ["running", "stopped", "running"]

    asyncio.run(scenario())


def test_a_request_waits_until_another_engine_has_answered(starts: Starts) -> None:
    async def scenario() -> None:
        async with pool(starts, budget=GIB) as engines:
            async with engines.use("one"):
                waiting = asyncio.create_task(touch(engines, "two"))
                await until(lambda: engines.state("two") == "starting")
                assert engines.running("one") is not None
            await waiting
            assert engines.running("one") is None

    asyncio.run(scenario())


def test_it_does_not_wait_for_ever(starts: Starts, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pools, "ROOM_SECONDS", 0.1)

    async def scenario() -> None:
        async with pool(starts, budget=GIB) as engines, engines.use("one"):
            with pytest.raises(ApiError) as refused:
                await touch(engines, "two")
            assert (refused.value.status, refused.value.code) == (503, "no_memory")
            assert engines.running("one") is not None

    asyncio.run(scenario())


def test_one_that_can_never_fit_is_refused_and_stops_nobody(starts: Starts) -> None:
    async def scenario() -> None:
        async with pool(starts) as engines:
            await touch(engines, "one")
            with pytest.raises(ApiError) as refused:
                await touch(engines, "large")
            assert refused.value.code == "too_large"
            assert "4.0 GiB" in refused.value.text
            assert engines.running("one") is not None

    asyncio.run(scenario())


def test_an_engine_that_was_killed_starts_again(starts: Starts) -> None:
    async def scenario() -> None:
        async with pool(starts) as engines:
            async with engines.use("one") as child:
                assert child.pid is not None
                os.kill(child.pid, signal.SIGKILL)
                await until(lambda: not child.is_alive)
            assert engines.state("one") == "stopped"
            await touch(engines, "one")

    asyncio.run(scenario())
    assert starts.count("one") == 2


def test_one_that_does_not_start_is_told_and_left_alone_for_a_while(starts: Starts) -> None:
    starts.broken.add("one")

    async def scenario() -> None:
        async with pool(starts) as engines:
            with pytest.raises(ApiError, match="did not start"):
                await touch(engines, "one")
            starts.broken.clear()
            with pytest.raises(ApiError, match="did not start"):
                await touch(engines, "one")

    asyncio.run(scenario())
    assert starts.count("one") == 0


def test_one_that_did_not_start_is_started_later(starts: Starts, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pools, "AGAIN_SECONDS", 0.0)
    starts.broken.add("one")

    async def scenario() -> None:
        async with pool(starts) as engines:
            with pytest.raises(ApiError, match="did not start"):
                await touch(engines, "one")
            starts.broken.clear()
            await touch(engines, "one")

    asyncio.run(scenario())
    assert starts.count("one") == 1


def test_an_unknown_one_is_not_found(starts: Starts) -> None:
    async def scenario() -> None:
        async with pool(starts) as engines:
            with pytest.raises(ApiError) as refused:
                await touch(engines, "no-such")
            assert refused.value.status == 404

    asyncio.run(scenario())


def test_all_end_with_the_pool(starts: Starts) -> None:
    async def scenario() -> list[int]:
        async with pool(starts) as engines:
            pids = []
            for name in ("one", "two"):
                async with engines.use(name) as child:
                    assert child.pid is not None
                    pids.append(child.pid)
            starting = asyncio.create_task(touch(engines, "three"))
            await until(lambda: starts.count("three") == 1)
        with pytest.raises(asyncio.CancelledError):
            await starting
        return pids

    for pid in asyncio.run(scenario()):
        assert not Path(f"/proc/{pid}").exists()
