"""The host of the site's engines on a free port, with real engines of the tiny base."""

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import uvicorn
from django.conf import settings

from adapters.models import BaseModel
from portal.embedded.process import free_port
from portal.engines.catalogue import ENCODER, Catalogue, Startable
from portal.engines.host import create_app
from portal.engines.pool import Pool

KEY = "key-of-the-engines"
BASE = "tiny-llama"


@dataclass(frozen=True, kw_only=True)
class TinyCatalogue(Catalogue):
    """Every name but “unknown” is a tiny base of its own. The real one asks the database, which is elsewhere."""

    def find(self, name: str) -> Startable | None:
        if name == "unknown":
            return None
        if name == ENCODER:
            return super().find(name)
        return self.startable(BaseModel(name=name, location=str(settings.BASE_MODEL_DIR), context_length=512))


SLOW = """
import http.server, sys, time
class Slow(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
    def do_POST(self):
        if "stream" in self.path:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"data: 1\\n\\n")
            self.wfile.flush()
        time.sleep(600)
    def log_message(self, *_):
        pass
http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[2])), Slow).serve_forever()
"""


@dataclass(frozen=True, kw_only=True)
class SlowCatalogue(Catalogue):
    """Engines that never come to an end: what they are asked for a stream begins, and nothing more is said."""

    def find(self, name: str) -> Startable | None:
        return Startable(name=name, argv=(sys.executable, "-c", SLOW), bytes=1, memory=self.memory(name))


@dataclass(frozen=True, kw_only=True)
class Running:
    """A host at `url`, and its pool."""

    url: str
    pool: Pool


@contextmanager
def running_host(
    folder: Path,
    *,
    idle_seconds: float = 600.0,
    kind: type[Catalogue] = TinyCatalogue,
    encoder: Path | None = None,
) -> Iterator[Running]:
    """Its children need ENGINE_API_KEY in the environment."""
    catalogue = kind(folder=folder, slots=4, max_rank=16, threads=1, encoder=encoder)
    made: list[Pool] = []

    def make_pool(client: aiohttp.ClientSession) -> Pool:
        made.append(Pool(catalogue.find, client, budget=2**33, idle_seconds=idle_seconds))
        return made[0]

    port = free_port()
    app = create_app(catalogue, KEY, make_pool)
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=port, log_level="warning", ws="none"))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        assert thread.is_alive()
        time.sleep(0.02)
    try:
        yield Running(url=f"http://127.0.0.1:{port}", pool=made[0])
    finally:
        server.should_exit = True
        thread.join()
