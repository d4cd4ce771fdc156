"""One engine as a child process."""

import asyncio
import os
import signal
import subprocess
import time
from pathlib import Path

import aiohttp

from lorakit.serve.adapters.memory import Memory
from portal.embedded.process import free_port, spawn, stop
from portal.engines.catalogue import Startable

STDOUT = 1
START_SECONDS = 300.0
STOP_SECONDS = 15.0
_POLL_SECONDS = 0.1


class Child:
    """A started engine. `open` counts the requests that it answers now; `used_at` is monotonic, in seconds."""

    def __init__(self, startable: Startable) -> None:
        self.startable = startable
        self.port = free_port()
        self.open = 0
        self.used_at = time.monotonic()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process is not None else None

    @property
    def is_alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def is_pinned(self) -> bool:
        """Whether an adapter is never to leave its slot, so that the engine has to stay."""
        return any(held.is_pinned for held in Memory(self.startable.memory).read().values())

    @property
    def bytes(self) -> int:
        """Its memory: what it takes, and at least what was planned, which it may not have touched yet."""
        try:
            pages = int(Path(f"/proc/{self.pid}/statm").read_text().split()[1])
        except (OSError, ValueError, IndexError):
            return self.startable.bytes
        return max(pages * os.sysconf("SC_PAGE_SIZE"), self.startable.bytes)

    async def start(self, client: aiohttp.ClientSession) -> bool:
        """Start it and wait until it answers. False if it ended instead, or took too long, and is stopped then."""
        argv = [*self.startable.argv, "--port", str(self.port)]
        # A child dies with the thread that forked it: this is the main one.
        self._process = spawn(argv, log=STDOUT, death_signal=signal.SIGTERM)
        deadline = time.monotonic() + START_SECONDS
        while self.is_alive and time.monotonic() < deadline:
            if await self._answers(client):
                return True
            await asyncio.sleep(_POLL_SECONDS)
        await self.stop()
        return False

    async def stop(self) -> None:
        """Ask it to end; kill it if it doesn't."""
        if self._process is not None:
            await asyncio.to_thread(stop, self._process, [(signal.SIGTERM, STOP_SECONDS)])

    async def _answers(self, client: aiohttp.ClientSession) -> bool:
        try:
            async with client.get(f"{self.url}/health", timeout=aiohttp.ClientTimeout(total=5)) as answer:
                return answer.status == 200
        except (aiohttp.ClientError, TimeoutError):
            return False
